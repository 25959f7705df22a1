/** Reading and changing messages, and making responses of requests (RFC 3261 7, 8.2.6, 16.6). */
import { describe, expect, it } from '@jest/globals';
import { wireOfBytes } from '../../../src/sip/message/bytes.ts';
import { headerField } from '../../../src/sip/message/header.ts';
import type { SipRequest, SipResponse } from '../../../src/sip/message/message.ts';
import { parseMessage } from '../../../src/sip/message/parse.ts';
import { reasonPhrase } from '../../../src/sip/message/reason.ts';
import { responseTo } from '../../../src/sip/message/respond.ts';
import { serialize } from '../../../src/sip/message/serialize.ts';
import { wire } from '../../support/feeds.ts';

const parse = (lines: readonly string[]): SipRequest =>
  parseMessage(wire(['INVITE sip:bob@home.example SIP/2.0', ...lines])).message as SipRequest;
const linesOf = (message: SipRequest | SipResponse): string[] => message.headers.map((field) => field.line);

describe('reading', () => {
  it('gives the first line, all lines, and all values of a header', () => {
    const request = parse(['Allow: INVITE, ACK', 'Subject: x', 'Allow:BYE']);
    expect(request.header('allow')).toBe('INVITE, ACK');
    expect(request.lines('allow').map((field) => field.value)).toEqual(['INVITE, ACK', 'BYE']);
    expect(request.list('allow')).toEqual(['INVITE', 'ACK', 'BYE']);
    expect([request.lists('allow', 'bye'), request.lists('allow', 'INFO')]).toEqual([true, false]);
    expect([request.has('subject'), request.has('route')]).toEqual([true, false]);
  });

  it.each([
    ['v: SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b;branch=2', 'a', '1'],
    ['Via: SIP/2.0/UDP a;branch=1;x="y, z", SIP/2.0/UDP b', 'a', '1'],
    ['Via: SIP/2.0/UDP a', 'a', undefined],
    ['Via: broken', undefined, undefined],
  ])('RFC 3261 20.42: the topmost value of %j', (line, host, branch) => {
    const request = parse([line, 'Via: SIP/2.0/UDP c;branch=3']);
    expect([request.via?.host, request.branch]).toEqual([host, branch]);
  });

  it.each([
    ['0 INVITE', { number: 0, method: 'INVITE' }],
    ['0009   INVITE', { number: 9, method: 'INVITE' }],
    ['2147483647 ACK', { number: 2147483647, method: 'ACK' }],
    ['2147483648 ACK', undefined],
    ['36893488147419103232 REGISTER', undefined],
    ['-1 ACK', undefined],
    ['1', undefined],
    ['ACK 1', undefined],
    ['1 INVITE x', undefined],
    ['', undefined],
  ])('RFC 3261 8.1.1.5: CSeq %j', (value, cseq) => {
    expect(parse([`CSeq: ${value}`]).cseq).toEqual(cseq);
  });

  it('gives nothing, and throws nothing, where headers are missing or broken', () => {
    for (const request of [parse([]), parse(['From: "', 'To: <', 'Contact: <', 'CSeq: x', 'Via: y'])]) {
      const { from, to, fromTag, toTag, via, branch, cseq, contact } = request;
      expect([from, to, fromTag, toTag, via, branch, cseq, contact]).toEqual(Array(8).fill(undefined));
    }
    expect(parse([]).callId).toBe('');
  });
});

describe('changing', () => {
  it('what is read is what was written last', () => {
    const request = parse(['Via: SIP/2.0/UDP a', 'From: <sip:a@b>;tag=1', 'To: <sip:c@d>', 'CSeq: 1 INVITE']);
    expect([request.via?.host, request.fromTag, request.toTag, request.cseq?.number]).toEqual(['a', '1', undefined, 1]);
    request.prepend('Via', 'SIP/2.0/UDP b');
    request.set('From', '<sip:a@b>;tag=2');
    request.set('To', '<sip:c@d>;tag=3');
    request.set('CSeq', '2 INVITE');
    expect([request.via?.host, request.fromTag, request.toTag, request.cseq?.number]).toEqual(['b', '2', '3', 2]);
    request.removeTop('via');
    request.remove('to');
    expect([request.via?.host, request.toTag]).toEqual(['a', undefined]);
  });

  it('set replaces the first line of a name in its place, whatever its spelling, or adds one', () => {
    const request = parse(['s: x', 'Max-Forwards: 70', 'Subject: y']);
    request.set('Subject', 'z');
    request.set('Route', '<sip:r>');
    expect(linesOf(request)).toEqual(['Subject: z', 'Max-Forwards: 70', 'Subject: y', 'Route: <sip:r>']);
  });

  it('RFC 3261 16.7: removeTop takes one value of a line, and its line with the last one', () => {
    const request = parse(['v :  SIP/2.0/UDP a , SIP/2.0/UDP b;x="1,2",SIP/2.0/UDP c', 'Via: SIP/2.0/UDP d']);
    request.removeTop('via');
    expect(linesOf(request)).toEqual(['v: SIP/2.0/UDP b;x="1,2", SIP/2.0/UDP c', 'Via: SIP/2.0/UDP d']);
    for (let left = 3; left > 0; left--) request.removeTop('via');
    expect(linesOf(request)).toEqual([]);
    request.removeTop('via');
    expect(linesOf(request)).toEqual([]);
  });

  it('a copy changes alone', () => {
    const request = parse(['Subject: x']);
    const copy = request.copy();
    copy.set('Subject', 'y');
    copy.uri = 'sip:carol@home.example';
    expect([request.header('subject'), request.uri]).toEqual(['x', 'sip:bob@home.example']);
  });
});

describe('responseTo', () => {
  const request = parse([
    'Via: SIP/2.0/UDP a;branch=1',
    'v:SIP/2.0/UDP b',
    'Record-Route: <sip:r;lr>',
    'Route: <sip:x>',
    'f: <sip:a@b>;tag=1',
    'To : <sip:c@d>',
    'i: 1@a',
    'CSeq:1 INVITE',
    'Timestamp: 54',
    'Subject: x',
  ]);

  it('RFC 3261 8.2.6.2: copies Via, From, To, Call-ID and CSeq as they stand, and adds a To tag', () => {
    const response = responseTo(request, 404, { toTag: 't' });
    expect(linesOf(response)).toEqual([
      'Via: SIP/2.0/UDP a;branch=1',
      'v:SIP/2.0/UDP b',
      'f: <sip:a@b>;tag=1',
      'To: <sip:c@d>;tag=t',
      'i: 1@a',
      'CSeq:1 INVITE',
    ]);
    expect([response.status, response.reason, response.toTag]).toEqual([404, 'Not Found', 't']);
  });

  it('RFC 3261 8.2.6.1: a 100 copies Timestamp, and no tag is made up for it', () => {
    const response = responseTo(request, 100);
    expect(response.header('timestamp')).toBe('54');
    expect(response.header('to')).toBe('<sip:c@d>');
    expect(responseTo(request, 180, { toTag: 't' }).has('timestamp')).toBe(false);
  });

  it('RFC 3261 12.1.1: a response that makes a dialog copies Record-Route', () => {
    expect(responseTo(request, 200, { toTag: 't', recordRoute: true }).header('record-route')).toBe('<sip:r;lr>');
    expect(responseTo(request, 200, { toTag: 't' }).has('record-route')).toBe(false);
  });

  it('RFC 3261 8.2.6.2: a To tag that is there stays', () => {
    const tagged = parse(['To: sip:c@d ;tag=old']);
    expect(responseTo(tagged, 200, { toTag: 'new' }).header('to')).toBe('sip:c@d ;tag=old');
  });

  it('carries its own headers, reason and body', () => {
    const body = new Uint8Array([0x6f, 0x6b]);
    const response = responseTo(request, 299, { reason: 'Fine', headers: [headerField('Warning', 'w')], body });
    const text = wireOfBytes(serialize(response));
    expect(text).toMatch(/^SIP\/2\.0 299 Fine\r\n/);
    expect(text).toMatch(/\r\nWarning: w\r\nContent-Length: 2\r\n\r\nok$/);
  });

  it('RFC 3261 7.2: a code nobody registered gets the phrase of its class', () => {
    expect([199, 299, 499, 699].map(reasonPhrase)).toEqual(['Progress', 'OK', 'Refused', 'Refused']);
  });
});
