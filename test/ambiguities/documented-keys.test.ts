/** Each key that the specification's section on configuration names is documented, and flipped by a test that names it. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { titlesIn } from '../../src/conformance/matrix.ts';
import { configRows, usersRows, withTables } from '../../src/server/config/reference.ts';

const project = new URL('../../', import.meta.url).pathname;
const page = readFileSync(`${project}docs/configuration.md`, 'utf8');
const titles = readdirSync(`${project}test`, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .flatMap((file) => titlesIn(readFileSync(`${project}test/${file}`, 'utf8')));

/** The section, key by key, and where each stands in the files. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  'sip.warningAgent': ['sip.warningAgent'],
  'sip.productTokens': ['sip.productTokens'],
  'sip.contactKey': ['sip.contactKey'],
  'policy.originatorAllowed': ['users.*.services'],
  'policy.requiredUserAgent': ['policy.requiredUserAgent'],
  'policy.allowAnonymity': ['policy.allowAnonymity'],
  'policy.anonymityFromHeader': ['policy.anonymityFromHeader'],
  'policy.mediaPath': ['policy.mediaPath'],
  'policy.isfSchemes': ['policy.isfSchemes'],
  'policy.interworkOn.orig': ['policy.interworkOn.orig'],
  'policy.interworkOn.term': ['policy.interworkOn.term'],
  'policy.proxyInterworkOn6xx': ['policy.proxyInterworkOn6xx'],
  'policy.sdpCheck': ['policy.sdpCheck'],
  'policy.maxRedirects': ['policy.maxRedirects'],
  'policy.partialClose': ['policy.partialClose'],
  'policy.defaultAllowOfflineStorage': ['policy.defaultAllowOfflineStorage'],
  'isf.secondary': ['isf.secondary', 'isf.secondary.enabled', 'isf.secondary.timeoutMs'],
  'recording.retry': ['recording.retry'],
  'recording.groupState': ['recording.groupState'],
  'recording.storeBudgetMs': ['timers.storeBudgetMs'],
  'recording.keepOldGroupState': ['recording.keepOldGroupState'],
  'recording.metadata': ['recording.metadata'],
  'store.metadataPrefix': ['history.metadataPrefix'],
  'store.folderName': ['history.folderName'],
  'teardown.byeJoinMs': ['timers.byeJoinMs'],
  'timer.{se,minSE,refresher}': ['timers.se', 'timers.minSE', 'timers.refresher'],
  'xdms.blacklistNames': ['preferences.blacklistNames'],
  'compat.{termTimerMetadata,termFolderIgnoresPreference,messageUid,dndIgnoresConditions}': [
    'compat.termTimerMetadata',
    'compat.termFolderIgnoresPreference',
    'compat.messageUid',
    'compat.dndIgnoresConditions',
  ],
  'media.*': configRows()
    .map(({ key }) => key)
    .filter((key) => key.startsWith('media.')),
};
const keys = Object.values(NAMED).flat();
const rows = new Map([...configRows(), ...usersRows()].map((row) => [row.key, row]));

/** Words of a description beside the names of clauses, ambiguities and RFCs. */
function wordsOf(description: string): string[] {
  return description.replace(/\([^)]*\)|[AOT]-[\w-]+|RFC \d+/g, '').match(/[A-Za-z-]{2,}/g) ?? [];
}

describe('every key the specification names', () => {
  it('is one that the files take, and says in words what it does', () => {
    // What is inside a section with a description of its own may be told there.
    const told = (key: string): string => {
      const own = rows.get(key)?.description ?? '';
      return wordsOf(own).length > 0 ? own : (rows.get(key.slice(0, key.lastIndexOf('.')))?.description ?? '');
    };
    expect(keys.filter((key) => !rows.has(key))).toEqual([]);
    expect(keys.filter((key) => wordsOf(told(key)).length < 2)).toEqual([]);
  });

  it('has its row in docs/configuration.md, with its name in the specification where that is another', () => {
    expect(keys.filter((key) => !page.includes(`| \`${key}\``))).toEqual([]);
    const names = Object.keys(NAMED).filter((name) => !rows.has(name) && !/[{*]/.test(name));
    const covered = (name: string): boolean =>
      page.includes(`\`${name}\``) || page.includes(`\`${name.split('.', 1)[0]}.*\``);
    expect(names.filter((name) => !covered(name))).toEqual([]);
  });

  it('is flipped by a test whose title names it', () => {
    const named = (key: string): string => key.replace('users.*.', '');
    expect(keys.filter((key) => !titles.some((title) => title.includes(named(key))))).toEqual([]);
  });
});

describe('docs/configuration.md', () => {
  it('has every key of the schema, as "cpm-engine visualize" writes it', () => {
    expect(withTables(page)).toBe(page);
    expect([...rows.keys()].filter((key) => !page.includes(`| \`${key}\``))).toEqual([]);
  });

  it('is told where it has lost its places for the tables', () => {
    expect(() => withTables('# Configuration\n')).toThrow('expected two places for tables');
  });
});
