/**
 * A hundred recorded sessions of ten users through the real server, with Dovecot as the store, which goes away in the
 * middle and comes back. CPM_OUTAGE_S is how long it is away, 4 s unless told; 60 is worth a try by hand.
 */
import { expect, it } from '@jest/globals';
import type { Call } from '../../src/testing/index.ts';
import { Dovecot, PASSWORD } from '../support/dovecot.ts';
import { Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { type RunningServer, serve, until } from '../support/server.ts';
import { UdpPhone } from '../support/udp-phone.ts';

const OUTAGE_S = Number(process.env.CPM_OUTAGE_S ?? 4);
const USERS = 10;
/** timers.storeBudgetMs: how long a BYE waits for its history. */
const BUDGET_MS = 1_500;
/** What a busy machine adds to it. */
const SLACK_MS = 1_000;

const userOf = (at: number): string => `sip:user${at % USERS}@home.example`;
const folderOf = (at: number): string => `conversation-${at}/contribution-${at}`;

interface Read {
  readonly pointers: Readonly<Record<string, number>>;
  readonly objects: readonly { readonly uid: number; readonly type: string }[];
}

describeWith(['dovecot'], 'the IMAP store is away in the middle of 100 sessions', () => {
  it(
    'no session ends, each BYE is answered within the store budget, and afterwards every folder is complete',
    async () => {
      const scene = new Scene();
      try {
        await run(scene);
      } finally {
        await scene.close();
      }
    },
    (OUTAGE_S + 120) * 1000,
  );
});

async function run(scene: Scene): Promise<void> {
  const dovecot = await Dovecot.start(scene);
  const bob = await UdpPhone.open('bob', '127.0.0.1:9');
  const server = await start(scene, dovecot, bob);
  bob.peer.pf = `127.0.0.1:${server.ports.udp}`;
  const alice = await UdpPhone.open('alice', bob.peer.pf);
  scene.atEnd(async () => {
    alice.close();
    bob.close();
  });
  const calls = await established(alice, 0, 60);
  await until('what there is so far is stored', async () => (await server.metric('outbox_depth')) === 0, 30_000);

  await dovecot.stop();
  const away = performance.now();
  const whileAway = [...(await established(alice, 60, 40)), ...calls];
  expect(await server.metric('sessions')).toBe(100);
  // Twenty that were begun before it, and ten that never saw the store.
  const ended = await byes(alice, [...whileAway.slice(0, 10), ...calls.slice(0, 20)]);
  expect(Math.max(...ended)).toBeLessThan(BUDGET_MS + SLACK_MS);
  await until('they have ended', async () => (await server.metric('sessions')) === 70);
  const degraded = await server.get<{ status: string; problems: string[] }>('/readyz');
  expect(degraded).toMatchObject({
    status: 'degraded',
    problems: [expect.stringContaining('history can not be stored')],
  });
  const waiting = await server.metric('outbox_depth');
  // 40 folders to open, and 30 sessions to seal.
  expect(waiting).toBe(70);
  const rest = OUTAGE_S * 1000 - (performance.now() - away);
  if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
  expect(await server.metric('sessions')).toBe(70);
  expect(await server.metric('outbox_age_seconds')).toBeGreaterThan(OUTAGE_S / 2);

  await dovecot.start();
  const back = performance.now();
  await until('all that waited is stored', async () => (await server.metric('outbox_depth')) === 0, 30_000);
  const drained = performance.now() - back;
  const later = await byes(alice, [...whileAway.slice(10, 40), ...calls.slice(20)]);
  expect(Math.max(...later)).toBeLessThan(BUDGET_MS + SLACK_MS);
  await until('the rest is stored', async () => (await server.metric('outbox_depth')) === 0, 30_000);
  expect(await server.counts('sessions_ended_total')).toEqual({ byeFromClient: 100 });
  for (let at = 0; at < 100; at++) expect(await read(server, at)).toEqual(COMPLETE);
  process.stderr.write(
    `\nIMAP away ${Math.round((back - away) / 1000)} s: ${waiting} waited; BYE meanwhile at most ` +
      `${Math.round(Math.max(...ended))} ms, afterwards ${Math.round(Math.max(...later))} ms; drained in ${Math.round(drained)} ms\n`,
  );
}

/** Both objects once, and both pointers. */
const COMPLETE = [
  { SessionInfoObjectID: 1, GroupStateObjectID: 2 },
  ['Application/X-CPM-Session', 'Application/group-state-object+xml'],
];

async function read(server: RunningServer, at: number): Promise<unknown> {
  const path = `/api/history/${encodeURIComponent(userOf(at))}/${folderOf(at)}`;
  const { pointers, objects } = await server.get<Read>(path);
  return [pointers, objects.map(({ type }) => type)];
}

function start(scene: Scene, dovecot: Dovecot, bob: UdpPhone): Promise<RunningServer> {
  process.env.CPM_TEST_IMAP_PASSWORD = PASSWORD;
  return serve(scene, {
    sip: { core: `sip:127.0.0.1:${bob.port};lr` },
    policy: { defaultAllowOfflineStorage: true, mediaPath: 'always' },
    timers: { storeBudgetMs: BUDGET_MS },
    history: { driver: 'imap', url: dovecot.url, password: 'env:CPM_TEST_IMAP_PASSWORD', connections: 4 },
    log: { level: 'silent' },
  });
}

/** Sessions from this number on, each in a folder of its own, with its 200. */
async function established(alice: UdpPhone, from: number, count: number): Promise<Call[]> {
  const calls = Array.from({ length: count }, (_, at) =>
    alice.invite({
      headers: [
        ['P-Served-User', `<${userOf(from + at)}>;sescase=orig;regstate=reg`],
        ['Conversation-ID', `conversation-${from + at}`],
        ['Contribution-ID', `contribution-${from + at}`],
      ],
    }),
  );
  for (const call of calls) expect((await alice.outcome(call)).status).toBe(200);
  return calls;
}

/**
 * Ends them all at once; how long each 200 took, ms. Invariant 9: a Message-UID is that of the Session Info Object, so
 * here always 1; where it is not known in time, there is none.
 */
function byes(alice: UdpPhone, calls: readonly Call[]): Promise<number[]> {
  return Promise.all(
    calls.map(async (call) => {
      const begun = performance.now();
      const answer = await alice.bye(call);
      expect(answer.status).toBe(200);
      expect([undefined, '1']).toContain(answer.header('message-uid'));
      return performance.now() - begun;
    }),
  );
}
