/**
 * Chats through a real server, on loopback sockets: SIP by UDP, MSRP by TCP. The function is a B2BUA of the media plane
 * (digest 3.1, 3.7): what one phone sends reaches the other byte by byte, and each has a path of its own.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Setup } from '../../src/sdp/msrp-lines.ts';
import type { SipRequest } from '../../src/sip/message/message.ts';
import { bodyOf } from '../../src/testing/index.ts';
import { type Chat, type ChatOptions, chat, hangUp } from '../support/chat.ts';
import { type Hosted, host } from '../support/hosted.ts';
import { contentOf, shaOf } from '../support/msrp-phone.ts';
import { Scene } from '../support/processes.ts';
import { until } from '../support/server.ts';

let scene: Scene;
let hosted: Hosted;
let open: Chat[];

beforeEach(async () => {
  scene = new Scene();
  open = [];
});

afterEach(async () => {
  for (const { alice, bob } of open) await Promise.all([alice.close(), bob.close()]);
  await hosted.close();
  await scene.close();
});

async function start(media: Record<string, unknown> = {}, rest: Record<string, unknown> = {}): Promise<void> {
  hosted = await host(scene, { policy: { mediaPath: 'always' }, media: { ports: '0', ...media }, ...rest });
}

async function talk(options: ChatOptions = {}): Promise<Chat> {
  const made = await chat(hosted.alice, hosted.bob, options);
  open.push(made);
  return made;
}

const relay = () => hosted.server.media!.relay;

async function nothingLeft(): Promise<void> {
  await until('no binding lives', async () => relay().bindings === 0);
  await until('no connection is open', async () => relay().connections === 0);
  expect(relay().counters.freed).toBe(relay().counters.allocated);
}

describe.each(['orig', 'term'] as const)('a chat through the %s function', (role) => {
  it('messages pass both ways byte by byte, with their headers; reports come back', async () => {
    await start();
    const talking = await talk({ role });
    const { alice, bob } = talking;
    const text = 'From: <sip:alice@home.example>\r\n\r\nHi Bob \xc3\xa9\r\n-------end$\r\n';
    const sent = await alice.say(text, { successReport: true, lines: 'X-Unknown: \xc3\xa9 kept\r\n', messageId: 'm1' });
    expect(sent).toEqual({ messageId: 'm1', status: 200, report: 200 });
    const [message] = await bob.messages(1);
    expect(message).toMatchObject({ id: 'm1', text, contentType: 'message/cpim', flag: '$' });
    expect(message!.lines).toContain('X-Unknown: \xc3\xa9 kept\r\n');
    expect(await bob.say('Hi Alice', { successReport: true })).toMatchObject({ status: 200, report: 200 });
    expect((await alice.messages(1))[0]).toMatchObject({ text: 'Hi Alice' });
    expect(relay().counters).toMatchObject({ messages: 2, reports: 2, allocated: 2, freed: 0 });
    await hangUp(talking, hosted.alice);
    await nothingLeft();
  });
});

describe('descriptions', () => {
  it('A-09: each side gets a path, a port and an address of the function, and none of the other side', async () => {
    await start();
    const { toAlice, toBob, alice, bob } = await talk({
      attributes: ['a=max-size:5000000000', 'a=file-selector:name:"x"'],
    });
    const port = hosted.server.media!.network.ports[0];
    for (const [told, own, other] of [
      [toAlice, alice, bob],
      [toBob, bob, alice],
    ] as const) {
      expect(told).toContain(`m=message ${port} TCP/MSRP *`);
      expect(told).toMatch(new RegExp(`a=path:msrp://127\\.0\\.0\\.1:${port}/[\\w-]{20};tcp`));
      expect(told).not.toContain(own.uri);
      expect(told).not.toContain(other.uri);
      expect(told.match(/^a=path/gm)).toHaveLength(1);
      // What the media say of themselves passes; the size is cut to what passes here.
      expect(told).toContain('a=accept-types:message/cpim\r\na=accept-wrapped-types:*');
      expect(told).toContain('a=file-selector:name:"x"');
      expect(told).toContain('a=max-size:1073741824\r\n');
    }
    expect(/a=path:(\S+)/.exec(toAlice)?.[1]).not.toBe(/a=path:(\S+)/.exec(toBob)?.[1]);
  });

  it.each<[Setup | null, Setup | null, Setup | null, string, string]>([
    // offer, what Alice is told, answer, who connects to Alice's side, to Bob's side
    ['actpass', 'passive', 'active', 'peer', 'peer'],
    ['active', 'passive', 'passive', 'peer', 'us'],
    ['passive', 'active', 'passive', 'us', 'us'],
    // RFC 4975 8.5: where nothing is said, the offerer connects.
    [null, null, null, 'peer', 'us'],
  ])(
    'RFC 6135: an offer with setup %s is answered %s; with an answer of %s the chat is connected',
    async (offer, told, answer, toAlice, toBob) => {
      await start();
      const talking = await talk({ offer, answer });
      expect(/a=setup:(\w+)/.exec(talking.toAlice)?.[1] ?? null).toBe(told);
      expect(talking.toBob).toContain('a=setup:actpass');
      expect(
        relay()
          .bindingsOf(relaySession())
          .map(({ key, active }) => [key.leg, active ? 'us' : 'peer']),
      ).toEqual([
        ['b', toBob],
        ['a', toAlice],
      ]);
      expect(await talking.alice.say('one')).toMatchObject({ status: 200 });
      expect(await talking.bob.say('two')).toMatchObject({ status: 200 });
    },
  );

  it('RFC 6714: where CEMA is offered, the address of the m-line counts, and only the session-id of the path', async () => {
    await start();
    const talking = await talk({ answer: 'passive', attributes: ['a=msrp-cema'] });
    for (const told of [talking.toAlice, talking.toBob]) expect(told).toContain('a=msrp-cema\r\n');
    expect(await talking.alice.say('one')).toMatchObject({ status: 200 });
    const plain = await talk({});
    for (const told of [plain.toAlice, plain.toBob]) expect(told).not.toContain('msrp-cema');
  });

  it('a stream that is not MSRP passes untouched, beside one that is relayed', async () => {
    await start();
    const audio = ['m=audio 4000 RTP/AVP 0', 'c=IN IP4 10.9.9.9', 'a=sendrecv'];
    const { toBob, alice } = await talk({ attributes: audio });
    expect(toBob).toContain(audio.join('\r\n'));
    // The session's own address still stands for the audio.
    expect(toBob).toContain('c=IN IP4 127.0.0.1\r\nt=0 0');
    expect(await alice.say('one')).toMatchObject({ status: 200 });
  });

  it('RFC 3264 8: a re-INVITE keeps the paths, and the chat goes on beside it', async () => {
    await start();
    const { near, far, alice, bob, toAlice, toBob } = await talk();
    hosted.bob.answers = (request) => request.method !== 'INVITE';
    const changed = alice.sdp('active', ['a=sendonly']).replace('o=alice 1 1', 'o=alice 1 2');
    const answered = hosted.alice.request(near, 'INVITE', { sdp: changed });
    await until('it reaches the callee', async () =>
      hosted.bob.peer.received.some((m) => m.kind === 'request' && m.method === 'INVITE' && m.toTag !== undefined),
    );
    const reinvite = hosted.bob.peer.received.findLast(
      (m) => m.kind === 'request' && m.method === 'INVITE',
    ) as SipRequest;
    const pathIn = (sdp: string) => /a=path:(\S+)/.exec(sdp)?.[1];
    expect(pathIn(bodyOf(reinvite))).toBe(pathIn(toBob));
    expect(bodyOf(reinvite)).toContain('a=sendonly');
    far.respond(200, { to: reinvite, sdp: bob.sdp('active', ['a=recvonly']) });
    expect(pathIn(bodyOf(await answered))).toBe(pathIn(toAlice));
    expect(await alice.say('still here')).toMatchObject({ status: 200 });
    expect(relay().counters).toMatchObject({ allocated: 2, freed: 0 });
  });

  it('invariant 5: a proxy owns no media, and descriptions stay as they are', async () => {
    await start({}, { policy: { mediaPath: 'never' } });
    const talking = await talk({ connect: false });
    expect(talking.toBob).toContain(`a=path:${talking.alice.uri}`);
    expect(talking.toAlice).toContain(`a=path:${talking.bob.uri}`);
    expect(relay().counters.allocated).toBe(0);
  });

  it('without a media section nothing is relayed', async () => {
    hosted = await host(scene, { policy: { mediaPath: 'always' } });
    const talking = await talk({ connect: false });
    expect(talking.toBob).toContain(`a=path:${talking.alice.uri}`);
    expect(hosted.server.media).toBeUndefined();
  });

  it('a range of ports: sessions are spread over it, and share ports where there are more of them', async () => {
    await start({ ports: '23100-23103' });
    const chats = [];
    for (let at = 0; at < 6; at++) chats.push(await talk());
    const ports = new Set(
      chats.flatMap(({ toAlice, toBob }) => [toAlice, toBob].map((sdp) => /m=message (\d+)/.exec(sdp)?.[1])),
    );
    expect(ports.size).toBeGreaterThan(1);
    for (const { alice, bob } of chats) {
      expect(await alice.say('one')).toMatchObject({ status: 200 });
      expect(await bob.say('two')).toMatchObject({ status: 200 });
    }
  });
});

const relaySession = (): string => [...hosted.server.cpm.engine.sessions.keys()][0] ?? '';

describe('answers', () => {
  it.each([413, 415, 403, 481])('a %i of the far end is what the sender gets', async (status) => {
    await start();
    const { alice, bob } = await talk();
    bob.answerTo = () => status;
    expect(await alice.say('x')).toMatchObject({ status });
    bob.answerTo = () => 200;
    expect(await alice.say('y')).toMatchObject({ status: 200 });
  });

  it('RFC 4975 10.5: a 413 to the first of many chunks reaches the sender, and the rest is not passed on', async () => {
    await start();
    const { alice, bob } = await talk();
    bob.answerTo = () => 413;
    const body = Buffer.alloc(4_000_000, 'x');
    expect(await alice.live.send({ ...contentOf(body), chunkBytes: 100_000 })).toMatchObject({ status: 413 });
    expect(bob.received).toBe(0);
  });

  it('RFC 4975 7.1.1: Failure-Report no is answered by nobody, partial only with errors', async () => {
    await start();
    const { alice, bob } = await talk();
    expect(await alice.say('x', { failureReport: 'no' })).toMatchObject({ status: 0 });
    expect(await alice.say('y', { failureReport: 'partial', successReport: true })).toMatchObject({ report: 200 });
    await bob.messages(2);
    expect(bob.arrived.map(({ text }) => text)).toEqual(['x', 'y']);
  });

  it('a far end that never answers is a 408 after the time a response has', async () => {
    await start({ responseMs: 200 });
    const { alice, bob } = await talk();
    bob.pauseAnswers();
    expect(await alice.say('x')).toMatchObject({ status: 408 });
  });
});

describe('chunks', () => {
  it('RFC 4975 5.1: messages in chunks of both sides interleave, and each arrives whole', async () => {
    await start();
    const { alice, bob } = await talk();
    const bodies = [1, 2, 3, 4, 5, 6].map((seed) => Buffer.alloc(30_000 + seed * 7919, String(seed)));
    const sends = bodies.flatMap((body, at) =>
      [alice, bob].map((phone) =>
        phone.live.send({ ...contentOf(body), messageId: `${phone.name}-${at}`, chunkBytes: 1500 + at * 97 }),
      ),
    );
    for (const delivery of await Promise.all(sends)) expect(delivery.status).toBe(200);
    for (const phone of [alice, bob]) {
      const arrived = await phone.messages(bodies.length);
      const other = phone === alice ? 'bob' : 'alice';
      for (const [at, body] of bodies.entries()) {
        expect(arrived.find(({ id }) => id === `${other}-${at}`)).toMatchObject({
          size: body.length,
          sha: shaOf(body),
        });
      }
    }
  });

  it('a chunk of 60 MB is interrupted for an answer that has to go the same way, and goes on behind it', async () => {
    await start();
    const { alice, bob } = await talk();
    const body = Buffer.alloc(60_000_000, 'abcdefgh');
    const large = alice.live.send({ ...contentOf(body), chunkBytes: body.length });
    // What Bob asks the function itself is answered over the connection that carries the large chunk.
    await until('the chunk is under way', async () => bob.received > 0);
    for (let at = 0; at < 20; at++) {
      bob.live.hello();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await large).toMatchObject({ status: 200 });
    expect((await bob.messages(1))[0]).toMatchObject({ size: body.length, sha: shaOf(body), flag: '$' });
    expect(bob.continued).toBeGreaterThan(0);
  });
});

describe('connections', () => {
  it('a connection that is lost and comes back carries on; the session lives', async () => {
    await start({ reconnectMs: 5000 });
    const talking = await talk();
    const { alice, bob, toBob } = talking;
    bob.live.close();
    await until('the loss is seen', async () => relay().connections === 1);
    // Alice's message waits for Bob.
    const waiting = alice.say('are you there?');
    bob.connect(toBob);
    expect(await waiting).toMatchObject({ status: 200 });
    expect((await bob.messages(1))[0]!.text).toBe('are you there?');
    expect(await hosted.metric('sessions')).toBe(1);
    expect(relay().counters.failures).toBe(0);
  });

  it('what waits for a peer stays as it came, whatever else is read meanwhile', async () => {
    await start({ reconnectMs: 30_000 });
    const { alice, bob, toBob } = await talk();
    const other = await talk();
    bob.live.close();
    await until('the loss is seen', async () => relay().connections === 3);
    const text = 'mine '.repeat(400);
    const waiting = alice.say(text);
    await until('it waits', async () => relay().counters.chunks > 0);
    expect(await other.alice.say('theirs '.repeat(800))).toMatchObject({ status: 200 });
    bob.connect(toBob);
    expect(await waiting).toMatchObject({ status: 200 });
    expect((await bob.messages(1))[0]!.text === text).toBe(true);
  });

  it('what is left of a message whose receiver was lost comes at its place over the new connection', async () => {
    await start({ reconnectMs: 30_000 });
    const { alice, bob, toBob } = await talk();
    const size = 20_000_000;
    void alice.live.send({ ...contentOf(Buffer.alloc(size, 'x')), chunkBytes: 10_000, failureReport: 'no' });
    await until('some of it is there', async () => bob.received > 1_000_000);
    bob.live.close();
    await until('the loss is seen', async () => relay().connections === 1);
    bob.connect(toBob);
    expect((await bob.messages(1))[0]).toMatchObject({ size, flag: '$' });
    expect(bob.received).toBeLessThan(size);
    expect(await alice.say('whole')).toMatchObject({ status: 200 });
  });

  it('where the function connects, it connects again by itself', async () => {
    await start();
    const { alice, bob } = await talk({ answer: 'passive' });
    const lost = bob.live;
    lost.close();
    await until('there is another connection', async () => bob.session !== lost && bob.session?.open === true);
    expect(await alice.say('again')).toMatchObject({ status: 200 });
  });

  it('invariant 2: media that do not come back end the session, by one BYE on each leg', async () => {
    await start({ reconnectMs: 300 });
    const talking = await talk();
    talking.bob.live.close();
    await until('both have a BYE', async () =>
      [talking.near, talking.far].every((call) =>
        [hosted.alice, hosted.bob].some((phone) => phone.heard(call).includes('BYE')),
      ),
    );
    await until('the session is over', async () => (await hosted.metric('sessions')) === 0);
    const ended = await hosted.ask<string>('GET', '/metrics');
    expect(ended.body).toContain('cpm_sessions_ended_total{reason="mediaFailure"} 1');
    await nothingLeft();
  });

  it('media.onFailure keep: the session lives on, its messages get 408, and the chat can come back', async () => {
    await start({ reconnectMs: 200, openMs: 400, onFailure: 'keep' });
    const { alice, bob, toBob } = await talk();
    bob.live.close();
    await until('the failure is counted', async () => relay().counters.failures === 1);
    expect(await alice.say('anybody?')).toMatchObject({ status: 408 });
    expect(await hosted.metric('sessions')).toBe(1);
    bob.connect(toBob);
    await until('he is back', async () => relay().connections === 2);
    expect(await alice.say('welcome back')).toMatchObject({ status: 200 });
  });

  it('an idle connection is closed without ending the session', async () => {
    await start({ openMs: 1000, idleMs: 500, reconnectMs: 200 });
    const { alice } = await talk();
    await until('both are closed', async () => relay().connections === 0);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(relay().counters).toMatchObject({ closedIdle: 2, failures: 0 });
    expect(await hosted.metric('sessions')).toBe(1);
    expect(alice.session?.open).toBe(false);
  });
});

describe('seeing it', () => {
  it('the session view shows both ends, the metrics what was carried', async () => {
    await start();
    const { alice } = await talk();
    await alice.say('hello');
    const { body } = await hosted.ask<{ media: Record<string, unknown>[] }>('GET', `/api/sessions/${relaySession()}`);
    expect(body.media.sort((x, y) => String(x.leg).localeCompare(String(y.leg)))).toMatchObject([
      { leg: 'a', stream: 0, connects: 'peer', messages: 1, bytes: 5, waiting: 0 },
      { leg: 'b', stream: 0, connects: 'peer', messages: 0 },
    ]);
    expect(JSON.stringify(body.media)).not.toContain('msrp:');
    expect(await hosted.metric('media_messages_total')).toBe(1);
    expect(await hosted.metric('media_bytes_total')).toBe(5);
    expect(await hosted.metric('media_bindings')).toBe(2);
  });
});
