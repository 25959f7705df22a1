/** SIP and MSRP out of TCP: whatever the order of segments, and told where the capture has lost some. */
import { describe, expect, it } from '@jest/globals';
import type { Heard } from '../../src/capture/dissector.ts';
import { msrpLabel } from '../../src/capture/network/speech.ts';
import { hearingOf } from '../../src/capture/read.ts';
import { SeededRandom } from '../../src/testing/index.ts';
import { BEGUN, Connection, type Frame, options, pcap } from './builders.ts';

const CLIENT = '10.0.0.1:40000';
const SERVER = '10.0.0.2:5060';

function told(frames: readonly Frame[]): string[] {
  return hearingOf([pcap(frames)]).heard.map(line);
}

function line(each: Heard): string {
  if (each.kind === 'sip') return each.message.callId;
  return each.kind === 'msrp' ? msrpLabel(each.said) : `gap of ${each.bytes}`;
}

const send = (id: string, body: string, flag = '$'): string =>
  `MSRP ${id} SEND\r\nTo-Path: msrp://b/2;tcp\r\nFrom-Path: msrp://a/1;tcp\r\nMessage-ID: m-${id}\r\nByte-Range: 1-*/*\r\nContent-Type: text/plain\r\n\r\n${body}\r\n-------${id}${flag}\r\n`;

describe('SIP over a connection', () => {
  const ten = Array.from({ length: 10 }, (_, at) => options(at, 'x'.repeat(at * 90)));
  const names = ten.map((_, at) => `call-${at}`);

  it.each([1, 7, 100, 1400, 60_000])('is read in segments of %d bytes', (cut) => {
    const connection = new Connection(CLIENT, SERVER);
    connection.say('client', ten.join('\r\n\r\n'), cut);
    expect(told(connection.frames)).toEqual(names);
  });

  it('is read in any order of its segments, repeated and overlapping, across the end of the sequence numbers', () => {
    const random = new SeededRandom(7);
    for (let round = 0; round < 50; round++) {
      const connection = new Connection(CLIENT, SERVER, { first: 0xffff_ff00 });
      const places = connection.say('client', ten.join(''), 100 + round);
      const segments = places.map((at) => connection.frames[at]!);
      // Time goes on as they come, whatever was sent first.
      const shuffled = segments.flatMap((frame) => (random.next() < 0.3 ? [frame, frame] : [frame]));
      for (let at = shuffled.length - 1; at > 0; at--) {
        const other = Math.max(0, at - Math.floor(random.next() * 6));
        [shuffled[at], shuffled[other]] = [shuffled[other]!, shuffled[at]!];
      }
      const frames = [...connection.frames.slice(0, 2), ...shuffled];
      expect(told(frames.map(({ bytes }, at) => ({ at: at * 0.1, bytes })))).toEqual(names);
    }
  });

  it('is read where segments were sent again, cut otherwise, and overlap', () => {
    const [one, other] = [new Connection(CLIENT, SERVER), new Connection(CLIENT, SERVER)];
    one.say('client', ten.join(''), 500);
    other.say('client', ten.join(''), 333);
    const [first, second] = [one.frames.slice(2), other.frames.slice(2)];
    const woven = first.flatMap((frame, at) => [frame, ...second.slice(at + 1, at + 2), ...second.slice(at, at + 1)]);
    const frames = [...one.frames.slice(0, 2), ...woven, ...second.slice(first.length)];
    expect(told(frames.map(({ bytes }, at) => ({ at: at * 0.1, bytes })))).toEqual(names);
  });

  it('tells what came behind a lost segment when that was acknowledged, not only at the end', () => {
    const connection = new Connection(CLIENT, SERVER);
    connection.say('client', options(0));
    const [lost] = connection.say('client', options(1), 100_000);
    connection.say('client', options(2));
    connection.acknowledge('server');
    const later = new Connection('10.0.0.9:40000', SERVER, { at: BEGUN + 60_000 });
    later.say('client', options(3));
    const frames = [...connection.frames.filter((_, at) => at !== lost), ...later.frames];
    const { heard } = hearingOf([pcap(frames)]);
    expect(heard.map(line)).toEqual(['call-0', `gap of ${options(1).length}`, 'call-2', 'call-3']);
    expect(heard[2]?.at).toBeLessThan(BEGUN + 1000);
  });

  it('goes on behind a segment that the capture lost, and the loss is told once', () => {
    const connection = new Connection(CLIENT, SERVER);
    connection.say('client', options(1));
    const [lost] = connection.say('client', options(2, 'x'.repeat(50)), 100_000);
    connection.say('client', options(3));
    connection.acknowledge('server');
    connection.say('client', options(4));
    const frames = connection.frames.filter((_, at) => at !== lost);
    expect(told(frames)).toEqual(['call-1', `gap of ${options(2, 'x'.repeat(50)).length}`, 'call-3', 'call-4']);
    expect(hearingOf([pcap(frames)]).notes).toEqual(['1 gaps: segments of TCP that the capture has lost']);
  });

  it('goes on behind a lost segment at the end of the capture too', () => {
    const connection = new Connection(CLIENT, SERVER);
    connection.say('client', options(1));
    const [lost] = connection.say('client', options(2), 100_000);
    connection.say('client', options(3));
    expect(told(connection.frames.filter((_, at) => at !== lost))).toEqual([
      'call-1',
      `gap of ${options(2).length}`,
      'call-3',
    ]);
  });

  it('that had begun before the capture is read from the next message on', () => {
    const connection = new Connection(CLIENT, SERVER, { opened: false });
    connection.say('client', `${options(1).slice(100)}${options(2)}${options(3)}`, 50);
    expect(told(connection.frames)).toEqual(['call-2', 'call-3']);
  });

  it('on the ports of an earlier connection is another one', () => {
    const [first, second] = [new Connection(CLIENT, SERVER), new Connection(CLIENT, SERVER, { first: 3_000_000_000 })];
    first.say('client', options(1).slice(0, 200));
    second.say('client', options(2));
    expect(told([...first.frames, ...second.frames])).toEqual(['call-2']);
  });

  it('of which a message can not be framed goes on with the next that can', () => {
    const connection = new Connection(CLIENT, SERVER);
    connection.say('client', options(1).replace(/Content-Length: 0\r\n/, ''));
    connection.say('client', options(2));
    expect(told(connection.frames)).toEqual(['call-2']);
  });

  it('that is encrypted is counted', () => {
    const connection = new Connection(CLIENT, SERVER);
    connection.say('client', Buffer.from('16030100050100000100', 'hex'));
    expect(hearingOf([pcap(connection.frames)]).notes).toEqual(['1 streams of TLS could not be read']);
  });
});

describe('MSRP over a connection', () => {
  it('is told in chunks with their bytes, and answers with their status', () => {
    const connection = new Connection(CLIENT, SERVER);
    connection.say('client', send('aaaa', 'x'.repeat(5000), '+') + send('bbbb', 'hello'), 333);
    connection.say(
      'server',
      'MSRP aaaa 200 OK\r\nTo-Path: msrp://a/1;tcp\r\nFrom-Path: msrp://b/2;tcp\r\n-------aaaa$\r\n',
    );
    expect(told(connection.frames)).toEqual([
      'SEND text/plain 5000 B, more follows',
      'SEND text/plain 5 B',
      'MSRP 200',
    ]);
  });

  it('says of a chunk whose end was lost that it was', () => {
    const connection = new Connection(CLIENT, SERVER);
    const places = connection.say('client', send('aaaa', 'x'.repeat(5000)), 1000);
    connection.say('client', send('bbbb', 'hello'));
    connection.acknowledge('server');
    const heard = told(connection.frames.filter((_, at) => at !== places[3]));
    expect(heard[0]).toMatch(/^SEND text\/plain 2\d{3} B, end not captured$/);
    expect(heard.slice(1)).toEqual(['gap of 1000', 'SEND text/plain 5 B']);
  });
});
