/** Cutting messages out of datagrams and streams (RFC 3261 18.3), keep-alives (RFC 5626 3.5.1), and every limit. */
import { describe, expect, it } from '@jest/globals';
import { bytesOfWire, wireOfBytes } from '../../../src/sip/message/bytes.ts';
import { type Frame, StreamFramer } from '../../../src/sip/message/frame.ts';
import type { SipRequest } from '../../../src/sip/message/message.ts';
import { DEFAULT_LIMITS, parseMessage } from '../../../src/sip/message/parse.ts';
import { validateRequest } from '../../../src/sip/message/validate.ts';
import { faultInAllFeeds, framesOf, joined, readInAllFeeds, singly, wire } from '../../support/feeds.ts';

const HEAD = [
  'MESSAGE sip:bob@home.example SIP/2.0',
  'Via: SIP/2.0/TCP 10.0.1.1:5060;branch=z9hG4bKa1',
  'From: <sip:alice@home.example>;tag=a',
  'To: <sip:bob@home.example>',
  'Call-ID: c1@10.0.1.1',
  'CSeq: 1 MESSAGE',
];
const message = (lines: readonly string[], body = ''): Uint8Array => wire([...HEAD, ...lines], body);
const kinds = (frames: readonly Frame[]): string[] => frames.map((frame) => frame.kind);
const bodies = (frames: readonly Frame[]): string[] =>
  frames.flatMap((frame) =>
    frame.kind === 'message' ? [wireOfBytes(parseMessage(frame.bytes).message?.body ?? new Uint8Array())] : [],
  );

/** What a stack would answer to a datagram of these bytes. */
function answerTo(bytes: Uint8Array, limits = DEFAULT_LIMITS): number | string {
  const parsed = parseMessage(bytes, limits);
  if (parsed.message === undefined) return parsed.fault?.code ?? '';
  const verdict = validateRequest(parsed.message as SipRequest, parsed.fault);
  return verdict.kind === 'refuse' ? verdict.status : verdict.kind;
}

describe('Content-Length', () => {
  it.each([
    ['the full name', 'Content-Length: 5'],
    ['another case', 'cOnTeNt-LeNgTh: 5'],
    ['the compact form', 'l: 5'],
    ['the compact form in upper case', 'L:5'],
    ['blanks around the colon', 'Content-Length \t:\t 5 '],
    ['a fold', 'Content-Length:\r\n 5'],
    ['leading zeros', 'Content-Length: 00000000000005'],
  ])('RFC 3261 20.14: with %s says where the body ends, in every feed', (_, line) => {
    const { message: read, fault } = readInAllFeeds(message([line], 'hello'));
    expect(fault).toBeUndefined();
    expect(wireOfBytes(read?.body ?? new Uint8Array())).toBe('hello');
  });

  it.each([
    ['a negative one', 'Content-Length: -5', 'content-length', 400],
    ['a sign', 'Content-Length: +5', 'content-length', 400],
    ['a word', 'Content-Length: five', 'content-length', 400],
    ['nothing', 'Content-Length:', 'content-length', 400],
    ['two numbers', 'Content-Length: 5 5', 'content-length', 400],
    ['a fraction', 'Content-Length: 5.0', 'content-length', 400],
    ['hexadecimal', 'Content-Length: 0x5', 'content-length', 400],
    ['more than the limit', 'Content-Length: 1048577', 'body-too-large', 513],
    ['more than 2**32', 'Content-Length: 4294967301', 'body-too-large', 513],
    ['a hundred digits', `Content-Length: ${'9'.repeat(100)}`, 'body-too-large', 513],
    ['a thousand digits', `Content-Length: ${'9'.repeat(1000)}`, 'body-too-large', 513],
  ])('RFC 3261 18.3: %s is refused in every feed', (_, line, code, status) => {
    const bytes = message([line], 'hello');
    expect(faultInAllFeeds(bytes)).toEqual({ datagram: code, stream: code });
    expect(answerTo(bytes)).toBe(status);
  });

  it('RFC 3261 18.3: longer than the datagram gets 400; a stream waits for the rest', () => {
    const bytes = message(['Content-Length: 6'], 'hello');
    expect(faultInAllFeeds(bytes)).toEqual({ datagram: 'body-short', stream: 'waits' });
    expect(answerTo(bytes)).toBe(400);
  });

  it('RFC 3261 18.3: shorter than the datagram, the rest is ignored', () => {
    const { message: read, fault } = parseMessage(message(['Content-Length: 3'], 'hello'));
    expect(fault).toBeUndefined();
    expect(wireOfBytes(read?.body ?? new Uint8Array())).toBe('hel');
  });

  it('RFC 3261 18.3: missing, the datagram ends the body; a stream can not be followed', () => {
    const bytes = message([], 'hello');
    expect(faultInAllFeeds(bytes)).toEqual({ datagram: undefined, stream: 'content-length' });
    expect(wireOfBytes(parseMessage(bytes).message?.body ?? new Uint8Array())).toBe('hello');
  });

  it.each([
    ['different', ['Content-Length: 5', 'Content-Length: 3']],
    ['the same', ['Content-Length: 5', 'l: 5']],
    ['one of them folded', ['Content-Length: 5', 'Content-Length:\r\n 3']],
  ])('RFC 4475 3.3.9: two of them, %s, get 400, and a stream is given up', (_, lines) => {
    const bytes = message(lines, 'hello');
    expect(answerTo(bytes)).toBe(400);
    expect(kinds(framesOf([bytes]))).toEqual(['lost']);
    expect(kinds(framesOf(singly(bytes)))).toEqual(['lost']);
  });

  it('a line that only looks like one counts for nothing', () => {
    const lines = ['X-Content-Length: 1', 'Subject: a\r\n Content-Length: 2', 'll: 3', 'Content-Length: 5'];
    const { message: read } = readInAllFeeds(message(lines, 'hello'));
    expect(wireOfBytes(read?.body ?? new Uint8Array())).toBe('hello');
  });

  it('RFC 3261 7.5: a body may look like a message', () => {
    const inner = wireOfBytes(message(['Content-Length: 0']));
    const outer = message([`Content-Length: ${inner.length}`], inner);
    expect(bodies(framesOf([joined(outer, outer)]))).toEqual([inner, inner]);
  });
});

describe('a stream', () => {
  const one = message(['Content-Length: 5'], 'first');
  const two = message(['Content-Length: 6'], 'second');
  const none = message(['Content-Length: 0']);

  it('RFC 3261 18.3: gives several messages out of one piece, in order', () => {
    expect(bodies(framesOf([joined(one, two, none, one)]))).toEqual(['first', 'second', '', 'first']);
  });

  it('gives the same wherever it is cut in two', () => {
    const bytes = joined(one, two);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(bodies(framesOf([bytes.subarray(0, cut), bytes.subarray(cut)]))).toEqual(['first', 'second']);
    }
  });

  it('gives a message as soon as its last byte is there, and holds only what is unfinished', () => {
    const framer = new StreamFramer(DEFAULT_LIMITS);
    expect(framer.push(one.slice(0, -1))).toEqual([]);
    expect(framer.pendingBytes).toBe(one.length - 1);
    expect(kinds(framer.push(joined(one.slice(-1), two.slice(0, 4))))).toEqual(['message']);
    expect(framer.pendingBytes).toBe(4);
  });

  it('a message given once stays as it was, whatever comes behind it', () => {
    const framer = new StreamFramer(DEFAULT_LIMITS);
    const pieces = [one.slice(0, 50), joined(one.slice(50), two.slice(0, 30)), two.slice(30), one.slice(), two.slice()];
    const frames = pieces.flatMap((piece) => framer.push(piece));
    expect(bodies(frames)).toEqual(['first', 'second', 'first', 'second']);
  });

  it('gives nothing more after it was lost', () => {
    const framer = new StreamFramer(DEFAULT_LIMITS);
    expect(kinds(framer.push(joined(message([]), one)))).toEqual(['lost']);
    expect(framer.push(one)).toEqual([]);
    expect(framer.pendingBytes).toBe(0);
  });

  it('a lost frame holds the head, so that it can be answered', () => {
    const [lost] = framesOf([message(['Content-Length: -1'], 'x')]);
    if (lost?.kind !== 'lost') throw new Error('not lost');
    const { message: read } = parseMessage(lost.bytes);
    expect(validateRequest(read as SipRequest, lost.fault)).toMatchObject({ kind: 'refuse', status: 400 });
  });
});

describe('keep-alives', () => {
  const none = message(['Content-Length: 0']);
  const feeds = (text: string): string[][] => {
    const bytes = joined(bytesOfWire(text), none, bytesOfWire(text));
    return [framesOf([bytes]), framesOf(singly(bytes))].map(kinds);
  };

  it('RFC 5626 3.5.1: CRLF CRLF is a ping, its first half being told at once as what a pong looks like', () => {
    const once = ['pong', 'ping', 'message', 'pong', 'ping'];
    expect(feeds('\r\n\r\n')).toEqual([once, once]);
  });

  it('RFC 5626 3.5.1: CRLF alone is a pong', () => {
    expect(feeds('\r\n')).toEqual([
      ['pong', 'message', 'pong'],
      ['pong', 'message', 'pong'],
    ]);
  });

  it('two pings are two pings, and padding behind a ping begins anew', () => {
    expect(kinds(framesOf([bytesOfWire('\r\n\r\n\r\n\r\n')]))).toEqual(['pong', 'ping', 'pong', 'ping']);
    expect(kinds(framesOf([bytesOfWire('\r\n\r\n\r\n')]))).toEqual(['pong', 'ping', 'pong']);
  });

  it('a CRLF on each side of a message is no ping', () => {
    const bytes = joined(bytesOfWire('\r\n'), none, bytesOfWire('\r\n'), none);
    expect(kinds(framesOf([bytes]))).toEqual(['pong', 'message', 'pong', 'message']);
  });

  it('single CRs and LFs are padding', () => {
    for (const pieces of [[joined(bytesOfWire('\n\n\r'), none)], singly(joined(bytesOfWire('\n\n\r'), none))]) {
      const frames = framesOf(pieces);
      expect(kinds(frames)).not.toContain('ping');
      expect(frames.at(-1)?.kind).toBe('message');
    }
  });
});

describe('limits', () => {
  const limits = { headBytes: 600, bodyBytes: 100, headerLines: 10 };
  const padded = (length: number): Uint8Array => {
    const bare = message(['Pad: ', 'Content-Length: 0']).length;
    return message([`Pad: ${'x'.repeat(length - bare)}`, 'Content-Length: 0']);
  };

  it('a head as long as the limit is read, in every feed', () => {
    expect(readInAllFeeds(padded(604), limits).fault).toBeUndefined();
  });

  it('RFC 3261 21.5.7: a head one byte longer gets 513, by what was read of it', () => {
    const bytes = padded(605);
    expect(faultInAllFeeds(bytes, limits)).toEqual({ datagram: 'head-too-large', stream: 'head-too-large' });
    expect(answerTo(bytes, limits)).toBe(513);
    expect(answerTo(bytes)).toBe('fit');
  });

  it('a head that never ends is given up at the limit, and answered', () => {
    const endless = joined(message(['X: 1', 'Y: 2']).slice(0, -2), bytesOfWire(`Z: ${'z'.repeat(100_000)}`));
    const framer = new StreamFramer(limits);
    const frames: Frame[] = [];
    for (const piece of singly(endless)) {
      frames.push(...framer.push(Uint8Array.from(piece)));
      expect(framer.pendingBytes).toBeLessThan(limits.headBytes + 4);
      if (frames.length > 0) break;
    }
    const [lost] = frames;
    if (lost?.kind !== 'lost') throw new Error('not lost');
    expect(lost.fault.code).toBe('head-too-large');
    const { message: read } = parseMessage(lost.bytes, limits);
    expect(read?.header('y')).toBe('2');
    // What was cut in the middle of a line is not read: half a value is another value.
    expect(read?.has('z')).toBe(false);
    expect(validateRequest(read as SipRequest, lost.fault)).toMatchObject({ kind: 'refuse', status: 513 });
  });

  it('a datagram that ends within its head gets 400, by the lines that came whole', () => {
    const bytes = message(['Subject: hello', 'Content-Length: 0']).slice(0, -10);
    expect(parseMessage(bytes)).toMatchObject({ fault: { code: 'unterminated-head' } });
    expect(parseMessage(bytes).message?.header('subject')).toBe('hello');
    expect(parseMessage(bytes).message?.has('content-length')).toBe(false);
    expect(answerTo(bytes)).toBe(400);
  });

  it('RFC 3261 21.5.7: a body above the limit gets 513, one as long as it is read', () => {
    expect(readInAllFeeds(message(['Content-Length: 100'], 'b'.repeat(100)), limits).fault).toBeUndefined();
    const bytes = message(['Content-Length: 101'], 'b'.repeat(101));
    expect(faultInAllFeeds(bytes, limits)).toEqual({ datagram: 'body-too-large', stream: 'body-too-large' });
    expect(answerTo(bytes, limits)).toBe(513);
    expect(answerTo(message([], 'b'.repeat(101)), limits)).toBe(513);
  });

  it('as many header lines as the limit are read; one more gets 513', () => {
    const lines = (count: number): string[] => Array.from({ length: count - 6 }, (_, at) => `X-${at}: ${at}`);
    expect(readInAllFeeds(message([...lines(10), 'l: 0']), limits).fault?.code).toBe(undefined);
    const bytes = message(['l: 0', ...lines(11)]);
    expect(faultInAllFeeds(bytes, limits)).toEqual({ datagram: 'too-many-headers', stream: 'too-many-headers' });
    expect(answerTo(bytes, limits)).toBe(513);
  });

  it('a message of many folds is one of few lines', () => {
    const folds = Array.from({ length: 50 }, (_, at) => `\r\n ${at}`).join('');
    expect(readInAllFeeds(message([`X:${folds}`, 'l: 0']), limits).fault).toBeUndefined();
  });
});
