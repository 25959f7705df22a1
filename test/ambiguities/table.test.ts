/** No resolution and no key of spec/ambiguities.json is forgotten: a test names it, or it stands here with the reason. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { titlesIn } from '../../src/conformance/matrix.ts';
import { configSchema } from '../../src/server/config/schema.ts';
import { usersSchema } from '../../src/server/config/users-file.ts';

const project = new URL('../../', import.meta.url).pathname;
const titles = readdirSync(`${project}test`, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .flatMap((file) => titlesIn(readFileSync(`${project}test/${file}`, 'utf8')));

interface Ambiguity {
  readonly id: string;
  readonly configKey: string;
}
const ambiguities = JSON.parse(readFileSync(`${project}spec/ambiguities.json`, 'utf8')) as Ambiguity[];

/** Ambiguities that no single test is about. */
const WITHOUT_TEST: Readonly<Record<string, string>> = {
  'A-50': 'what the text leaves to the RFCs: test/session is about nothing else, each title with its RFC',
  'A-52': 'editorial: nothing to do differently',
};

/** Names that the specification gives its keys, and where they stand in the files (contract, Configuration). */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  'xdms.blacklistNames': ['preferences.blacklistNames'],
  'sip.warningAgent': ['sip.warningAgent'],
  'sip.productTokens': ['sip.productTokens'],
  'sip.contactKey': ['sip.contactKey'],
  'policy.originatorAllowed(user, icsi)': ['services'],
  'policy.requiredUserAgent = {min,max,onMissing}': ['policy.requiredUserAgent'],
  'policy.allowAnonymity, policy.anonymityFromHeader=false': ['policy.allowAnonymity', 'policy.anonymityFromHeader'],
  'policy.mediaPath': ['policy.mediaPath'],
  'policy.mediaPath = always|auto|never': ['policy.mediaPath'],
  'policy.isfSchemes': ['policy.isfSchemes'],
  'policy.interworkOn.orig': ['policy.interworkOn.orig'],
  'policy.interworkOn.term': ['policy.interworkOn.term'],
  'policy.proxyInterworkOn6xx=false': ['policy.proxyInterworkOn6xx'],
  'policy.sdpCheck=any|all': ['policy.sdpCheck'],
  'policy.maxRedirects=1': ['policy.maxRedirects'],
  'policy.defaultAllowOfflineStorage=false': ['policy.defaultAllowOfflineStorage', 'preferences.timeoutMs'],
  'isf.secondary={enabled,timeoutMs,rounds:1}': ['isf.secondary.enabled', 'isf.secondary.timeoutMs'],
  'recording.retry': ['recording.retry'],
  'recording.groupState=always|groupOnly': ['recording.groupState'],
  'recording.storeBudgetMs': ['timers.storeBudgetMs'],
  'recording.keepOldGroupState=true': ['recording.keepOldGroupState'],
  'recording.metadata=true': ['recording.metadata'],
  'store.folderName(session)': ['history.folderName'],
  'store.metadataPrefix': ['history.metadataPrefix'],
  'teardown.byeJoinMs': ['timers.byeJoinMs'],
  'timer.{se,minSE,refresher}': ['timers.se', 'timers.minSE', 'timers.refresher'],
  'registrar port': ['registrar.driver'],
  'compat.termTimerMetadata = both': ['compat.termTimerMetadata'],
  'compat.termFolderIgnoresPreference=false': ['compat.termFolderIgnoresPreference'],
  'compat.messageUid=sessionInfo|literal': ['compat.messageUid'],
  'compat.dndIgnoresConditions=false': ['compat.dndIgnoresConditions'],
  'media.*': ['media.listen', 'media.advertise', 'media.ports', 'media.onFailure', 'media.maxMessageBytes'],
};

interface JsonSchema {
  readonly properties?: Record<string, JsonSchema>;
  readonly additionalProperties?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

function knows(schema: JsonSchema | undefined, path: readonly string[]): boolean {
  if (schema === undefined) return false;
  const [key, ...rest] = path;
  if (key === undefined) return true;
  const forms = [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  return forms.some((form) => form.properties?.[key] !== undefined && knows(form.properties[key], rest));
}

describe('every ambiguity', () => {
  it('is named by the title of a test, or needs none for the reason given here', () => {
    const unnamed = ambiguities.map(({ id }) => id).filter((id) => !titles.some((title) => title.includes(id)));
    expect(unnamed.filter((id) => !(id in WITHOUT_TEST))).toEqual([]);
  });

  it('stands here only as long as no test names it', () => {
    expect(Object.keys(WITHOUT_TEST).filter((id) => titles.some((title) => title.includes(id)))).toEqual([]);
  });
});

describe('every key of an ambiguity', () => {
  it('has its place in the files', () => {
    const named = ambiguities.map(({ configKey }) => configKey).filter((key) => key !== '-');
    expect([...new Set(named)].filter((key) => !(key in KEYS))).toEqual([]);
  });

  it('is one that the files take', () => {
    const file = configSchema.toJSONSchema({ io: 'input', unrepresentable: 'any' }) as JsonSchema;
    const users = usersSchema.toJSONSchema({ io: 'input', unrepresentable: 'any' }) as JsonSchema;
    const user = users.properties?.users?.additionalProperties;
    const unknown = Object.values(KEYS)
      .flat()
      .filter((key) => !knows(file, key.split('.')) && !knows(user, [key]));
    expect(unknown).toEqual([]);
  });

  it('is flipped by a test that names it', () => {
    const keys = Object.values(KEYS).flat();
    expect(keys.filter((key) => !titles.some((title) => title.includes(key)))).toEqual([]);
  });
});
