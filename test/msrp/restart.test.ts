/** `kill -9` in the middle of a chat: the next process has the same paths on the same ports, and the chat goes on. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Setup } from '../../src/sdp/msrp-lines.ts';
import { type Chat, chat, hangUp } from '../support/chat.ts';
import { freePort, Scene } from '../support/processes.ts';
import { attach, type RunningServer, serve, until } from '../support/server.ts';
import { UdpPhone } from '../support/udp-phone.ts';

let scene: Scene;
let alice: UdpPhone;
let bob: UdpPhone;
let server: RunningServer;

beforeEach(async () => {
  scene = new Scene();
  const [sip, media] = [await freePort(), await freePort()];
  alice = await UdpPhone.open('alice', `127.0.0.1:${sip}`);
  bob = await UdpPhone.open('bob', `127.0.0.1:${sip}`);
  server = await serve(scene, {
    sip: { listen: [`udp:127.0.0.1:${sip}`], core: `sip:127.0.0.1:${bob.port};lr` },
    policy: { mediaPath: 'always', defaultAllowOfflineStorage: true },
    media: { ports: `${media}`, reconnectMs: 3000, openMs: 3000 },
    timers: { t1: 80 },
  });
});

afterEach(async () => {
  alice.close();
  bob.close();
  await scene.close();
});

async function restart(): Promise<void> {
  const gone = new Promise((resolve) => server.program.child.once('exit', resolve));
  server.program.child.kill('SIGKILL');
  await gone;
  server = await attach(scene, server.configFile);
}

it.each<['orig' | 'term', Setup | null, Setup | null]>([
  ['orig', 'actpass', 'active'],
  ['term', 'actpass', 'active'],
  ['orig', 'passive', 'passive'],
  ['term', null, null],
])('invariant 15, %s function, offer %s, answer %s: the chat goes on after the kill', async (role, offer, answer) => {
  const talking = await chat(alice, bob, { role, offer, answer });
  expect(await talking.alice.say('before')).toMatchObject({ status: 200 });
  const sessions = [talking.alice.session, talking.bob.session];
  await restart();
  expect(await server.counts('media_events_total')).toMatchObject({ allocated: 2, freed: 0 });
  // Whoever had connected connects again, on the path of before; where it was the function, it does so by itself.
  const toAlice = /a=setup:(\w+)/.exec(talking.toAlice)?.[1];
  if (toAlice !== 'active') talking.alice.connect(talking.toAlice);
  if (answer === 'active') talking.bob.connect(talking.toBob);
  await until('both are connected again', async () =>
    [talking.alice, talking.bob].every(({ session }) => session?.open === true && !sessions.includes(session)),
  );
  expect(await talking.alice.say('after')).toMatchObject({ status: 200 });
  expect(await talking.bob.say('after, too')).toMatchObject({ status: 200 });
  expect(talking.bob.arrived.map(({ text }) => text)).toEqual(['before', 'after']);
  await hangUp(talking, alice);
  await until(
    'nothing lives',
    async () => (await server.metric('media_bindings')) + (await server.metric('sessions')) === 0,
  );
  expect(await server.counts('media_events_total')).toMatchObject({ allocated: 2, freed: 2 });
});

it('twenty chats, each in another state of its messages: those that were answered are there, none twice', async () => {
  const chats: Chat[] = [];
  for (let at = 0; at < 20; at++) chats.push(await chat(alice, bob));
  const answered: string[][] = chats.map(() => []);
  let running = true;
  const talking = chats.map(async ({ alice: phone }, at) => {
    for (let count = 0; running; count++) {
      const { status } = await phone.say(`message ${count}`, { messageId: `id-${count}` });
      if (status === 200) answered[at]!.push(`message ${count}`);
      else return;
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  await restart();
  running = false;
  await Promise.all(talking);
  for (const [at, { bob: phone }] of chats.entries()) {
    const texts = phone.arrived.map(({ text }) => text);
    expect(answered[at]!.length).toBeGreaterThan(0);
    // A 200 says that the far end has it; what had none may have arrived or not.
    expect(texts.slice(0, answered[at]!.length)).toEqual(answered[at]);
    expect(new Set(texts).size).toBe(texts.length);
  }
  // Nobody comes back: the sessions end by themselves.
  await until('every session has ended', async () => (await server.metric('sessions')) === 0);
  expect(await server.counts('sessions_ended_total')).toMatchObject({ mediaFailure: 20 });
  for (const { alice: near, bob: far } of chats) await Promise.all([near.close(), far.close()]);
});

it('a session whose port is not heard on any more is ended, not left hanging', async () => {
  const talking = await chat(alice, bob);
  const gone = new Promise((resolve) => server.program.child.once('exit', resolve));
  server.program.child.kill('SIGKILL');
  await gone;
  const { readFileSync, writeFileSync } = await import('node:fs');
  const text = readFileSync(server.configFile, 'utf8');
  writeFileSync(server.configFile, text.replace(/ports: "?\d+"?/, `ports: "${await freePort()}"`));
  server = await attach(scene, server.configFile);
  await until(
    'both have a BYE',
    async () => alice.heard(talking.near).includes('BYE') && bob.heard(talking.far).includes('BYE'),
  );
  expect(await server.counts('sessions_ended_total')).toMatchObject({ mediaFailure: 1 });
  await Promise.all([talking.alice.close(), talking.bob.close()]);
});
