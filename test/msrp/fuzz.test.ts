/**
 * Whatever bytes come, the parser says the same however they are cut, and never throws; and a relay that is fed with
 * mutated traffic goes on to carry a good message. Seeded: a failure names the seed that makes it again.
 */
import { connect } from 'node:net';
import { expect, it } from '@jest/globals';
import { SeededRandom } from '../../src/testing/index.ts';
import { chat } from '../support/chat.ts';
import { host } from '../support/hosted.ts';
import { cut, lines, readPieces } from '../support/msrp-feeds.ts';
import { Scene } from '../support/processes.ts';
import { until } from '../support/server.ts';

/** How long each of the two runs; a longer one is `CPM_FUZZ_MS=600000`. */
const RUN_MS = Number(process.env.CPM_FUZZ_MS ?? 3000);

const PIECES = [
  '\r\n',
  '-------',
  '-------abcdef$\r\n',
  '-------abcdef+\r\n',
  'MSRP abcdef SEND\r\n',
  'MSRP abcdef 200 OK\r\n',
  'Byte-Range: 1-*/*\r\n',
  'Byte-Range: -1-0/0\r\n',
  'Message-ID: 1\r\n',
  '\r\n\r\n',
  '\0',
  '\xff\xfe',
  '$',
  ':',
  ' ',
];

function traffic(random: SeededRandom, to: string, from: string): string {
  const id = 'abcdef';
  const kinds = [
    lines(
      `MSRP ${id} SEND`,
      `To-Path: ${to}`,
      `From-Path: ${from}`,
      'Message-ID: 1',
      'Byte-Range: 1-5/5',
      'Content-Type: text/plain',
      '',
      'hello',
      `-------${id}$`,
    ),
    lines(
      `MSRP ${id} SEND`,
      `To-Path: ${to}`,
      `From-Path: ${from}`,
      'Message-ID: 2',
      'Byte-Range: 1-*/*',
      'Content-Type: text/plain',
      '',
      'x'.repeat(Math.floor(random.next() * 3000)),
      `-------${id}+`,
    ),
    lines(
      `MSRP ${id} REPORT`,
      `To-Path: ${to}`,
      `From-Path: ${from}`,
      'Message-ID: 1',
      'Status: 000 200 OK',
      `-------${id}$`,
    ),
    lines(`MSRP ${id} 200 OK`, `To-Path: ${to}`, `From-Path: ${from}`, `-------${id}$`),
  ];
  let text = '';
  for (let at = 0; at < 4; at++) text += kinds[Math.floor(random.next() * kinds.length)];
  return mutated(text, random);
}

function mutated(text: string, random: SeededRandom): string {
  let result = text;
  for (let times = Math.floor(random.next() * 6); times > 0; times--) {
    const at = Math.floor(random.next() * result.length);
    const kind = random.next();
    if (kind < 0.3)
      result = result.slice(0, at) + String.fromCharCode(Math.floor(random.next() * 256)) + result.slice(at + 1);
    else if (kind < 0.5) result = result.slice(0, at) + result.slice(at + Math.floor(random.next() * 40));
    else if (kind < 0.8)
      result = result.slice(0, at) + PIECES[Math.floor(random.next() * PIECES.length)] + result.slice(at);
    else
      result =
        result.slice(0, at) + result.slice(Math.floor(random.next() * result.length)).slice(0, 500) + result.slice(at);
  }
  return result;
}

it(
  'mutated streams read the same in every cut',
  () => {
    const end = Date.now() + RUN_MS;
    let seed = 0;
    while (Date.now() < end) {
      seed++;
      const random = new SeededRandom(seed);
      const bytes = Buffer.from(traffic(random, 'msrp://a:1/x;tcp', 'msrp://b:2/y;tcp'), 'latin1');
      const whole = readPieces([bytes], 4096);
      for (const size of [1, 1 + Math.floor(random.next() * 20), 1 + Math.floor(random.next() * 500)]) {
        expect({ seed, size, ...readPieces(cut(bytes, size), 4096) }).toEqual({ seed, size, ...whole });
      }
    }
    // A machine that is busy gets less far; the seeds it tries are the same.
    expect(seed).toBeGreaterThan(10);
  },
  RUN_MS + 20_000,
);

it(
  'a relay under mutated traffic goes on to carry a good message, and holds nothing of the bad',
  async () => {
    const scene = new Scene();
    const hosted = await host(scene, {
      policy: { mediaPath: 'always' },
      media: { ports: '0', openMs: 500, stallMs: 500, reconnectMs: 600_000, onFailure: 'keep' },
    });
    const talking = await chat(hosted.alice, hosted.bob, { connect: false });
    // The receiver minds no order here: the sender is mad.
    talking.bob.orderless = true;
    talking.bob.connect(talking.toBob);
    const { relay, network } = hosted.server.media!;
    const ours = /a=path:(\S+)/.exec(talking.toAlice)![1]!;
    const end = Date.now() + RUN_MS;
    let seed = 0;
    while (Date.now() < end) {
      seed++;
      const random = new SeededRandom(seed);
      const socket = connect(network.ports[0]!, '127.0.0.1');
      socket.on('error', () => {});
      socket.on('data', () => {});
      socket.write(Buffer.from(traffic(random, ours, talking.alice.uri), 'latin1'));
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (random.next() < 0.5) socket.destroy();
      else socket.end();
    }
    await until('the mad are gone', async () => relay.connections === 1);
    talking.alice.connect(talking.toAlice);
    await until('she is connected', async () => talking.alice.session?.open === true && relay.connections === 2);
    expect(await talking.alice.say('sane')).toMatchObject({ status: 200 });
    await until('it has come', async () => talking.bob.arrived.some(({ text }) => text === 'sane'));
    expect(hosted.server.door.failures).toBe(0);
    await Promise.all([talking.alice.close(), talking.bob.close()]);
    await hosted.close();
    await scene.close();
  },
  RUN_MS + 40_000,
);
