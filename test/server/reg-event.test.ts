/** registrar.driver regEvent: who is registered, as the core tells it (RFC 3680, RFC 6665, A-39). */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type Hosted, host } from '../support/hosted.ts';
import { Scene } from '../support/processes.ts';
import { contact, RegNotifier, reginfo, registration } from '../support/reg-notifier.ts';
import { until } from '../support/server.ts';

const BOB = 'sip:bob@home.example';

let scene: Scene;
let pf: Hosted;
let core: RegNotifier;
beforeEach(() => {
  scene = new Scene();
});
afterEach(async () => {
  await pf.close();
  await scene.close();
});

async function start(regEvent: Record<string, unknown> = {}): Promise<void> {
  pf = await host(scene, {
    registrar: { driver: 'regEvent', regEvent },
    policy: { noClient: 'reject' },
    sessions: { driver: 'sqlite', path: `${scene.folder}/sessions.sqlite` },
  });
  core = new RegNotifier(pf.bob);
}

async function statusOfCall(): Promise<number> {
  const headers = [
    ['P-Served-User', `<${BOB}>;sescase=term;regstate=reg`],
    ['P-Asserted-Identity', '<sip:alice@away.example>'],
  ] as const;
  return (await pf.alice.outcome(pf.alice.invite({ headers }))).status;
}

async function told(document: string): Promise<void> {
  const before = pf.server.regEvents?.counters.notified ?? 0;
  expect((await core.notify(document)).status).toBe(200);
  await until('it is taken', async () => (pf.server.regEvents?.counters.notified ?? 0) > before);
}

it('RFC 3680: a user is watched from the first call on, which the core is left to route; then what it tells counts', async () => {
  await start({ expires: 7200 });
  expect(await statusOfCall()).toBe(200);
  await until('it subscribes', async () => core.subscribes.length === 1);
  const [subscribe] = core.subscribes;
  expect(subscribe).toMatchObject({ uri: BOB });
  expect(['event', 'accept', 'expires'].map((name) => subscribe?.header(name as 'event'))).toEqual([
    'reg',
    'application/reginfo+xml',
    '7200',
  ]);
  await told(reginfo(0, 'full', registration(BOB, '', 'r1', 'init')));
  expect(await statusOfCall()).toBe(480);
  await told(reginfo(1, 'partial', registration(BOB, contact('1') + contact('2'))));
  expect(await statusOfCall()).toBe(200);
  expect(pf.server.registrations.clientsOf(BOB).map(({ instance }) => instance)).toEqual([
    '<urn:uuid:1>',
    '<urn:uuid:2>',
  ]);
  await told(reginfo(2, 'partial', registration(BOB, contact('1', { state: 'terminated', event: 'deactivated' }))));
  expect(pf.server.registrations.clientsOf(BOB)).toHaveLength(1);
  await told(
    reginfo(
      3,
      'partial',
      registration(BOB, contact('2', { state: 'terminated', event: 'rejected' }), 'r1', 'terminated'),
    ),
  );
  expect(await statusOfCall()).toBe(480);
  expect(await pf.metric('registrations_watched')).toBe(1);
});

it('a version that is missing makes it ask for the whole state, in the same dialog', async () => {
  await start();
  await statusOfCall();
  await until('it subscribes', async () => core.subscribes.length === 1);
  await told(reginfo(0, 'full', registration(BOB, contact('1'))));
  core.full = () => reginfo(7, 'full', registration(BOB, contact('9')));
  expect((await core.notify(reginfo(5, 'partial', registration(BOB, contact('5'))))).status).toBe(200);
  await until(
    'the whole state has come',
    async () => pf.server.registrations.clientsOf(BOB)[0]?.instance === '<urn:uuid:9>',
  );
  expect(core.subscribes.map(({ cseq, toTag }) => [cseq?.number, toTag])).toEqual([
    [1, undefined],
    [2, 'core'],
  ]);
  expect(pf.server.regEvents?.counters).toMatchObject({ lost: 1 });
});

it('RFC 6665: it subscribes again before the end, and anew in another dialog where the notifier ends it', async () => {
  await start({ expires: 2 });
  await statusOfCall();
  await until('it has subscribed again', async () => core.subscribes.length >= 2);
  const call = core.subscribes[0]?.callId;
  expect(core.subscribes[1]?.callId).toBe(call);
  expect((await core.notify('', 'terminated;reason=deactivated')).status).toBe(200);
  await until('it has subscribed anew', async () => core.subscribes.at(-1)?.callId !== call);
  expect(core.subscribes.at(-1)?.toTag).toBeUndefined();
});

it('what is no reginfo is answered 400, another event 489, another dialog 481; nothing changes', async () => {
  await start();
  await statusOfCall();
  await until('it subscribes', async () => core.subscribes.length === 1);
  await told(reginfo(0, 'full', registration(BOB, contact('1'))));
  expect((await core.notify('<!DOCTYPE x><reginfo/>')).status).toBe(400);
  const none = reginfo(1, 'full', '');
  expect((await core.notify(none, 'active', { event: 'presence' })).status).toBe(489);
  expect((await core.notify(none, 'active', { tag: 'mallory' })).status).toBe(481);
  expect(pf.server.registrations.clientsOf(BOB)).toHaveLength(1);
  expect(pf.server.regEvents?.counters).toMatchObject({ malformed: 1, notified: 1 });
});

it('a core that refuses leaves everything to itself, and is asked again later', async () => {
  await start();
  core.status = 489;
  expect(await statusOfCall()).toBe(200);
  await until('it has heard', async () => pf.server.regEvents?.counters.ended === 1);
  expect(await statusOfCall()).toBe(200);
  expect(core.subscribes).toHaveLength(1);
});

it('registrations survive a restart, and are watched again', async () => {
  await start();
  await statusOfCall();
  await until('it subscribes', async () => core.subscribes.length === 1);
  await told(reginfo(0, 'full', registration(BOB, contact('1'))));
  await pf.close();
  await start();
  expect(pf.server.registrations.clientsOf(BOB)).toHaveLength(1);
  expect(pf.server.regEvents?.size).toBe(1);
  await until('it subscribes without a call', async () => core.subscribes.length === 1);
});
