/** Client transactions in virtual time (RFC 3261 17.1, RFC 6026 7.2): what is sent when, and what its user is told. */
import { describe, expect, it } from '@jest/globals';
import type { SipRequest } from '../../../src/sip/message/message.ts';
import { Bench, NOTHING_LEFT } from './bench.ts';

describe('INVITE over UDP', () => {
  it('RFC 3261 17.1.1.2: timer A doubles from T1 without a bound, timer B ends it after 64*T1', () => {
    const bench = new Bench();
    bench.ask();
    bench.at(31_999);
    expect(bench.flow.times).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    expect(new Set(bench.flow.sent.map(({ text }) => text)).size).toBe(1);
    expect(bench.user.heard).toEqual([]);
    bench.at(32_000);
    expect(bench.user.heard).toEqual(['timeout']);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });

  it('RFC 3261 17.1.1.2: a provisional response stops timers A and B, however long it takes', () => {
    const bench = new Bench();
    bench.ask();
    bench.at(600);
    expect(bench.answer(180)).toBe(true);
    bench.answer(100);
    bench.answer(183);
    bench.at(3_600_000);
    expect(bench.flow.times).toEqual([0, 500]);
    expect(bench.user.heard).toEqual([180, 100, 183]);
    expect(bench.left).toEqual({ clients: 1, servers: 0, timers: 0 });
  });

  it('RFC 6026 7.2: after a 2xx every 2xx goes up for 64*T1, none is acknowledged here, then the transaction is gone', () => {
    const bench = new Bench();
    bench.ask();
    bench.at(100);
    bench.answer(180);
    bench.answer(200);
    bench.at(32_099);
    expect(bench.answer(200)).toBe(true);
    expect(bench.answer(200, 'fork2')).toBe(true);
    expect(bench.user.heard).toEqual([180, 200, 200, 200]);
    expect(bench.flow.lines).toEqual(['INVITE']);
    bench.at(32_100);
    expect(bench.answer(200)).toBe(false);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });

  it('RFC 6026 8.4: in Accepted a non-2xx final or a provisional response says nothing', () => {
    const bench = new Bench();
    bench.ask();
    bench.answer(200);
    expect([bench.answer(486), bench.answer(180)]).toEqual([true, true]);
    expect(bench.user.heard).toEqual([200]);
    expect(bench.flow.lines).toEqual(['INVITE']);
  });

  it.each([300, 404, 503, 699])(
    'RFC 3261 17.1.1.2: a %d is acknowledged, told once, its copies acknowledged for 32 s',
    (status) => {
      const bench = new Bench();
      bench.ask();
      bench.at(600);
      bench.answer(status);
      bench.at(1100);
      expect(bench.answer(status)).toBe(true);
      bench.at(32_599);
      expect(bench.answer(status)).toBe(true);
      expect(bench.user.heard).toEqual([status]);
      expect(bench.flow.lines).toEqual(['INVITE', 'INVITE', 'ACK', 'ACK', 'ACK']);
      expect(bench.flow.times).toEqual([0, 500, 600, 1100, 32_599]);
      expect(bench.flow.sent[3]?.text).toBe(bench.flow.sent[2]?.text);
      bench.at(32_600);
      expect(bench.answer(status)).toBe(false);
      expect(bench.left).toEqual(NOTHING_LEFT);
    },
  );

  it('RFC 3261 17.1.1.2: timer D is at least 32 s, though 64*T1 is less; timers B and M follow T1', () => {
    const bench = new Bench('UDP', { t1: 100 });
    bench.ask();
    bench.answer(486);
    bench.at(31_999);
    expect(bench.left.clients).toBe(1);
    bench.at(32_000);
    expect(bench.left).toEqual(NOTHING_LEFT);

    const silent = new Bench('UDP', { t1: 100 });
    silent.ask();
    silent.at(6400);
    expect(silent.flow.times).toEqual([0, 100, 300, 700, 1500, 3100, 6300]);
    expect(silent.user.heard).toEqual(['timeout']);

    const accepted = new Bench('UDP', { t1: 100 });
    accepted.ask();
    accepted.answer(200);
    accepted.at(6400);
    expect(accepted.left).toEqual(NOTHING_LEFT);
  });

  it('RFC 3261 17.1.1.3: the ACK is made of the INVITE, but for the To of the response and its own CSeq', () => {
    const bench = new Bench();
    bench.ask('INVITE', [
      ['Route', '<sip:r1;lr>'],
      ['Route', '<sip:r2;lr>'],
      ['Contact', '<sip:alice@10.0.0.2>'],
      ['Subject', 'hello'],
      ['CSeq', '4711 INVITE'],
      ['Via', 'SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKa1;rport'],
      ['Via', 'SIP/2.0/UDP 10.0.0.3;branch=z9hG4bKunder'],
    ]);
    bench.answer(486, 'busy');
    const ack = bench.flow.sent[1]?.message as SipRequest;
    expect([ack.method, ack.uri]).toEqual(['ACK', 'sip:bob@home.example']);
    expect(ack.list('via')).toEqual(['SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKa1;rport']);
    expect(ack.list('route')).toEqual(['<sip:r1;lr>', '<sip:r2;lr>']);
    expect(ack.header('from')).toBe('<sip:alice@home.example>;tag=a');
    expect(ack.header('to')).toBe('<sip:bob@home.example>;tag=busy');
    expect(ack.callId).toBe('c1@10.0.0.2');
    expect(ack.header('cseq')).toBe('4711 ACK');
    expect(ack.header('max-forwards')).toBe('70');
    expect(ack.body).toHaveLength(0);
    expect(['contact', 'subject'].filter((name) => ack.has(name))).toEqual([]);
  });
});

describe('INVITE over TCP', () => {
  it('RFC 3261 17.1.1.2: is sent once; timer B ends it all the same', () => {
    const bench = new Bench('TCP');
    bench.ask();
    bench.at(31_999);
    expect(bench.user.heard).toEqual([]);
    bench.at(32_000);
    expect(bench.flow.times).toEqual([0]);
    expect(bench.user.heard).toEqual(['timeout']);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });

  it('RFC 3261 17.1.1.2: timer D is zero: after the ACK of a non-2xx nothing is left', () => {
    const bench = new Bench('TCP');
    bench.ask();
    bench.answer(486);
    expect(bench.flow.lines).toEqual(['INVITE', 'ACK']);
    expect(bench.user.heard).toEqual([486]);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });

  it('RFC 6026 8.4: timer M is 64*T1 here too, since other forks may still answer', () => {
    const bench = new Bench('TCP');
    bench.ask();
    bench.answer(200);
    bench.at(31_999);
    expect(bench.answer(200, 'fork2')).toBe(true);
    bench.at(32_000);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });
});

describe('another request', () => {
  const UNTIL_F = [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];

  it('RFC 3261 17.1.2.2: over UDP timer E doubles up to T2, timer F ends it after 64*T1', () => {
    const bench = new Bench();
    bench.ask('OPTIONS');
    bench.at(31_999);
    expect(bench.flow.times).toEqual(UNTIL_F);
    expect(bench.user.heard).toEqual([]);
    bench.at(32_000);
    expect(bench.user.heard).toEqual(['timeout']);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });

  it('RFC 3261 17.1.2.2: in Proceeding it goes on every T2, and timer F still ends it', () => {
    const bench = new Bench();
    bench.ask('OPTIONS');
    bench.at(600);
    bench.answer(100);
    bench.at(32_000);
    expect(bench.flow.times).toEqual([0, 500, 1500, 5500, 9500, 13_500, 17_500, 21_500, 25_500, 29_500]);
    expect(bench.user.heard).toEqual([100, 'timeout']);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });

  it.each([200, 302, 404, 503, 603])('RFC 3261 17.1.2.2: a %d is told once; copies are absorbed for T4', (status) => {
    const bench = new Bench();
    bench.ask('OPTIONS');
    bench.at(600);
    bench.answer(status);
    bench.at(5599);
    expect(bench.answer(status)).toBe(true);
    expect(bench.answer(100)).toBe(true);
    expect(bench.user.heard).toEqual([status]);
    expect(bench.flow.times).toEqual([0, 500]);
    bench.at(5600);
    expect(bench.answer(status)).toBe(false);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });

  it('RFC 3261 17.1.2.2: over TCP it is sent once, timer F stays, timer K is zero', () => {
    const silent = new Bench('TCP');
    silent.ask('OPTIONS');
    silent.at(32_000);
    expect([silent.flow.times, silent.user.heard]).toEqual([[0], ['timeout']]);
    expect(silent.left).toEqual(NOTHING_LEFT);

    const answered = new Bench('TCP');
    answered.ask('OPTIONS');
    answered.answer(200);
    expect(answered.user.heard).toEqual([200]);
    expect(answered.left).toEqual(NOTHING_LEFT);
  });

  it('follows T1, T2 and T4 as they are set', () => {
    const bench = new Bench('UDP', { t1: 100, t2: 300, t4: 50 });
    bench.ask('OPTIONS');
    bench.at(1300);
    expect(bench.flow.times).toEqual([0, 100, 300, 600, 900, 1200]);
    bench.answer(200);
    bench.at(1349);
    expect(bench.left.clients).toBe(1);
    bench.at(1350);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });
});

describe('a flow that fails', () => {
  it.each([
    ['INVITE', 'UDP'],
    ['INVITE', 'TCP'],
    ['OPTIONS', 'UDP'],
    ['OPTIONS', 'TCP'],
  ] as const)(
    'RFC 3261 17.1.4: at the first send of %s over %s the user is told once, and nothing is left',
    (method, transport) => {
      const bench = new Bench(transport);
      bench.flow.broken = true;
      bench.ask(method);
      bench.at(100_000);
      expect(bench.user.heard).toEqual(['transport: no route']);
      expect(bench.left).toEqual(NOTHING_LEFT);
    },
  );

  it.each(['INVITE', 'OPTIONS'])(
    'RFC 3261 17.1.4: at a retransmission of %s too, and no timer stays behind',
    (method) => {
      const bench = new Bench();
      bench.ask(method);
      bench.flow.broken = true;
      bench.at(500);
      expect(bench.user.heard).toEqual(['transport: no route']);
      expect(bench.left).toEqual(NOTHING_LEFT);
    },
  );

  it('RFC 3261 17.1.4: later, when the network says so', () => {
    const bench = new Bench();
    const transaction = bench.ask();
    bench.at(200);
    transaction.onTransportError('connection refused');
    transaction.onTransportError('connection refused');
    expect(bench.user.heard).toEqual(['transport: connection refused']);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });

  it('at the ACK: the user has its response and hears of nothing else', () => {
    const bench = new Bench();
    bench.ask();
    bench.flow.broken = true;
    bench.answer(486);
    bench.at(100_000);
    expect(bench.user.heard).toEqual([486]);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });
});

describe('an INVITE taken up after a restart', () => {
  it('sends nothing and waits for its answer', () => {
    const bench = new Bench();
    const sent = new Bench();
    sent.ask();
    const asked = sent.flow.sent[0]?.message as SipRequest;
    const transaction = bench.layer.createClient(asked, bench.flow, bench.user);
    if ('resume' in transaction) transaction.resume();
    bench.at(3_600_000);
    expect([bench.flow.lines, bench.user.heard]).toEqual([[], []]);
    bench.flow.sent.push(...sent.flow.sent);
    bench.answer(486);
    expect(bench.user.heard).toEqual([486]);
    expect(bench.flow.lines).toEqual(['INVITE', 'ACK']);
  });
});
