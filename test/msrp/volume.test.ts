/**
 * Much at a time, through the program as its users run it: byte by byte the same, in bounded memory, and nobody waits
 * for somebody else's slow reader.
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Chat, chat, hangUp } from '../support/chat.ts';
import { contentOf, generated } from '../support/msrp-phone.ts';
import { Scene } from '../support/processes.ts';
import { type RunningServer, serve, until } from '../support/server.ts';
import { UdpPhone } from '../support/udp-phone.ts';

// Memory is looked at from outside, and how much of it waits for a collection hangs on what else the machine does.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

const MB = 1_048_576;

let scene: Scene;
let server: RunningServer;
let caller: UdpPhone;
let callee: UdpPhone;

beforeEach(async () => {
  scene = new Scene();
  callee = await UdpPhone.open('bob', '127.0.0.1:9');
  server = await serve(scene, {
    sip: { core: `sip:127.0.0.1:${callee.port};lr`, overload: { maxLagMs: 60_000 } },
    policy: { mediaPath: 'always' },
    media: { ports: '0', openMs: 6000 },
  });
  callee.peer.pf = `127.0.0.1:${server.ports.udp}`;
  caller = await UdpPhone.open('alice', callee.peer.pf);
  // What the first of all messages costs once is not what a message costs.
  const first = await chat(caller, callee);
  await first.alice.live.send(generated(10 * MB, 9).content);
  await over([first]);
});

afterEach(async () => {
  caller.close();
  callee.close();
  await scene.close();
});

/** Resident memory of the server, MB. */
function residentMb(): number {
  const status = readFileSync(`/proc/${server.program.child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

/** Most memory the server had above its level before, MB, while the work is done. */
async function extraMemory(work: () => Promise<void>): Promise<number> {
  const before = residentMb();
  let most = before;
  const looking = setInterval(() => {
    most = Math.max(most, residentMb());
  }, 20);
  await work();
  clearInterval(looking);
  return Math.max(most, residentMb()) - before;
}

const linux = process.platform === 'linux';

async function over(chats: readonly Chat[]): Promise<void> {
  await Promise.all(chats.map((talking) => hangUp(talking, caller)));
  await until('no session lives', async () => (await server.metric('sessions')) === 0);
  await until('no binding lives', async () => (await server.metric('media_bindings')) === 0);
  await until('no connection is open', async () => (await server.metric('media_connections')) === 0);
}

describe.each(['orig', 'term'] as const)('through the %s function', (role) => {
  it('a message of 100 MB in one chunk arrives as it was sent, and is never held', async () => {
    const talking = await chat(caller, callee, { role });
    const { content, sha } = generated(100 * MB, 1);
    const extra = await extraMemory(async () => {
      const sent = await talking.alice.live.send({ ...wholeIn(content, 100 * MB), successReport: true });
      expect(sent).toMatchObject({ status: 200, report: 200 });
    });
    expect((await talking.bob.messages(1))[0]).toMatchObject({ size: 100 * MB, sha, flag: '$' });
    if (linux) expect(extra).toBeLessThan(64);
    await over([talking]);
  });

  it('10 000 small messages arrive as they were sent, in their order', async () => {
    const talking = await chat(caller, callee, { role });
    const sends = [];
    for (let at = 0; at < 10_000; at++) sends.push(talking.alice.say(`message ${at} ${'x'.repeat(at % 300)}`));
    const deliveries = await Promise.all(sends);
    expect(deliveries.every(({ status }) => status === 200)).toBe(true);
    const arrived = await talking.bob.messages(10_000);
    arrived.forEach(({ text }, at) => {
      if (text !== `message ${at} ${'x'.repeat(at % 300)}`) throw new Error(`message ${at} is ${text}`);
    });
    await over([talking]);
  });
});

/** Sent as one chunk, however large. */
function wholeIn<T extends { readonly read: (at: number, length: number) => Buffer }>(content: T, size: number) {
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0; at < size; ) {
    const part = content.read(at, 65_536);
    part.copy(bytes, at);
    at += part.length;
  }
  return { ...content, chunkBytes: size, read: (at: number, length: number) => bytes.subarray(at, at + length) };
}

it('100 large transfers at a time, both ways, take less than 64 MB more', async () => {
  const chats: Chat[] = [];
  for (let at = 0; at < 100; at++) chats.push(await chat(caller, callee));
  const size = 3 * MB;
  const expected: string[] = [];
  const extra = await extraMemory(async () => {
    const sends = chats.map(({ alice, bob }, at) => {
      const { content, sha } = generated(size, at);
      expected.push(sha);
      return (at % 2 === 0 ? alice : bob).live.send({ ...content, chunkBytes: 32_768 });
    });
    for (const { status } of await Promise.all(sends)) expect(status).toBe(200);
  });
  for (const [at, { alice, bob }] of chats.entries()) {
    expect((await (at % 2 === 0 ? bob : alice).messages(1))[0]).toMatchObject({ size, sha: expected[at] });
  }
  process.stdout.write(`100 transfers of ${size / MB} MB: ${extra.toFixed(1)} MB extra\n`);
  if (linux) expect(extra).toBeLessThan(64);
  await over(chats);
}, 60_000);

it('a slow reader slows its own sender, and nobody else', async () => {
  const slow = await chat(caller, callee);
  const quick = await chat(caller, callee);
  slow.bob.live.pause();
  const { content, sha } = generated(48 * MB, 7);
  let delivered = false;
  const extra = await extraMemory(async () => {
    void slow.alice.live.send({ ...content, chunkBytes: 65_536, failureReport: 'no' }).then(() => {
      delivered = true;
    });
    // Meanwhile others talk as if nothing were.
    for (let at = 0; at < 200; at++) expect(await quick.alice.say(`message ${at}`)).toMatchObject({ status: 200 });
    const large = generated(20 * MB, 9);
    expect(await quick.bob.live.send({ ...large.content, chunkBytes: 65_536 })).toMatchObject({ status: 200 });
  });
  expect(delivered).toBe(false);
  expect(slow.bob.received).toBe(0);
  if (linux) expect(extra).toBeLessThan(32);
  slow.bob.live.resume();
  expect((await slow.bob.messages(1))[0]).toMatchObject({ size: 48 * MB, sha });
  await over([slow, quick]);
}, 60_000);

it('a message of 20 MB and small ones beside it arrive over the same two connections', async () => {
  const talking = await chat(caller, callee);
  const { content, sha } = generated(20 * MB, 3);
  const large = talking.alice.live.send({ ...content, chunkBytes: 10_000, messageId: 'large' });
  const small = [];
  for (let at = 0; at < 100; at++) small.push(talking.alice.live.send(contentOf(Buffer.from(`small ${at}`))));
  for (const { status } of await Promise.all([large, ...small])) expect(status).toBe(200);
  expect((await talking.bob.messages(101)).find(({ id }) => id === 'large')).toMatchObject({ sha });
  await over([talking]);
});

it('10 000 open connections: all are taken, a chat goes on beside them, and all are gone in time', async () => {
  const talking = await chat(caller, callee);
  // One descriptor each on either side; what the system does not give can't be tried.
  const many = Math.min(10_000, Math.floor(openFilesLimit() * 0.8));
  const port = Number(/m=message (\d+)/.exec(talking.toAlice)?.[1]);
  const sockets: Socket[] = [];
  let open = 0;
  for (let at = 0; at < many; at += 500) {
    const batch = Array.from({ length: Math.min(500, many - at) }, () => connect(port, '127.0.0.1'));
    sockets.push(...batch);
    open += (await Promise.all(batch.map(opened))).filter(Boolean).length;
  }
  expect(open).toBe(many);
  expect(await server.metric('media_connections')).toBeGreaterThan(many / 2);
  expect(await talking.alice.say('among many')).toMatchObject({ status: 200 });
  await until('all but the two are closed', async () => (await server.metric('media_connections')) === 2, 30_000);
  for (const socket of sockets) socket.destroy();
  process.stdout.write(`${many} connections\n`);
  await over([talking]);
}, 60_000);

function opened(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.on('error', () => resolve(false));
    socket.once('connect', () => resolve(true));
  });
}

function openFilesLimit(): number {
  const { userLimits } = process.report.getReport() as unknown as {
    userLimits: { open_files: { soft: number | string } };
  };
  const { soft } = userLimits.open_files;
  return typeof soft === 'number' ? soft : Number.POSITIVE_INFINITY;
}
