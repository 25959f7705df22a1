/**
 * Participants of a group session from the conference events of its focus (RFC 4575, RFC 4579): from NOTIFYs that pass to
 * the client, and from a subscription of the function's own; what of it the Group State Object says.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type Chat, chat, hangUp } from '../support/chat.ts';
import { conferenceInfo, type State, user } from '../support/conference-info.ts';
import { cpim } from '../support/cpim.ts';
import { type Hosted, host } from '../support/hosted.ts';
import { Scene } from '../support/processes.ts';
import { RegNotifier } from '../support/reg-notifier.ts';
import { until } from '../support/server.ts';

const ALICE = 'sip:alice@home.example';
const CAROL = 'sip:carol@elsewhere.example';
const DAVE = 'sip:dave@elsewhere.example';
const GROUP = ['P-Asserted-Service', 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.session.group'] as const;

let scene: Scene;
let hosted: Hosted;
let talking: Chat;

beforeEach(() => {
  scene = new Scene();
});

afterEach(async () => {
  await Promise.all([talking.alice.close(), talking.bob.close()]);
  await hosted.close();
  await scene.close();
});

async function start(conferenceEvents: string): Promise<void> {
  hosted = await host(
    scene,
    {
      policy: { mediaPath: 'always' },
      media: { ports: '0' },
      recording: { spool: join(scene.folder, 'spool'), conferenceEvents },
    },
    { users: { [ALICE]: { preferences: { allowOfflineStorage: true } } } },
  );
}

async function talk(headers: readonly (readonly [string, string])[] = [GROUP]): Promise<void> {
  talking = await chat(hosted.alice, hosted.bob, { headers });
}

/** Bob, as the focus, tells Alice in the dialog of the session; what she answered. */
async function tell(version: number, state: State, users: string): Promise<number> {
  const body = conferenceInfo(version, state, users, state);
  return (await hosted.bob.request(talking.far, 'NOTIFY', notify(body))).status;
}

const notify = (body: string) => ({
  headers: [
    ['Event', 'conference'],
    ['Subscription-State', 'active;expires=3600'],
  ] as const,
  body,
  type: 'application/conference-info+xml',
});

/** Addresses in the Group State, once the session is over. */
async function groupState(): Promise<string[]> {
  await hangUp(talking, hosted.alice);
  await until('the outbox is empty', async () => hosted.server.cpm.outbox?.depth === 0);
  const { history } = hosted.server;
  const content = await new Promise<string>((resolve) =>
    history?.folders(ALICE, (_error, folders) =>
      history.objects(folders![0]!, (_failed, objects) => resolve(objects?.at(-1)?.content ?? '')),
    ),
  );
  expect(content).toContain('<groupstate');
  return [...content.matchAll(/comm-addr="([^"]*)"/g)].map(([, address]) => address ?? '');
}

it('NOTIFYs of the focus pass to the client unchanged; who is there when the session ends is in its Group State', async () => {
  await start('passing');
  await talk();
  expect(await tell(1, 'full', user(CAROL, 'Carol') + user(DAVE, 'Dave'))).toBe(200);
  const passed = hosted.alice.peer.received.find(
    (message) => message.kind === 'request' && message.method === 'NOTIFY',
  );
  expect(passed?.header('content-type')).toBe('application/conference-info+xml');
  expect(Buffer.from(passed!.body).toString()).toContain(CAROL);
  expect(await tell(2, 'partial', user('sip:erin@x.example', 'Erin'))).toBe(200);
  expect(await tell(3, 'partial', user(DAVE, '', '', 'deleted'))).toBe(200);
  // Who has left is not there, though he has spoken.
  await talking.bob.say(cpim('bye', { from: `Dave <${DAVE}>` }));
  const participants = await groupState();
  expect(participants).toEqual(expect.arrayContaining([CAROL, 'sip:erin@x.example']));
  expect(participants).not.toContain(DAVE);
});

it('what can not be read passes to the client all the same, and changes nothing', async () => {
  await start('passing');
  await talk();
  expect(await tell(1, 'full', user(CAROL, 'Carol'))).toBe(200);
  const hostile = `<!DOCTYPE x [<!ENTITY a "b">]>${conferenceInfo(2, 'full', user(DAVE, '&a;'))}`;
  expect((await hosted.bob.request(talking.far, 'NOTIFY', notify(hostile))).status).toBe(200);
  expect(hosted.log.some(({ msg }) => msg === 'a conference event can not be read')).toBe(true);
  const participants = await groupState();
  expect(participants).toContain(CAROL);
  expect(participants).not.toContain(DAVE);
});

it('the client can not say who is there', async () => {
  await start('passing');
  await talk();
  expect(
    (await hosted.alice.request(talking.near, 'NOTIFY', notify(conferenceInfo(1, 'full', user(CAROL, 'C'))))).status,
  ).toBe(200);
  expect(await groupState()).not.toContain(CAROL);
});

it('switched off, only who speaks is known', async () => {
  await start('off');
  await talk();
  expect(await tell(1, 'full', user(CAROL, 'Carol'))).toBe(200);
  await talking.bob.say(cpim('one', { from: `Dave <${DAVE}>` }));
  const participants = await groupState();
  expect(participants).toContain(DAVE);
  expect(participants).not.toContain(CAROL);
});

it('RFC 4575 3: where it subscribes itself, the focus is asked once for each recorded group session, until its end', async () => {
  await start('subscribe');
  const focus = new RegNotifier(hosted.bob);
  await talk();
  await until('it subscribes', async () => focus.subscribes.length === 1);
  const [subscribe] = focus.subscribes;
  expect(subscribe?.uri).toBe(talking.far.peer.uri);
  expect(['event', 'accept'].map((name) => subscribe?.header(name as 'event'))).toEqual([
    'conference',
    'application/conference-info+xml',
  ]);
  const told = { event: 'conference' };
  expect((await focus.notify(conferenceInfo(1, 'full', user(CAROL, 'Carol')), undefined, told)).status).toBe(200);
  expect((await focus.notify('<nonsense/>', undefined, told)).status).toBe(400);
  expect(await groupState()).toContain(CAROL);
  // Nobody hears any more: the focus learns so (RFC 6665 4.2.2).
  expect((await focus.notify(conferenceInfo(2, 'full', ''), undefined, told)).status).toBe(481);
});

it('a focus that refuses the subscription is left alone, and the session goes on', async () => {
  await start('subscribe');
  const focus = new RegNotifier(hosted.bob);
  focus.status = 489;
  await talk();
  await until('it is asked', async () => focus.subscribes.length === 1);
  await talking.bob.say(cpim('one', { from: `Dave <${DAVE}>` }));
  expect(await groupState()).toContain(DAVE);
  expect(focus.subscribes).toHaveLength(1);
});
