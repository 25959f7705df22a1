/**
 * Chats that are recorded while they go on, through a real server on loopback sockets: each CPIM message becomes one
 * object in the folder of its session (digest 3.3), between the Session Info and the Group State Object.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { StoredObject } from '../../src/history/driver.ts';
import { type Chat, type ChatOptions, chat, hangUp } from '../support/chat.ts';
import { cpim } from '../support/cpim.ts';
import { type Hosted, host } from '../support/hosted.ts';
import { generated } from '../support/msrp-phone.ts';
import { Scene } from '../support/processes.ts';
import { until } from '../support/server.ts';

const ALICE = 'sip:alice@home.example';
const BOB = 'sip:bob@home.example';

let scene: Scene;
let hosted: Hosted;
let open: Chat[];

beforeEach(() => {
  scene = new Scene();
  open = [];
});

afterEach(async () => {
  for (const { alice, bob } of open) await Promise.all([alice.close(), bob.close()]);
  await hosted.close();
  await scene.close();
});

async function start(recording: Record<string, unknown> = {}, allowOfflineStorage = true): Promise<void> {
  const kept = { preferences: { allowOfflineStorage } };
  hosted = await host(
    scene,
    {
      policy: { mediaPath: 'always' },
      media: { ports: '0', reconnectMs: 500 },
      recording: { spool: join(scene.folder, 'spool'), ...recording },
    },
    { users: { [ALICE]: kept, [BOB]: kept } },
  );
}

async function talk(options: ChatOptions = {}): Promise<Chat> {
  const made = await chat(hosted.alice, hosted.bob, options);
  open.push(made);
  return made;
}

/** What is in the only folder of a user. */
async function folder(user: string): Promise<readonly StoredObject[]> {
  await until('the outbox is empty', async () => hosted.server.cpm.outbox?.depth === 0);
  const { history } = hosted.server;
  const folders = await new Promise<readonly { conversationId: string; contributionId: string; user: string }[]>(
    (resolve) => history?.folders(user, (_error, found) => resolve(found ?? [])),
  );
  expect(folders).toHaveLength(1);
  return new Promise((resolve) => history?.objects(folders[0]!, (_error, found) => resolve(found ?? [])));
}

const header = (content: string, name: string): string | undefined =>
  new RegExp(`^${name}: (.*)$`, 'im').exec(content.slice(0, content.indexOf('\r\n\r\n')))?.[1]?.trim();
const body = (content: string): string => content.slice(content.indexOf('\r\n\r\n') + 4);
const types = (objects: readonly StoredObject[]) => objects.map(({ content }) => header(content, 'Content-Type'));

describe.each([
  ['orig', ALICE, 'out', 'in'],
  ['term', BOB, 'in', 'out'],
] as const)('a recorded chat in the %s function', (role, user, fromAlice, fromBob) => {
  it('each message is one object with its headers, in order, between Session Info and Group State', async () => {
    await start();
    const talking = await talk({ role });
    const { alice, bob } = talking;
    const hi = cpim('Hi Bob \xc3\xa9', { id: 'm-1' });
    const answer = cpim('Hi Alice', { from: `Bob <${BOB}>`, to: `Alice <${ALICE}>`, id: 'm-2' });
    expect(await alice.say(hi, { messageId: 'msrp1' })).toMatchObject({ status: 200 });
    expect(await bob.say(answer, { messageId: 'msrp2' })).toMatchObject({ status: 200 });
    await hangUp(talking, hosted.alice);
    await until('the session is over', async () => hosted.server.cpm.engine.sessions.size === 0);
    const objects = await folder(user);
    expect(types(objects)).toEqual([
      'Application/X-CPM-Session',
      'message/cpim',
      'message/cpim',
      'Application/group-state-object+xml',
    ]);
    const [, first, second] = objects.map(({ content }) => content);
    expect(body(first!)).toBe(hi);
    expect(body(second!)).toBe(answer);
    expect(header(first!, 'From')).toBe(`Alice <${ALICE}>`);
    expect(header(first!, 'To')).toBe(`Bob <${BOB}>`);
    expect(header(first!, 'IMDN-Message-ID')).toBe('m-1');
    expect(header(first!, 'Message-Direction')).toBe(fromAlice);
    expect(header(second!, 'Message-Direction')).toBe(fromBob);
    expect(header(second!, 'From')).toBe(`Bob <${BOB}>`);
    expect(header(first!, 'Contribution-ID')).toBe(header(objects[0]!.content, 'Contribution-ID'));
    expect(header(first!, 'P-Asserted-Service')).toBe(header(objects[0]!.content, 'P-Asserted-Service'));
  });
});

describe('what is recorded', () => {
  it('isComposing is left out, delivery notifications are kept', async () => {
    await start();
    const { alice, bob } = await talk();
    await alice.say(cpim('<isComposing/>', { type: 'application/im-iscomposing+xml' }));
    await alice.say('<isComposing/>', { contentType: 'application/im-iscomposing+xml' });
    await alice.say(cpim('hello'));
    await bob.say(cpim('<imdn/>', { type: 'message/imdn+xml' }));
    expect(types(await folder(ALICE))).toEqual(['Application/X-CPM-Session', 'message/cpim', 'message/cpim']);
    expect(hosted.server.recorder?.counters).toMatchObject({ recorded: 2, leftOut: 2 });
    expect(await hosted.metric('recorder_left_out_total')).toBe(2);
  });

  it('recording.notifications: false leaves notifications out', async () => {
    await start({ notifications: false });
    const { alice, bob } = await talk();
    await alice.say(cpim('hello'));
    await bob.say(cpim('<imdn/>', { type: 'message/imdn+xml' }));
    expect(types(await folder(ALICE))).toEqual(['Application/X-CPM-Session', 'message/cpim']);
  });

  it('a user who does not want it is not recorded', async () => {
    await start({}, false);
    const { alice, bob } = await talk();
    expect(await alice.say(cpim('hello'))).toMatchObject({ status: 200 });
    await bob.messages(1);
    expect(hosted.server.recorder?.counters).toMatchObject({ recorded: 0, leftOut: 0 });
    expect(hosted.server.cpm.outbox?.depth).toBe(0);
  });

  it('a message in many chunks is one object; a long one waits in the spool, which is empty afterwards', async () => {
    await start({ memoryBytes: 4096 });
    const { alice } = await talk();
    const text = cpim('x'.repeat(300_000));
    expect(await alice.say(text, { messageId: 'long1' })).toMatchObject({ status: 200 });
    expect(await alice.say(cpim('short'), { messageId: 'short1' })).toMatchObject({ status: 200 });
    const objects = await folder(ALICE);
    expect(objects).toHaveLength(3);
    expect(body(objects[1]!.content)).toBe(text);
    expect(header(objects[1]!.content, 'Content-Transfer-Encoding')).toBe('binary');
    expect(body(objects[2]!.content)).toBe(cpim('short'));
    expect(hosted.server.recorder?.counters).toMatchObject({ recorded: 2, spooled: 1 });
    await until('the spool is empty', async () => readdirSync(join(scene.folder, 'spool')).length === 0);
  });

  it('a message that is given up half-way leaves nothing behind', async () => {
    await start({ memoryBytes: 4096 });
    const talking = await talk();
    const { content } = generated(50_000_000, 7);
    void talking.alice.live.send(content).catch(() => {});
    await until('some of it has come', async () => talking.bob.received > 100_000);
    await talking.alice.close();
    await until('it is given up', async () => hosted.server.recorder?.counters.abandoned === 1);
    expect(types(await folder(ALICE))).not.toContain('message/cpim');
    await until('the spool is empty', async () => readdirSync(join(scene.folder, 'spool')).length === 0);
  });

  it('a group session has all who spoke in its Group State', async () => {
    await start();
    const talking = await talk({
      headers: [['P-Asserted-Service', 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.session.group']],
    });
    await talking.bob.say(cpim('one', { from: 'Carol <sip:carol@elsewhere.example>' }));
    await talking.bob.say(cpim('two', { from: 'Dave <sip:dave@elsewhere.example>' }));
    await talking.bob.say(cpim('three', { from: 'Carol <sip:carol@elsewhere.example>' }));
    await hangUp(talking, hosted.alice);
    const objects = await folder(ALICE);
    const state = body(objects.at(-1)!.content);
    expect(state.match(/comm-addr="sip:carol@elsewhere.example"/g)).toHaveLength(1);
    expect(state).toContain('<participant name="Dave" comm-addr="sip:dave@elsewhere.example"/>');
  });
});

describe('when the sender hears', () => {
  it('the 200 comes when the message is in the outbox, durable', async () => {
    await start();
    const { alice } = await talk();
    const { sessions } = hosted.server;
    const intents: string[][] = [];
    const commit = sessions.commit.bind(sessions);
    let answered = false;
    sessions.commit = (batch, done) => {
      if (batch.intents.length > 0) intents.push([...batch.intents.map(({ kind }) => kind), String(answered)]);
      commit(batch, done);
    };
    await alice.say(cpim('hello'));
    answered = true;
    expect(intents).toEqual([['message', 'false']]);
  });
});

describe('when something fails', () => {
  it('without a disk for the spool the chat goes on, and it can be seen that a message is missing', async () => {
    await start({ memoryBytes: 4096, spool: '/dev/null/spool' });
    const { alice, bob } = await talk();
    expect(await alice.say(cpim('x'.repeat(10_000)))).toMatchObject({ status: 200 });
    await bob.messages(1);
    expect(await hosted.metric('recorder_lost_total')).toBe(1);
    const [session] = hosted.server.cpm.engine.sessions.values();
    expect(session?.regions.recording).toBe('degraded');
    await alice.say(cpim('short'));
    await until('the store works again', async () => session?.regions.recording === 'live');
    expect(existsSync('/dev/null/spool')).toBe(false);
  });
});
