/** The rules by which a received message becomes a forwarded one (RFC 3261 16.3 to 16.7). */
import { describe, expect, it } from '@jest/globals';
import { headerField } from '../../../src/sip/message/header.ts';
import type { SipRequest, SipResponse } from '../../../src/sip/message/message.ts';
import { parseMessage } from '../../../src/sip/message/parse.ts';
import {
  forwardedCopy,
  forwardsLeft,
  hasLooped,
  loopToken,
  responseForward,
  takeOwnRoute,
  topRoute,
} from '../../../src/sip/proxy/rules.ts';
import { VirtualClock, VirtualNetwork } from '../../../src/testing/index.ts';
import { wire } from '../../support/feeds.ts';

const OWN = '10.0.0.10:5060';
const network = new VirtualNetwork(new VirtualClock()).attach(OWN, () => {});

function request(lines: readonly string[] = [], uri = 'sip:bob@home.example'): SipRequest {
  const usual = ['From: <sip:alice@home.example>;tag=a', 'To: <sip:bob@home.example>', 'Call-ID: c1', 'CSeq: 1 INVITE'];
  return parseMessage(wire([`INVITE ${uri} SIP/2.0`, ...usual, ...lines])).message as SipRequest;
}

describe('Max-Forwards', () => {
  it.each([
    [['Max-Forwards: 70'], 69],
    [['Max-Forwards: 0068'], 67],
    [['Max-Forwards: 1'], 0],
    [['Max-Forwards: 0'], -1],
    [[], 70],
  ])('RFC 3261 16.3 step 3, 16.6 step 3: after %j there are %d left', (lines, left) => {
    expect(forwardsLeft(request(lines))).toBe(left);
    expect(forwardedCopy(request(lines)).header('max-forwards')).toBe(String(left));
  });
});

describe('Route', () => {
  const taken = (lines: readonly string[], uri?: string) => {
    const changed = request(lines, uri);
    const key = takeOwnRoute(changed, network);
    return { key, uri: changed.uri, routes: changed.list('route') };
  };
  const bob = 'sip:bob@home.example';

  it.each([
    [
      'ours on top',
      ['Route: <sip:k1@10.0.0.10;lr>, <sip:next;lr>'],
      { key: 'k1', uri: bob, routes: ['<sip:next;lr>'] },
    ],
    [
      'ours twice',
      ['Route: <sip:k1@10.0.0.10;lr>', 'Route: <sip:k1@10.0.0.10:5060;transport=tcp;lr>'],
      { key: 'k1', uri: bob, routes: [] },
    ],
    [
      'ours for two sessions',
      ['Route: <sip:k1@10.0.0.10;lr>, <sip:k2@10.0.0.10;lr>, <sip:k1@10.0.0.10;lr>'],
      { key: 'k1', uri: bob, routes: ['<sip:k2@10.0.0.10;lr>', '<sip:k1@10.0.0.10;lr>'] },
    ],
    [
      'ours with a key behind ours without',
      ['Route: <sip:10.0.0.10;lr>, <sip:k1@10.0.0.10;lr>'],
      { key: 'k1', uri: bob, routes: [] },
    ],
    ['ours without a key', ['Route: <sip:10.0.0.10;lr>'], { key: undefined, uri: bob, routes: [] }],
    [
      'another’s on top',
      ['Route: <sip:next;lr>, <sip:k1@10.0.0.10;lr>'],
      { key: undefined, uri: bob, routes: ['<sip:next;lr>', '<sip:k1@10.0.0.10;lr>'] },
    ],
    [
      'our host, another port',
      ['Route: <sip:k1@10.0.0.10:5070;lr>'],
      { key: undefined, uri: bob, routes: ['<sip:k1@10.0.0.10:5070;lr>'] },
    ],
    ['none', [], { key: undefined, uri: bob, routes: [] }],
  ])('RFC 3261 16.4: with %s', (_, lines, expected) => {
    expect(taken(lines)).toEqual(expected);
  });

  it('RFC 3261 16.4: what a strict router before us has done is undone', () => {
    const lines = ['Route: <sip:next;lr>', 'Route: <sip:bob@10.0.2.2>'];
    expect(taken(lines, 'sip:k1@10.0.0.10;lr')).toEqual({
      key: 'k1',
      uri: 'sip:bob@10.0.2.2',
      routes: ['<sip:next;lr>'],
    });
  });

  it('RFC 3261 16.4: a Request-URI of ours without lr, or a Route that can not be read, is no strict routing', () => {
    expect(taken(['Route: <sip:next;lr>'], 'sip:k1@10.0.0.10').uri).toBe('sip:k1@10.0.0.10');
    expect(taken(['Route: <'], 'sip:k1@10.0.0.10;lr').uri).toBe('sip:k1@10.0.0.10;lr');
    expect(taken([], 'sip:k1@10.0.0.10;lr')).toEqual({ key: undefined, uri: 'sip:k1@10.0.0.10;lr', routes: [] });
  });

  it('topRoute is the URI of the first value', () => {
    expect(topRoute(request(['Route: "x, y" <sip:a;lr>, <sip:b>']))).toBe('sip:a;lr');
    expect(topRoute(request(['Route: <']))).toBeUndefined();
    expect(topRoute(request())).toBeUndefined();
  });
});

describe('loops', () => {
  const token = loopToken(request());
  const vias = (branch: string, host = OWN): string[] => [
    'Via: SIP/2.0/UDP 10.0.0.77;branch=z9hG4bKtop',
    `Via: SIP/2.0/UDP ${host};branch=${branch}`,
  ];

  it.each<[string, boolean, string[]]>([
    ['came back unchanged', true, vias(`z9hG4bKk1.b-l${token}`)],
    ['came back from the second target', true, vias(`z9hG4bKk1.b-l${token}.1`)],
    [
      'came back with parameters before the branch',
      true,
      vias(`x;rport;received=1.2.3.4;branch=z9hG4bKk-l${token};y`).map((line) => line.replace('branch=x;', '')),
    ],
    [
      'came back with our Via third in a line',
      true,
      ['Via: SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/UDP b', `Via: SIP/2.0/UDP ${OWN};branch=z9hG4bKk-l${token}`],
    ],
    ['has another token in our Via (a spiral)', false, vias('z9hG4bKk1.b-l00000000')],
    ['has the token in another’s Via', false, vias(`z9hG4bKk1.b-l${token}`, '10.0.0.99:5060')],
    ['has more behind the token', false, vias(`z9hG4bKk1.b-l${token}x`)],
    ['has the token in another parameter', false, vias(`z9hG4bKk;x=-l${token}`)],
    ['has no branch with the token but text of it', false, vias(`1;x=z9hG4bKk-l${token}`)],
    ['has one Via', false, [`Via: SIP/2.0/UDP ${OWN};branch=z9hG4bKk1.b-l${token}`]],
  ])('RFC 3261 16.3 step 4: a request that %s has looped: %s', (_, looped, lines) => {
    expect(hasLooped(request(lines), network)).toBe(looped);
  });

  it.each([
    ['Request-URI', request([], 'sip:carol@home.example')],
    ['Route', request(['Route: <sip:r;lr>'])],
    ['Proxy-Require', request(['Proxy-Require: x'])],
    ['P-Served-User', request(['P-Served-User: <sip:bob@home.example>;sescase=term'])],
  ])('RFC 3261 16.6 step 8: another %s gives another token', (_, changed) => {
    expect(loopToken(changed)).not.toBe(token);
  });

  it('RFC 3261 16.6 step 8: what changes on the way gives the same', () => {
    expect(loopToken(request(['Max-Forwards: 3', 'Via: x', 'Record-Route: <sip:y>']))).toBe(token);
  });
});

describe('a forwarded response', () => {
  const response = parseMessage(
    wire(['SIP/2.0 200 OK', 'v:SIP/2.0/UDP us;branch=1,SIP/2.0/UDP them', 'To:<sip:b@c>;tag=1', 'X: y']),
  ).message as SipResponse;

  it('RFC 3261 16.7 step 3: loses our Via and nothing else', () => {
    expect(responseForward(response).headers.map((field) => field.line)).toEqual([
      'v: SIP/2.0/UDP them',
      'To:<sip:b@c>;tag=1',
      'X: y',
    ]);
    expect(response.list('via')).toHaveLength(2);
  });

  it('may have lines replaced', () => {
    expect(responseForward(response, [headerField('x', 'z')]).header('session-expires')).toBe('z');
  });
});
