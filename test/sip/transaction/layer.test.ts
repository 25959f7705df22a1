/** Which transaction a message belongs to (RFC 3261 17.1.3, 17.2.3, 9.2, 8.2.2.2), and that none is forgotten. */
import { describe, expect, it } from '@jest/globals';
import { headerField } from '../../../src/sip/message/header.ts';
import { responseTo } from '../../../src/sip/message/respond.ts';
import { Bench, Listener, NOTHING_LEFT, request } from './bench.ts';

const VIA = 'SIP/2.0/UDP 10.0.0.2:5060';
const via = (value: string): ['Via', string] => ['Via', value];

describe('a response', () => {
  it('RFC 3261 17.1.3: finds its transaction by branch and CSeq method: a CANCEL has the branch of its INVITE', () => {
    const bench = new Bench();
    const [toInvite, toCancel] = [new Listener(), new Listener()];
    const [invite, cancel] = [request('INVITE'), request('CANCEL')];
    bench.layer.createClient(invite, bench.flow, toInvite).start();
    bench.layer.createClient(cancel, bench.flow, toCancel).start();
    bench.layer.receiveResponse(responseTo(cancel, 200));
    bench.layer.receiveResponse(responseTo(invite, 487));
    expect([toInvite.heard, toCancel.heard]).toEqual([[487], [200]]);
  });

  it.each([
    ['another branch', { via: `${VIA};branch=z9hG4bKother` }],
    ['no branch', { via: VIA }],
    ['another method', { cseq: '1 OPTIONS' }],
    ['a broken CSeq', { cseq: 'x' }],
  ])('RFC 3261 17.1.3: with %s has none', (_, change: { via?: string; cseq?: string }) => {
    const bench = new Bench();
    const transaction = bench.ask();
    const response = responseTo(transaction.request ?? request(), 200);
    if (change.via !== undefined) response.set('Via', change.via);
    if (change.cseq !== undefined) response.set('CSeq', change.cseq);
    expect(bench.layer.receiveResponse(response)).toBe(false);
    expect(bench.user.heard).toEqual([]);
  });
});

describe('a request with a branch of RFC 3261', () => {
  it.each<[string, boolean, readonly (readonly [string, string])[]]>([
    ['the same branch and sent-by', true, []],
    [
      'other headers',
      true,
      [
        ['Call-ID', 'other'],
        ['From', '<sip:x@y>;tag=z'],
        ['CSeq', '9 OPTIONS'],
      ],
    ],
    ['other parameters of Via', true, [via(`${VIA};received=1.2.3.4;branch=z9hG4bKa1;rport=1`)]],
    ['another branch', false, [via(`${VIA};branch=z9hG4bKa2`)]],
    ['another host', false, [via('SIP/2.0/UDP 10.0.0.3:5060;branch=z9hG4bKa1')]],
    ['another port', false, [via('SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bKa1')]],
    ['no port', false, [via('SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKa1')]],
  ])('RFC 3261 17.2.3: %s: a copy is %s', (_, same, lines) => {
    const bench = new Bench();
    bench.serve('OPTIONS');
    expect(bench.comes('OPTIONS', lines)).toBe(same);
  });

  it('RFC 3261 17.2.3: the method counts, but an ACK belongs to its INVITE', () => {
    const bench = new Bench();
    bench.serve('INVITE').respond(responseTo(request(), 486));
    expect(bench.comes('OPTIONS')).toBe(false);
    expect(bench.comes('CANCEL')).toBe(false);
    expect(bench.comes('ACK')).toBe(true);
  });

  it('RFC 3261 9.2: a CANCEL finds its INVITE, also an answered one, and no other transaction', () => {
    const bench = new Bench();
    const invite = bench.serve('INVITE');
    bench.serve('OPTIONS', [via(`${VIA};branch=z9hG4bKo1`)]);
    expect(bench.layer.findCancelled(request('CANCEL'))).toBe(invite);
    expect(bench.layer.findCancelled(request('CANCEL', [via(`${VIA};branch=z9hG4bKo1`)]))).toBeUndefined();
    expect(bench.layer.findCancelled(request('CANCEL', [via(`${VIA};branch=z9hG4bKx`)]))).toBeUndefined();
    invite.respond(responseTo(request(), 486));
    expect(bench.layer.findCancelled(request('CANCEL'))).toBe(invite);
    expect(invite.onCancel).toBeUndefined();
  });
});

describe.each([
  ['no branch at all', VIA],
  ['a branch without the magic cookie', `${VIA};branch=1`],
  ['the magic cookie and nothing else (RFC 4475 3.2.1)', `${VIA};branch=z9hG4bK`],
])('a request with %s', (_, old) => {
  const serve = (bench: Bench, method: string) => bench.serve(method, [via(old)]);
  const comes = (bench: Bench, method: string, lines: readonly (readonly [string, string])[] = []) =>
    bench.comes(method, lines.some(([name]) => name === 'Via') ? lines : [via(old), ...lines]);

  it('RFC 3261 17.2.3: is a copy where Request-URI, From tag, Call-ID, CSeq and sent-by are the same', () => {
    const bench = new Bench();
    serve(bench, 'OPTIONS');
    expect(comes(bench, 'OPTIONS')).toBe(true);
    expect(comes(bench, 'OPTIONS', [['Call-ID', 'c2']])).toBe(false);
    expect(comes(bench, 'OPTIONS', [['From', '<sip:alice@home.example>;tag=b']])).toBe(false);
    expect(comes(bench, 'OPTIONS', [['From', '<sip:alice@home.example>']])).toBe(false);
    expect(comes(bench, 'OPTIONS', [['CSeq', '2 OPTIONS']])).toBe(false);
    expect(comes(bench, 'INFO', [['CSeq', '1 INFO']])).toBe(false);
    expect(bench.layer.receiveRequest(request('OPTIONS', [via(old)], 'sip:carol@home.example'))).toBe(false);
    expect(comes(bench, 'OPTIONS', [via(old.replace('10.0.0.2', '10.0.0.3'))])).toBe(false);
  });

  it('RFC 3261 17.2.3: the ACK belongs to its INVITE, though it has a To tag', () => {
    const bench = new Bench();
    serve(bench, 'INVITE').respond(responseTo(request('INVITE', [via(old)]), 486, { toTag: 'b' }));
    expect(comes(bench, 'ACK', [['To', '<sip:bob@home.example>;tag=b']])).toBe(true);
    bench.at(5000);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });

  it('RFC 6026 6: the ACK of a 2xx goes on to the user', () => {
    const bench = new Bench();
    serve(bench, 'INVITE').respond(responseTo(request('INVITE', [via(old)]), 200, { toTag: 'b' }));
    expect(comes(bench, 'ACK', [['To', '<sip:bob@home.example>;tag=b']])).toBe(false);
  });

  it('RFC 3261 9.2: the CANCEL finds it', () => {
    const bench = new Bench();
    const invite = serve(bench, 'INVITE');
    expect(bench.layer.findCancelled(request('CANCEL', [via(old)]))).toBe(invite);
  });
});

describe('merged requests', () => {
  it('RFC 3261 8.2.2.2: are known by their key for as long as the first one lives', () => {
    const bench = new Bench();
    const transaction = bench.layer.createServer(request(), bench.flow, 'key');
    expect([bench.layer.isMerged('key'), bench.layer.isMerged('other')]).toEqual([true, false]);
    transaction.respond(responseTo(request(), 486));
    bench.comes('ACK');
    bench.at(4999);
    expect(bench.layer.isMerged('key')).toBe(true);
    bench.at(5000);
    expect(bench.layer.isMerged('key')).toBe(false);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });

  it('a later transaction under the same key is not forgotten with the earlier one', () => {
    const bench = new Bench('TCP');
    const first = bench.layer.createServer(request(), bench.flow, 'key');
    bench.layer.createServer(request('INVITE', [via(`${VIA};branch=z9hG4bKb`)]), bench.flow, 'key');
    first.respond(responseTo(request(), 486));
    bench.comes('ACK');
    expect(bench.left.servers).toBe(1);
    expect(bench.layer.isMerged('key')).toBe(true);
  });
});

describe('a layer that is shut down', () => {
  it('holds nothing, tells nobody and sends nothing', () => {
    const bench = new Bench();
    bench.ask();
    bench.ask('OPTIONS');
    bench.layer.createServer(request('INVITE'), bench.flow, 'key').respond(responseTo(request(), 486));
    bench.serve('OPTIONS');
    const before = bench.flow.lines.length;
    bench.layer.clear();
    expect(bench.left).toEqual(NOTHING_LEFT);
    expect(bench.layer.isMerged('key')).toBe(false);
    bench.at(100_000);
    expect(bench.flow.lines).toHaveLength(before);
    expect(bench.user.heard).toEqual([]);
  });
});

it('a final response lets go of the request, so that what lingers is small', () => {
  const bench = new Bench();
  const [client, server] = [bench.ask(), bench.serve('OPTIONS', [via(`${VIA};branch=z9hG4bKs`)])];
  expect([client.request, server.request].map((kept) => kept?.callId)).toEqual(['c1@10.0.0.2', 'c1@10.0.0.2']);
  bench.answer(486);
  bench.answer(486);
  server.respond(responseTo(request('OPTIONS'), 200, { headers: [headerField('Allow', 'INVITE')] }));
  expect([client.request, client.response, server.request]).toEqual([undefined, undefined, undefined]);
});
