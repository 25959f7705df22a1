/** What a request or response must have to be acted upon, and the answer where it has not (RFC 3261 8.2, 16.3). */
import { describe, expect, it } from '@jest/globals';
import type { SipRequest, SipResponse } from '../../../src/sip/message/message.ts';
import { MAX_URI_LENGTH, validateRequest, validateResponse } from '../../../src/sip/message/validate.ts';
import { readInAllFeeds, wire } from '../../support/feeds.ts';

const USUAL: Readonly<Record<string, string>> = {
  via: 'Via: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bKa1;rport',
  route: 'Route: <sip:10.0.0.10;lr>',
  maxForwards: 'Max-Forwards: 70',
  from: 'From: "Alice" <sip:alice@home.example>;tag=a',
  to: 'To: <sip:bob@home.example>',
  callId: 'Call-ID: c1@10.0.1.1',
  cseq: 'CSeq: 1 INVITE',
  contact: 'Contact: <sip:alice@10.0.1.1>;+sip.instance="<urn:uuid:1>"',
};

interface Change {
  readonly [part: string]: string | undefined;
}

/** The verdict on an INVITE with these lines in place of the usual ones; undefined takes one away. */
function verdict(change: Change = {}, method = 'INVITE', uri = 'sip:bob@home.example') {
  const parts = { ...USUAL, cseq: `CSeq: 1 ${method}`, ...change };
  const lines = Object.values(parts).filter((line) => line !== undefined);
  const { message, fault } = readInAllFeeds(wire([`${method} ${uri} SIP/2.0`, ...lines, 'Content-Length: 0']));
  return validateRequest(message as SipRequest, fault);
}
const refusal = (status: number) => expect.objectContaining({ kind: 'refuse', status });

describe('a request', () => {
  it('RFC 3261 8.1.1: with all it must have is fit', () => {
    expect(verdict()).toEqual({ kind: 'fit' });
  });

  it.each<[string, Change]>([
    ['Max-Forwards (RFC 2543 knows none)', { maxForwards: undefined }],
    ['Route', { route: undefined }],
    ['a From tag (RFC 2543)', { from: 'From: sip:alice@home.example' }],
    ['a branch (RFC 2543)', { via: 'Via: SIP/2.0/UDP 10.0.1.1' }],
    ['a branch or Contact (RFC 2543, RFC 4475 3.4.1)', { via: 'Via: SIP/2.0/UDP 10.0.1.1', contact: undefined }],
  ])('without %s is fit', (_, change) => {
    expect(verdict(change)).toEqual({ kind: 'fit' });
  });

  it.each<[string, Change]>([
    ['no From', { from: undefined }],
    ['no To', { to: undefined }],
    ['no Call-ID', { callId: undefined }],
    ['an empty Call-ID', { callId: 'Call-ID:' }],
    ['a blank in the Call-ID', { callId: 'Call-ID: a b' }],
    ['no CSeq', { cseq: undefined }],
    ['a CSeq of another method', { cseq: 'CSeq: 1 BYE' }],
    ['a CSeq in another case', { cseq: 'CSeq: 1 invite' }],
    ['a CSeq of 2**31', { cseq: 'CSeq: 2147483648 INVITE' }],
    ['no Contact', { contact: undefined }],
    ['two Contacts', { contact: 'Contact: <sip:a@b>, <sip:c@d>' }],
    ['the Contact of a REGISTER', { contact: 'Contact: *' }],
    ['a Contact that is no URI', { contact: 'Contact: <alice>' }],
    ['broken parameters in Contact', { contact: 'Contact: <sip:a@b>;;' }],
    ['a From that is no URI', { from: 'From: <alice>;tag=a' }],
    ['a From with two hosts', { from: 'From: <sip:a@b@c>;tag=a' }],
    ['broken parameters in From', { from: 'From: <sip:a@b>;tag="a' }],
    ['broken parameters in To', { to: 'To: <sip:a@b>;tag=a b' }],
    ['an unbalanced quote in To', { to: 'To: "Bob <sip:a@b>' }],
    ['a Route that is no address', { route: 'Route: <sip:r;lr>, sip' }],
    ['broken parameters in Route', { route: 'Route: <sip:r;lr>;' }],
    ['a Via of another version', { via: 'Via: SIP/3.0/UDP 10.0.1.1;branch=z9hG4bKa1' }],
    ['broken parameters in Via', { via: 'Via: SIP/2.0/UDP 10.0.1.1;;branch=z9hG4bKa1' }],
    ['Max-Forwards of 256', { maxForwards: 'Max-Forwards: 256' }],
    ['a negative Max-Forwards', { maxForwards: 'Max-Forwards: -1' }],
    ['a Max-Forwards of words', { maxForwards: 'Max-Forwards: many' }],
    ['an empty Max-Forwards', { maxForwards: 'Max-Forwards:' }],
    ['an Expires of 2**32', { expires: 'Expires: 4294967296' }],
    ['an Expires of words', { expires: 'Expires: soon' }],
  ])('RFC 3261 8.2, 16.3: with %s gets 400', (_, change) => {
    expect(verdict(change)).toEqual(refusal(400));
  });

  it.each([
    'Call-ID: c2',
    'CSeq: 2 INVITE',
    'f: <sip:mallory@evil.example>;tag=b',
    't: <sip:mallory@evil.example>',
    'Max-Forwards: 69',
    'Session-Expires: 90',
    'P-Served-User: <sip:mallory@evil.example>',
  ])('RFC 4475 3.3.8: with a second header of one that stands once (%s) gets 400', (line) => {
    const first = { sessionExpires: 'x: 1800', served: 'P-Served-User: <sip:alice@home.example>' };
    expect(verdict(first)).toEqual({ kind: 'fit' });
    expect(verdict({ ...first, second: line })).toEqual(refusal(400));
  });

  it.each(['Max-Forwards: 0', 'Max-Forwards: 0000070', 'Max-Forwards: 255'])('RFC 3261 20.22: %s is fit', (line) => {
    expect(verdict({ maxForwards: line })).toEqual({ kind: 'fit' });
  });

  it.each(['Expires: 0', 'Expires: 4294967295', 'Expires: 00000000000003600'])('RFC 3261 20.19: %s is fit', (line) => {
    expect(verdict({ expires: line })).toEqual({ kind: 'fit' });
  });

  it.each(['tel:+15550100', 'im:bob@home.example', 'mailto:carol@mail.example', 'sips:bob@home.example'])(
    'a Request-URI of scheme %s is for the session to judge',
    (uri) => {
      expect(verdict({}, 'INVITE', uri)).toEqual({ kind: 'fit' });
    },
  );

  it.each([
    ['<sip:bob@home.example>', 400],
    ['bob@home.example', 400],
    ['sip:bob@home.example?Route=%3Csip:evil.example%3E', 400],
    ['sip:bob@home.example@evil.example', 400],
    ['sip:bob@home.example:99999', 400],
    [`sip:${'b'.repeat(MAX_URI_LENGTH)}@home.example`, 414],
  ])('RFC 3261 16.3 step 1, 21.4.12: Request-URI %.60s gets %d', (uri, status) => {
    expect(verdict({}, 'INVITE', uri)).toEqual(refusal(status));
  });

  it('RFC 3261 21.4.12: a Request-URI as long as allowed is fit', () => {
    const uri = `sip:${'b'.repeat(MAX_URI_LENGTH - 17)}@home.example`;
    expect(uri).toHaveLength(MAX_URI_LENGTH);
    expect(verdict({}, 'INVITE', uri)).toEqual({ kind: 'fit' });
  });

  it('RFC 3261 10.2.2: a REGISTER may have several Contacts, or the star', () => {
    expect(verdict({ contact: 'Contact: <sip:a@b>, <sip:c@d>' }, 'REGISTER')).toEqual({ kind: 'fit' });
    expect(verdict({ contact: 'Contact: *' }, 'REGISTER')).toEqual({ kind: 'fit' });
    expect(verdict({ contact: undefined }, 'REGISTER')).toEqual({ kind: 'fit' });
  });

  it.each([undefined, 'Via:', 'Via: SIP/2.0/UDP', 'Via: SIP/2.0/UDP host:0', 'Via: , SIP/2.0/UDP host'])(
    'RFC 3261 18.2.2: with Via %j there is no way back: silence',
    (via) => {
      expect(verdict({ via })).toMatchObject({ kind: 'drop' });
    },
  );

  it('RFC 3261 17: an ACK is never answered', () => {
    expect(verdict({}, 'ACK')).toEqual({ kind: 'fit' });
    expect(verdict({ from: undefined }, 'ACK')).toMatchObject({ kind: 'drop' });
  });
});

describe('a response', () => {
  const lines = [
    'Via: SIP/2.0/UDP 10.0.0.10',
    'From: <sip:a@b>;tag=1',
    'To: <sip:c@d>',
    'Call-ID: 1',
    'CSeq: 1 INVITE',
  ];
  const judged = (kept: readonly string[]) => {
    const { message, fault } = readInAllFeeds(wire(['SIP/2.0 200 OK', ...kept, 'Content-Length: 0']));
    return validateResponse(message as SipResponse, fault).kind;
  };

  it('RFC 3261 8.2.6.2: with the five headers is fit', () => {
    expect(judged(lines)).toBe('fit');
  });

  it.each(lines)('RFC 3261 18.1.2: without %s is dropped', (line) => {
    expect(judged(lines.filter((kept) => kept !== line))).toBe('drop');
  });

  it.each(['Via: SIP/3.0/UDP 10.0.0.10', 'From: <', 'To: "', 'Call-ID:', 'CSeq: 99999999999 INVITE'])(
    'RFC 3261 18.1.2: with %s is dropped',
    (line) => {
      const name = line.slice(0, line.indexOf(':'));
      expect(judged(lines.map((kept) => (kept.startsWith(name) ? line : kept)))).toBe('drop');
    },
  );

  it('RFC 3261 18.3: that is shorter than it says is dropped', () => {
    expect(validateResponse({} as SipResponse, { code: 'body-short', detail: 'x' }).kind).toBe('drop');
  });
});
