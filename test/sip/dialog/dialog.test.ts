/** Dialogs as data (RFC 3261 12): what is kept of a request or response, and the requests made from it. */
import { describe, expect, it } from '@jest/globals';
import {
  type Dialog,
  dialogOfRequest,
  dialogOfResponse,
  requestInDialog,
  routed,
} from '../../../src/sip/dialog/dialog.ts';
import { bytesOfWire } from '../../../src/sip/message/bytes.ts';
import { headerField } from '../../../src/sip/message/header.ts';
import type { SipRequest, SipResponse } from '../../../src/sip/message/message.ts';
import { parseMessage } from '../../../src/sip/message/parse.ts';
import { wire } from '../../support/feeds.ts';

const INVITE = parseMessage(
  wire([
    'INVITE sip:bob@home.example SIP/2.0',
    'Via: SIP/2.0/UDP 10.0.1.1;branch=z9hG4bKa',
    'Record-Route: <sip:p2;lr>, <sip:p1;lr>',
    'Record-Route: <sip:p0;lr>',
    'From: "Alice; x" <sip:alice@home.example;tag=uri>;x=1;tag=a;y',
    'To: <sip:bob@home.example>',
    'Call-ID: c1@10.0.1.1',
    'CSeq: 314 INVITE',
    'Contact: "A" <sip:alice@10.0.1.1;ob>;expires=1',
  ]),
).message as SipRequest;

describe('the dialog of a request', () => {
  it('RFC 3261 12.1.1: has the route set in order, the Contact as target, and no number of ours yet', () => {
    expect(dialogOfRequest(INVITE, 'local')).toEqual({
      callId: 'c1@10.0.1.1',
      localTag: 'local',
      remoteTag: 'a',
      localAddress: '<sip:bob@home.example>',
      remoteAddress: '"Alice; x" <sip:alice@home.example;tag=uri>;x=1;y',
      localCSeq: 0,
      remoteCSeq: 314,
      routes: ['<sip:p2;lr>', '<sip:p1;lr>', '<sip:p0;lr>'],
      target: 'sip:alice@10.0.1.1;ob',
    });
  });

  it('RFC 2543 6.13: a peer without a Contact is reached by its From, one without a tag has an empty one', () => {
    const old = INVITE.copy();
    old.remove('contact');
    old.set('From', 'sip:alice@home.example;user=phone');
    expect(dialogOfRequest(old, 'local')).toMatchObject({ target: 'sip:alice@home.example', remoteTag: '' });
  });
});

describe('the dialog of a response', () => {
  const asked = {
    callId: 'c2',
    localTag: 'mine',
    localAddress: '<sip:alice@home.example>',
    remoteAddress: '<sip:bob@home.example>',
    cseq: 7,
    uri: 'sip:bob@home.example',
  };
  const response = (lines: readonly string[]): SipResponse =>
    parseMessage(wire(['SIP/2.0 200 OK', ...lines])).message as SipResponse;

  it('RFC 3261 12.1.2: has the route set reversed, and nothing heard of the peer yet', () => {
    const answer = response([
      'Record-Route: <sip:p2;lr>, <sip:p1;lr>',
      'Record-Route: <sip:p0;lr>',
      'To: <sip:bob@home.example>;tag=theirs',
      'Contact: <sip:bob@10.0.2.2>',
    ]);
    expect(dialogOfResponse(asked, answer)).toEqual({
      callId: 'c2',
      localTag: 'mine',
      remoteTag: 'theirs',
      localAddress: '<sip:alice@home.example>',
      remoteAddress: '<sip:bob@home.example>',
      localCSeq: 7,
      remoteCSeq: -1,
      routes: ['<sip:p0;lr>', '<sip:p1;lr>', '<sip:p2;lr>'],
      target: 'sip:bob@10.0.2.2',
    });
  });

  it.each([[[]], [['Contact: <']], [['To: "']]])(
    'without a usable Contact or tag keeps to the Request-URI: %j',
    (lines) => {
      expect(dialogOfResponse(asked, response(lines))).toMatchObject({ target: 'sip:bob@home.example', remoteTag: '' });
    },
  );
});

describe('a request inside the dialog', () => {
  const dialog: Dialog = { ...dialogOfRequest(INVITE, 'local'), localCSeq: 5 };
  const made = (changed: Partial<Dialog> = {}) =>
    requestInDialog({ ...dialog, ...changed }, 'BYE', 6, [headerField('Reason', 'x')], bytesOfWire('body'));

  it('RFC 3261 12.2.1.1: goes to the target by the route set, with the tags of the dialog', () => {
    const { request, hop } = made();
    expect([request.method, request.uri, hop]).toEqual(['BYE', 'sip:alice@10.0.1.1;ob', 'sip:p2;lr']);
    expect(request.headers.map((field) => field.line)).toEqual([
      'Route: <sip:p2;lr>',
      'Route: <sip:p1;lr>',
      'Route: <sip:p0;lr>',
      'Max-Forwards: 70',
      'From: <sip:bob@home.example>;tag=local',
      'To: "Alice; x" <sip:alice@home.example;tag=uri>;x=1;y;tag=a',
      'Call-ID: c1@10.0.1.1',
      'CSeq: 6 BYE',
      'Reason: x',
    ]);
    expect([request.toTag, request.fromTag]).toEqual(['a', 'local']);
    expect(request.body).toHaveLength(4);
  });

  it('RFC 3261 12.2.1.1: to a peer without a tag carries none', () => {
    expect(made({ remoteTag: '' }).request.toTag).toBeUndefined();
  });
});

describe('a route set', () => {
  it.each([
    ['empty', [], { uri: 'sip:t', routes: [], hop: 'sip:t' }],
    [
      'of loose routers',
      ['<sip:a;lr>', '<sip:b>'],
      { uri: 'sip:t', routes: ['<sip:a;lr>', '<sip:b>'], hop: 'sip:a;lr' },
    ],
    [
      'of loose routers, with a value',
      ['<sip:a;lr=on>'],
      { uri: 'sip:t', routes: ['<sip:a;lr=on>'], hop: 'sip:a;lr=on' },
    ],
    ['of loose routers, escaped', ['<sip:a;%6Cr>'], { uri: 'sip:t', routes: ['<sip:a;%6Cr>'], hop: 'sip:a;%6Cr' }],
    [
      'beginning with a strict one',
      ['<sip:a>', '<sip:b;lr>'],
      { uri: 'sip:a', routes: ['<sip:b;lr>', '<sip:t>'], hop: 'sip:a' },
    ],
    ['of one strict router', ['<sip:a>;x'], { uri: 'sip:a', routes: ['<sip:t>'], hop: 'sip:a' }],
    ['that can not be read', ['<'], { uri: 'sip:t', routes: [], hop: 'sip:t' }],
  ])('RFC 3261 12.2.1.1: %s', (_, routes, expected) => {
    expect(routed('sip:t', routes)).toEqual(expected);
  });
});
