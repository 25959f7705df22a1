/** Preferences and lists out of Kamailio as XCAP server, as calls feel them (8.4.1, A-15, A-36, A-37). */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type Hosted, host } from '../support/hosted.ts';
import { type Reader, RULES_DOCUMENT, startXcapServer, type XcapServer } from '../support/kamailio-xcap.ts';
import { Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { until } from '../support/server.ts';
import {
  BOB,
  BOBS_LISTS,
  FOR_CPM,
  NO_DISTURBANCE,
  resourceLists,
  rule,
  ruleset,
  STORES,
} from '../support/xcap-documents.ts';

const BOBS_RULES = RULES_DOCUMENT.replace('{user}', BOB);
const MALLORY = 'sip:mallory@evil.example';
const ALICE = 'sip:alice@away.example';
const READER: Reader = { username: 'pf', password: 'a secret of the function' };

let scene: Scene;
let pf: Hosted;
let xcap: XcapServer;

describeWith(['kamailio', 'kamailio/xcap_server'], 'Kamailio as XCAP server', () => {
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(async () => {
    await pf.close();
    await scene.close();
  });

  async function start(preferences: Record<string, unknown> = {}, reader?: Reader): Promise<void> {
    xcap = await startXcapServer(scene, reader);
    pf = await host(scene, {
      preferences: { driver: 'xcap', root: xcap.root, rulesDocument: RULES_DOCUMENT, timeoutMs: 5000, ...preferences },
    });
  }

  it('a user without documents has no wishes, which is asked for once', async () => {
    await start();
    expect(await statusOfCall(ALICE)).toBe(200);
    expect(await statusOfCall(MALLORY)).toBe(200);
    expect(requests()).toEqual({ fetched: 0, unchanged: 0, absent: 2 });
    expect(pf.server.preferences?.answers).toEqual({ cached: 1, asked: 1, stale: 0, assumed: 0 });
    expect(xcap.askers).toEqual([`"${BOB}"`, `"${BOB}"`]);
  });

  it('A-36: the blacklist is a list by its name, with the lists it links to in other documents', async () => {
    await start();
    const others = '/~~/resource-lists/list%5B@name=%22rcs_revokedcontacts%22%5D';
    const blocked = `<list name="oma_blockedcontacts"><external anchor="${xcap.root}/resource-lists/users/sip:shared@home.example/index${others}"/></list>`;
    await xcap.put(BOBS_LISTS, resourceLists(`<list name="friends"><entry uri="${ALICE}"/></list>${blocked}`));
    await xcap.put(
      'resource-lists/users/sip:shared@home.example/index',
      resourceLists(
        `<list name="rcs_revokedcontacts"><entry uri="${MALLORY}"><display-name>M &amp; M</display-name></entry></list>`,
      ),
    );
    expect(await statusOfCall(ALICE)).toBe(200);
    expect(await statusOfCall(MALLORY)).toBe(403);
  });

  it('A-37: do-not-disturb and storage by rules, changed in the server and seen by the entity tag', async () => {
    await start({ maxAgeMs: 1 });
    const toAll = rule('', STORES);
    await xcap.put(
      BOBS_RULES,
      ruleset(toAll, rule(`<cr:identity><cr:one id="${MALLORY}"/></cr:identity>`, NO_DISTURBANCE, 'r2')),
    );
    expect(await statusOfCall(MALLORY)).toBe(480);
    expect(await statusOfCall(ALICE)).toBe(200);
    expect(requests()).toMatchObject({ fetched: 1, unchanged: 1 });
    await until('the allowed one is recorded', async () => {
      const { body } = await pf.ask<{ folders: unknown[] }>('GET', `/api/history/${BOB}`);
      return body.folders.length === 1;
    });
    await xcap.put(BOBS_RULES, ruleset(rule(FOR_CPM, NO_DISTURBANCE)));
    expect(await statusOfCall(ALICE)).toBe(480);
    expect(requests()).toMatchObject({ fetched: 2, unchanged: 1 });
  });

  it('RFC 7616: shows its name and password where the server wants them', async () => {
    const auth = { type: 'digest', username: READER.username, password: `file:${scene.file('word', READER.password)}` };
    await start({ auth }, READER);
    await xcap.put(BOBS_LISTS, resourceLists(`<list name="rcs_blockedcontacts"><entry uri="${MALLORY}"/></list>`));
    expect(await statusOfCall(MALLORY)).toBe(403);
    expect((await pf.ask('GET', '/readyz')).body).toMatchObject({ status: 'ready' });
  });

  it('with a wrong password the defaults count, and /readyz and the metrics say so', async () => {
    const auth = { type: 'digest', username: READER.username, password: `file:${scene.file('word', 'guessed')}` };
    await start({ auth }, READER);
    await xcap.put(BOBS_LISTS, resourceLists(`<list name="rcs_blockedcontacts"><entry uri="${MALLORY}"/></list>`));
    expect(await statusOfCall(MALLORY)).toBe(200);
    expect((await pf.ask('GET', '/readyz')).body).toMatchObject({
      status: 'degraded',
      problems: ['preferences can not be had: it answers 401'],
    });
    expect(requests()).toMatchObject({ fetched: 0, failed: { unauthorized: 2 } });
    expect(await pf.metric('preferences_requests_total')).toBe(2);
  });
});

function requests(): unknown {
  const { failed, ...rest } = pf.server.preferences?.documents.counters ?? { failed: {} };
  return Object.keys(failed).length === 0 ? rest : { ...rest, failed };
}

/** What an invitation to Bob gets. */
async function statusOfCall(originator: string): Promise<number> {
  const headers = [
    ['P-Served-User', `<${BOB}>;sescase=term;regstate=reg`],
    ['P-Asserted-Identity', `<${originator}>`],
  ] as const;
  return (await pf.alice.outcome(pf.alice.invite({ headers }))).status;
}
