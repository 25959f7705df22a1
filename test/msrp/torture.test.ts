/** MSRP that no honest client sends: each gets the right code or a closed connection, and nothing is left of it. */
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Chat, chat } from '../support/chat.ts';
import { type Hosted, host } from '../support/hosted.ts';
import { lines } from '../support/msrp-feeds.ts';
import { Scene } from '../support/processes.ts';
import { until } from '../support/server.ts';

let scene: Scene;
let hosted: Hosted;
let talking: Chat;
let ours: string;
let theirs: string;
let wire: Raw;

/** A socket that speaks text. */
class Raw {
  readonly socket: Socket;
  text = '';
  closed = false;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (bytes) => {
      this.text += bytes.toString('latin1');
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  say(text: string): void {
    this.socket.write(Buffer.from(text, 'latin1'));
  }

  /** The answer to a transaction. */
  async answer(id: string): Promise<number> {
    const pattern = new RegExp(`MSRP ${id} (\\d{3})`);
    await until(`an answer to ${id}`, async () => pattern.test(this.text) || this.closed);
    return Number(pattern.exec(this.text)?.[1] ?? 0);
  }
}

beforeAll(async () => {
  scene = new Scene();
  hosted = await host(scene, {
    policy: { mediaPath: 'always' },
    media: {
      ports: '0',
      openMs: 800,
      stallMs: 800,
      reconnectMs: 60_000,
      maxMessageBytes: 1_000_000,
      onFailure: 'keep',
    },
  });
  talking = await chat(hosted.alice, hosted.bob, { connect: false });
  talking.bob.connect(talking.toBob);
  ours = /a=path:(\S+)/.exec(talking.toAlice)![1]!;
  theirs = talking.alice.uri;
});

afterAll(async () => {
  await Promise.all([talking.alice.close(), talking.bob.close()]);
  await hosted.close();
  await scene.close();
});

const port = () => hosted.server.media!.network.ports[0] ?? 0;
const relay = () => hosted.server.media!.relay;

beforeEach(async () => {
  wire?.socket.destroy();
  await until('only the callee is connected', async () => relay().connections === 1);
  wire = new Raw(port());
  talking.bob.arrived.length = 0;
});

let count = 0;

interface Parts {
  readonly method?: string;
  readonly to?: string;
  readonly from?: string;
  readonly headers?: readonly string[];
  readonly body?: string | null;
  readonly flag?: string;
  readonly id?: string;
}

function request(parts: Parts = {}): { id: string; text: string } {
  const id = parts.id ?? `t0rture${++count}`;
  const { method = 'SEND', to = ours, from = theirs, body = 'hello', flag = '$' } = parts;
  const headers = parts.headers ?? [`Message-ID: m${count}`, 'Byte-Range: 1-5/5'];
  const start = lines(`MSRP ${id} ${method}`, `To-Path: ${to}`, `From-Path: ${from}`, ...headers);
  const text =
    body === null
      ? `${start}-------${id}${flag}\r\n`
      : `${start}Content-Type: text/plain\r\n\r\n${body}\r\n-------${id}${flag}\r\n`;
  return { id, text };
}

async function statusOf(parts: Parts): Promise<number> {
  const { id, text } = request(parts);
  wire.say(text);
  return wire.answer(id);
}

/** A good message passes after whatever came before. */
async function stillWorks(): Promise<void> {
  expect(await statusOf({})).toBe(200);
  await until('it has arrived', async () => talking.bob.arrived.some(({ text }) => text === 'hello'));
}

const with_ = (...headers: string[]) => ({ headers: ['Message-ID: x', ...headers] });

describe('requests that are refused', () => {
  it.each<[string, number, () => Parts]>([
    ['a negative byte range', 400, () => with_('Byte-Range: -5-5/5')],
    ['a range from position 0', 400, () => with_('Byte-Range: 0-4/5')],
    ['a range that ends before it starts', 400, () => with_('Byte-Range: 9-3/20')],
    ['a range beyond its total', 400, () => with_('Byte-Range: 1-50/5')],
    ['a range of words', 400, () => with_('Byte-Range: one-five/all')],
    ['a range too large for a number', 400, () => with_('Byte-Range: 1-*/99999999999999999999999')],
    ['a body longer than its range', 400, () => ({ ...with_('Byte-Range: 1-3/3'), body: 'hello' })],
    ['a message that says it is too large', 413, () => with_('Byte-Range: 1-*/1000001')],
    ['a chunk that begins beyond the largest message', 413, () => with_('Byte-Range: 1000000-*/*')],
    ['no Message-ID', 400, () => ({ headers: ['Byte-Range: 1-5/5'] })],
    ['a session-id that is not known', 481, () => ({ to: ours.replace(/\/[\w-]{20};/, '/AAAAAAAAAAAAAAAAAAAA;') })],
    ['another host in the path', 481, () => ({ to: ours.replace('127.0.0.1', 'example.com') })],
    ['a path that is none', 481, () => ({ to: 'nonsense' })],
    ['more URIs behind ours', 481, () => ({ to: `${ours} msrp://10.0.0.1:2855/x;tcp` })],
    ['a From-Path of somebody else', 481, () => ({ from: 'msrp://10.9.9.9:1/other;tcp' })],
    ['an unknown method', 501, () => ({ method: 'DANCE' })],
    ['AUTH, which is for relays of RFC 4976', 501, () => ({ method: 'AUTH', body: null })],
    ['an empty To-Path, and another', 400, () => ({ headers: ['To-Path: again', 'Message-ID: 1'], to: '' })],
  ])('%s gets %i, and the next message passes', async (_, status, parts) => {
    expect(await statusOf(parts())).toBe(status);
    await stillWorks();
    expect(talking.bob.arrived).toHaveLength(1);
  });

  it('RFC 4975 10.10: a second connection for a session that has one gets 506', async () => {
    await stillWorks();
    const second = new Raw(port());
    const { id, text } = request();
    second.say(text);
    expect(await second.answer(id)).toBe(506);
    await stillWorks();
    second.socket.destroy();
  });

  it('RFC 4975 7.2: a REPORT for nobody, and one that is broken, get no answer at all', async () => {
    wire.say(request({ method: 'REPORT', to: 'msrp://x:1/y;tcp', body: null }).text);
    wire.say(lines('MSRP abcdef REPORT', 'Message-ID: 1', '-------abcdef$'));
    await stillWorks();
    expect(wire.text.match(/^MSRP \S+ \d{3}/gm)).toHaveLength(1);
  });

  it('a message that grows too large in its chunks gets 413, and its receiver is told that it is given up', async () => {
    const chunk = 'x'.repeat(300_000);
    const statuses = [];
    for (let at = 0; at < 4; at++) {
      statuses.push(
        await statusOf({
          headers: ['Message-ID: grows', `Byte-Range: ${at * 300_000 + 1}-*/*`],
          body: chunk,
          flag: '+',
        }),
      );
    }
    expect(statuses).toEqual([200, 200, 200, 413]);
    await until('the receiver is told', async () =>
      talking.bob.arrived.some(({ id, flag }) => id === 'grows' && flag === '#'),
    );
    await stillWorks();
  });
});

describe('requests that are odd and pass', () => {
  it("overlapping ranges, and a Message-ID that was used before, are the receiver's matter (RFC 4975 7.3.1)", async () => {
    expect(await statusOf({ headers: ['Message-ID: same', 'Byte-Range: 1-5/5'] })).toBe(200);
    expect(await statusOf({ headers: ['Message-ID: same', 'Byte-Range: 1-5/5'] })).toBe(200);
    await until('both have come', async () => talking.bob.arrived.filter(({ id }) => id === 'same').length === 2);
    await stillWorks();
  });

  it('a transaction id that is used twice at a time has two answers', async () => {
    const { id, text } = request();
    wire.say(text + text);
    await until('two answers', async () => (wire.text.match(new RegExp(`MSRP ${id} 200`, 'g')) ?? []).length === 2);
    await stillWorks();
  });

  it('answers to questions nobody asked are dropped', async () => {
    wire.say(lines('MSRP nobody 200 OK', `To-Path: ${ours}`, `From-Path: ${theirs}`, '-------nobody$'));
    wire.say(lines('MSRP nobody2 413 Too large', `To-Path: ${ours}`, `From-Path: ${theirs}`, '-------nobody2$'));
    await stillWorks();
  });

  it("a body with requests in it is a body: nobody can write the end-line of another's chunk", async () => {
    const smuggled = request({ id: 'sm8ggled', body: 'evil' }).text;
    const body = `${smuggled}${lines('-------t0rture$', '-------00000000$')}`;
    expect(await statusOf({ headers: ['Message-ID: outer'], body })).toBe(200);
    await until('it has come', async () => talking.bob.arrived.some(({ id }) => id === 'outer'));
    expect(talking.bob.arrived).toEqual([expect.objectContaining({ id: 'outer', text: body })]);
  });
});

describe('streams that are broken', () => {
  it.each([
    ['another protocol', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['TLS on the plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['a head without end', `MSRP abcdef SEND\r\nX: ${'x'.repeat(40_000)}`],
    ['headers without end', `MSRP abcdef SEND\r\n${'X: y\r\n'.repeat(10_000)}`],
    ['bare line feeds', 'MSRP abcdef SEND\nTo-Path: x\n\n'],
    ['zeros', '\0'.repeat(1000)],
  ])('%s: the connection is closed', async (_, text) => {
    wire.say(text);
    await until('it is closed', async () => wire.closed);
    await until('nothing is left', async () => relay().connections === 1);
  });

  it('a message whose end-line has another id is no end: its connection stalls and is closed, its receiver told', async () => {
    await stillWorks();
    wire.say(request({ headers: ['Message-ID: wrong-boundary'] }).text.replace(/-------\S+\$/, '-------somebodyelse$'));
    await until('it is closed', async () => wire.closed);
    expect(relay().counters.closedStalled).toBeGreaterThan(0);
    await until('the receiver is told', async () =>
      talking.bob.arrived.some(({ id, flag }) => id === 'wrong-boundary' && flag === '#'),
    );
  });

  it('a connection that breaks in the middle of a body leaves nothing, and its receiver is told', async () => {
    await stillWorks();
    const { text } = request({
      headers: ['Message-ID: truncated', 'Byte-Range: 1-*/900000'],
      body: 'x'.repeat(500_000),
    });
    wire.say(text.slice(0, 300_000));
    await until('half of it has come', async () => talking.bob.received > 200_000);
    wire.socket.destroy();
    await until('the receiver is told', async () =>
      talking.bob.arrived.some(({ id, flag }) => id === 'truncated' && flag === '#'),
    );
  });
});

describe('those that take their time', () => {
  it('slowloris: a head that comes byte by byte is cut off after the time a head has', async () => {
    await stillWorks();
    const slow = wire;
    const { text } = request();
    const began = Date.now();
    for (let at = 0; at < text.length && !slow.closed; at++) {
      slow.say(text[at]!);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    expect(slow.closed).toBe(true);
    expect(Date.now() - began).toBeLessThan(5000);
  });

  it('a connection that names no session in time is closed, whether it is silent or asks for what is not there', async () => {
    const silent = new Raw(port());
    const guessing = new Raw(port());
    const asking = setInterval(() => guessing.say(request({ to: 'msrp://127.0.0.1:1/guess;tcp' }).text), 50);
    await until('both are closed', async () => silent.closed && guessing.closed);
    clearInterval(asking);
    expect(relay().counters.closedUnbound).toBeGreaterThan(1);
  });
});

it('after all this nothing is held but the chat itself, and nothing of ours has failed', async () => {
  wire.socket.destroy();
  await until('one connection', async () => relay().connections === 1);
  expect(relay().bindings).toBe(2);
  expect(hosted.server.door.failures).toBe(0);
  hosted.server.cpm.engine.end([...hosted.server.cpm.engine.sessions.keys()][0]!, 'operator');
  await until('no binding', async () => relay().bindings === 0 && relay().connections === 0);
});
