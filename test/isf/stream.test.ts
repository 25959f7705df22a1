/** What an IWF's MSRP stream keeps of messages on their way in, and what it does not (RFC 4975 7.1.1, 7.3.1). */
import { describe, expect, it } from '@jest/globals';
import type { MsrpDoor } from '../../src/isf/reference/iwf/door.ts';
import type { Read } from '../../src/isf/reference/iwf/message.ts';
import { Stream } from '../../src/isf/reference/iwf/stream.ts';
import type { ByteRange } from '../../src/msrp/message/byte-range.ts';
import type { IncomingChunk } from '../../src/msrp/session/session.ts';
import { VirtualClock } from '../../src/testing/index.ts';

const MAX = 100;
/** A range whose end and total nobody has said. */
const open = (start: number): ByteRange => ({ start, end: null, total: null });

function streaming() {
  const taken: Read[] = [];
  const door = { network: { host: '127.0.0.1', ports: [2855] }, expect() {}, forget() {} } as unknown as MsrpDoor;
  const stream = new Stream({
    door,
    clock: new VirtualClock(),
    identifiers: { token: () => 'token' },
    maxBytes: MAX,
    reconnectMs: 1000,
    take: (read) => {
      taken.push(read);
      return 200;
    },
    stirred: () => {},
    lost: () => {},
  });
  const chunk = (messageId: string, range: ByteRange): IncomingChunk => ({
    messageId,
    range,
    contentType: 'text/plain',
    lines: '',
  });
  /** A chunk with its bytes; its status. */
  const send = (messageId: string, range: ByteRange, bytes: number): number => {
    const head = chunk(messageId, range);
    const status = stream.onChunk(head);
    if (status === 200 && bytes > 0) stream.onBytes(head, range.start - 1, Buffer.alloc(bytes, 0x61));
    return status;
  };
  const whole = (messageId: string): number => stream.onWhole(chunk(messageId, open(1)));
  const giveUp = (messageId: string): void => stream.onEnd(chunk(messageId, open(1)), '#');
  return { taken, send, whole, giveUp };
}

describe('a message in chunks', () => {
  it('is put together', () => {
    const { send, whole, taken } = streaming();
    expect(send('m', open(1), 60)).toBe(200);
    expect(send('m', open(61), 40)).toBe(200);
    expect(whole('m')).toBe(200);
    expect(taken[0]?.message.text).toBe('a'.repeat(100));
  });

  it('with a gap in it gets 400', () => {
    const { send } = streaming();
    send('m', open(1), 10);
    expect(send('m', open(12), 10)).toBe(400);
    expect(send('n', open(2), 10)).toBe(400);
  });
});

describe('what is too much', () => {
  it('by its range is refused before a byte of it is read', () => {
    const { send } = streaming();
    expect(send('m', { start: 1, end: 10, total: MAX + 1 }, 0)).toBe(413);
    expect(send('m', { start: 1, end: MAX + 1, total: null }, 0)).toBe(413);
    expect(send('m', { start: 1, end: MAX, total: MAX }, MAX)).toBe(200);
  });

  it('without saying so is refused at its next chunk, or when it is whole', () => {
    const { send, whole, taken } = streaming();
    expect(send('m', open(1), MAX + 1)).toBe(200);
    expect(whole('m')).toBe(413);
    expect(send('n', open(1), MAX + 1)).toBe(200);
    expect(send('n', open(MAX + 2), 1)).toBe(413);
    expect(taken).toEqual([]);
  });

  it('in number is refused, until one of them is whole or given up', () => {
    const { send, whole, giveUp } = streaming();
    for (const id of ['a', 'b', 'c', 'd']) expect(send(id, open(1), 1)).toBe(200);
    expect(send('e', open(1), 1)).toBe(413);
    expect(send('a', open(2), 1)).toBe(200);
    giveUp('a');
    expect(send('e', open(1), 1)).toBe(200);
    whole('b');
    expect(send('f', open(1), 1)).toBe(200);
  });
});

it('a message without a byte is a sign of life and no message (RFC 4975 5.4)', () => {
  const { whole, taken } = streaming();
  expect(whole('m')).toBe(200);
  expect(taken).toEqual([]);
});
