/** What must hold of any bytes in the message layer. Throws where it does not. */
import { expect } from '@jest/globals';
import { dialogOfRequest } from '../../../src/sip/dialog/dialog.ts';
import { addressWithoutTag } from '../../../src/sip/message/address.ts';
import { partsOf, sdpOf, withSdp } from '../../../src/sip/message/body.ts';
import { bytesOfWire, wireOfBytes } from '../../../src/sip/message/bytes.ts';
import { StreamFramer } from '../../../src/sip/message/frame.ts';
import { type AnyMessage, SipRequest } from '../../../src/sip/message/message.ts';
import { DEFAULT_LIMITS, parseMessage } from '../../../src/sip/message/parse.ts';
import { responseTo } from '../../../src/sip/message/respond.ts';
import { serialize } from '../../../src/sip/message/serialize.ts';
import { identityKey, sameUri } from '../../../src/sip/message/uri.ts';
import { validateRequest, validateResponse } from '../../../src/sip/message/validate.ts';
import { forwardedCopy, forwardsLeft, hasLooped, responseForward, takeOwnRoute } from '../../../src/sip/proxy/rules.ts';
import { type SeededRandom, VirtualClock, VirtualNetwork } from '../../../src/testing/index.ts';

const network = new VirtualNetwork(new VirtualClock()).attach('10.0.0.10:5060', () => {});

export function checkMessage(text: string, random: SeededRandom): void {
  const bytes = bytesOfWire(text);
  checkStream(bytes, random);
  const { message, fault } = parseMessage(bytes);
  if (message === undefined) {
    expect(fault).toBeDefined();
    return;
  }
  const verdict = message.kind === 'request' ? validateRequest(message, fault) : validateResponse(message, fault);
  if (verdict.kind === 'refuse') checkWritten(responseTo(message as SipRequest, verdict.status, { toTag: 't' }), false);
  if (verdict.kind !== 'fit') return;
  checkWritten(message, true);
  useAll(message);
}

/** A stream in random pieces never throws, and holds no more than one message may have. */
function checkStream(bytes: Uint8Array, random: SeededRandom): void {
  const limits = { headBytes: 4000, bodyBytes: 4000, headerLines: 64 };
  const framer = new StreamFramer(limits);
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.slice(at, at + 1 + random.below(400));
    for (const frame of framer.push(piece)) {
      if (frame.kind === 'message' || frame.kind === 'lost') parseMessage(frame.bytes, limits);
    }
    at += piece.length;
    expect(framer.pendingBytes).toBeLessThanOrEqual(limits.headBytes + 4 + limits.bodyBytes);
  }
}

const contentOf = (message: AnyMessage): unknown => ({
  start: message.kind === 'request' ? [message.method, message.uri] : [message.status, message.reason],
  headers: message.headers.filter(({ name }) => name !== 'content-length'),
  body: wireOfBytes(message.body),
});

/** What was written reads as the same, and is written the same again. */
function checkWritten(message: AnyMessage, fit: boolean): void {
  // A Content-Length of our own would be one line too many.
  if (message.headers.length >= DEFAULT_LIMITS.headerLines) return;
  const written = serialize(message);
  const again = parseMessage(written);
  expect(again.fault).toBeUndefined();
  expect(contentOf(again.message as AnyMessage)).toEqual(contentOf(message));
  if (fit && again.message instanceof SipRequest) expect(validateRequest(again.message, undefined).kind).toBe('fit');
  expect(wireOfBytes(serialize(again.message as AnyMessage))).toBe(wireOfBytes(written));
}

/** Everything that is done to a fit message somewhere; none of it may throw, and what is written must be readable. */
function useAll(message: AnyMessage): void {
  const type = message.header('content-type');
  if (type !== undefined) {
    partsOf(type, message.body);
    const found = sdpOf(type, message.body);
    if (found !== undefined) expect(sdpOf(type, withSdp(type, message.body, 'v=0\r\n'))).toBe('v=0\r\n');
  }
  for (const value of [message.from?.uri, message.to?.uri, message.contact?.uri]) {
    if (value === undefined) continue;
    expect(sameUri(value, value)).toBe(true);
    expect(identityKey(value)).toBe(identityKey(value));
  }
  for (const name of ['from', 'to']) expect(addressWithoutTag(message.header(name) ?? '')).toBeDefined();
  if (message.kind === 'response') {
    checkWritten(responseForward(message), false);
    return;
  }
  dialogOfRequest(message, 'local');
  hasLooped(message, network);
  checkWritten(responseTo(message, 200, { toTag: 't', recordRoute: true }), false);
  if (forwardsLeft(message) >= 0) checkWritten(forwardedCopy(message), true);
  takeOwnRoute(message, network);
}
