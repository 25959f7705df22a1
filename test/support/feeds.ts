/**
 * One message fed to the readers in every way a network can bring it: whole, byte by byte, with something behind it,
 * as a datagram and over a stream. Each way must give the same.
 */
import { expect } from '@jest/globals';
import { bytesOfWire, wireOfBytes } from '../../src/sip/message/bytes.ts';
import { type Frame, StreamFramer } from '../../src/sip/message/frame.ts';
import { DEFAULT_LIMITS, type MessageLimits, type Parsed, parseMessage } from '../../src/sip/message/parse.ts';

/** Lines joined by CRLF, the blank line behind the headers included; then the body. One character is one byte. */
export function wire(lines: readonly string[], body = ''): Uint8Array {
  return bytesOfWire(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** A request that comes behind another in one feed. */
const NEXT = wire([
  'OPTIONS sip:next@home.example SIP/2.0',
  'Via: SIP/2.0/TCP 10.9.9.9:5060;branch=z9hG4bKnext',
  'Content-Length: 0',
]);

/** What was read, in a form that compares: no view into the bytes it came from, all of the text as wire strings. */
function described({ message, fault }: Parsed): unknown {
  if (message === undefined) return { fault: fault?.code };
  const start = message.kind === 'request' ? `${message.method} ${message.uri}` : `${message.status} ${message.reason}`;
  return {
    start,
    headers: message.headers.map(({ name, value, line }) => [name, value, line]),
    body: wireOfBytes(message.body),
    fault: fault?.code,
  };
}

/** The frames a stream gives for these pieces. */
export function framesOf(pieces: Iterable<Uint8Array>, limits: MessageLimits = DEFAULT_LIMITS): Frame[] {
  const framer = new StreamFramer(limits);
  const frames: Frame[] = [];
  // A copy of each piece, since the framer keeps what it is given.
  for (const piece of pieces) frames.push(...framer.push(Uint8Array.from(piece)));
  return frames;
}

/** The bytes one at a time. */
export function* singly(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return bytesOfWire(parts.map((part) => wireOfBytes(part)).join(''));
}

/** Reads a message that says its own length, in every feed, and gives what was read. */
export function readInAllFeeds(bytes: Uint8Array, limits: MessageLimits = DEFAULT_LIMITS): Parsed {
  const whole = parseMessage(bytes, limits);
  const expected = described(whole);
  const behind = joined(bytes, NEXT);
  expect(described(parseMessage(behind, limits))).toEqual(expected);
  for (const pieces of [[bytes], singly(bytes)]) {
    expect(framesOf(pieces, limits).map((frame) => readFrame(frame, limits))).toEqual([expected]);
  }
  const next = described(parseMessage(NEXT, limits));
  for (const pieces of [[behind], singly(behind)]) {
    expect(framesOf(pieces, limits).map((frame) => readFrame(frame, limits))).toEqual([expected, next]);
  }
  return whole;
}

function readFrame(frame: Frame, limits: MessageLimits): unknown {
  return frame.kind === 'message' ? described(parseMessage(frame.bytes, limits)) : frame.kind;
}

/** Code of the fault in a message, as a datagram and over a stream; undefined where there is none. */
export function faultInAllFeeds(
  bytes: Uint8Array,
  limits: MessageLimits = DEFAULT_LIMITS,
): { readonly datagram: string | undefined; readonly stream: string | undefined } {
  const [whole, bytewise] = [[bytes], singly(bytes)].map((pieces) => streamFault(framesOf(pieces, limits), limits));
  expect(bytewise).toEqual(whole);
  return { datagram: parseMessage(bytes, limits).fault?.code, stream: whole };
}

function streamFault(frames: readonly Frame[], limits: MessageLimits): string | undefined {
  const [frame] = frames.filter(({ kind }) => kind === 'lost' || kind === 'message');
  if (frame === undefined) return 'waits';
  if (frame.kind === 'lost') return frame.fault.code;
  return frame.kind === 'message' ? parseMessage(frame.bytes, limits).fault?.code : undefined;
}
