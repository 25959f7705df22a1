/** Server transactions in virtual time (RFC 3261 17.2, RFC 6026 7.1): what is answered when, and what is absorbed. */
import { describe, expect, it } from '@jest/globals';
import { responseTo } from '../../../src/sip/message/respond.ts';
import type { ServerTransaction } from '../../../src/sip/transaction/server.ts';
import { Bench, NOTHING_LEFT, request } from './bench.ts';

function respond(transaction: ServerTransaction, status: number): void {
  transaction.respond(responseTo(request(transaction.method), status, { toTag: 'b' }));
}

const UNTIL_H = [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];

describe('INVITE over UDP', () => {
  it('RFC 3261 17.2.1: a copy of the INVITE gets the last provisional response, or nothing before there is one', () => {
    const bench = new Bench();
    const transaction = bench.serve();
    expect(bench.comes('INVITE')).toBe(true);
    expect(bench.flow.lines).toEqual([]);
    respond(transaction, 100);
    respond(transaction, 180);
    expect(bench.comes('INVITE')).toBe(true);
    expect(bench.flow.lines).toEqual([100, 180, 180]);
  });

  it('RFC 3261 17.2.1: timer G doubles up to T2 until timer H gives up after 64*T1 and tells the user', () => {
    const bench = new Bench();
    respond(bench.serve(), 486);
    bench.at(31_999);
    expect(bench.flow.times).toEqual(UNTIL_H);
    expect(bench.user.heard).toEqual([]);
    bench.at(32_000);
    expect(bench.user.heard).toEqual(['no ACK for the final response']);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });

  it('RFC 3261 17.2.1: a copy of the INVITE in Completed gets the final response at once', () => {
    const bench = new Bench();
    respond(bench.serve(), 486);
    bench.at(600);
    expect(bench.comes('INVITE')).toBe(true);
    expect(bench.flow.times).toEqual([0, 500, 600]);
    expect(bench.flow.lines).toEqual([486, 486, 486]);
  });

  it('RFC 3261 17.2.1: the ACK ends the repetition; its copies are absorbed for T4', () => {
    const bench = new Bench();
    respond(bench.serve(), 486);
    bench.at(600);
    expect(bench.comes('ACK')).toBe(true);
    bench.at(5599);
    expect([bench.comes('ACK'), bench.comes('INVITE')]).toEqual([true, true]);
    expect(bench.flow.times).toEqual([0, 500]);
    bench.at(5600);
    expect(bench.comes('ACK')).toBe(false);
    expect(bench.user.heard).toEqual([]);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });

  it('RFC 6026 7.1: a 2xx is repeated by its user only, copies of the INVITE are absorbed, timer L ends it', () => {
    const bench = new Bench();
    const transaction = bench.serve();
    respond(transaction, 200);
    bench.at(700);
    expect(bench.comes('INVITE')).toBe(true);
    expect(bench.flow.times).toEqual([0]);
    transaction.send();
    expect(bench.flow.times).toEqual([0, 700]);
    bench.at(31_999);
    expect(bench.comes('INVITE')).toBe(true);
    bench.at(32_000);
    expect(bench.comes('INVITE')).toBe(false);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });

  it('RFC 6026 7.1: in Accepted another 2xx of the user goes out too (a proxy has forked)', () => {
    const bench = new Bench();
    const transaction = bench.serve();
    respond(transaction, 200);
    respond(transaction, 200);
    expect(bench.flow.lines).toEqual([200, 200]);
  });

  it('RFC 6026 7.1: in Accepted an ACK with the branch of the INVITE is not absorbed', () => {
    const bench = new Bench();
    respond(bench.serve(), 200);
    expect(bench.comes('ACK')).toBe(false);
    expect(bench.comes('INVITE')).toBe(true);
  });

  it('RFC 3261 17.2.1: after a final response the user has no more to say', () => {
    const bench = new Bench();
    const transaction = bench.serve();
    respond(transaction, 486);
    for (const status of [100, 180, 200, 600]) respond(transaction, status);
    expect(bench.flow.lines).toEqual([486]);
    expect(transaction.status).toBe(486);
    bench.comes('ACK');
    respond(transaction, 500);
    expect(bench.flow.lines).toEqual([486]);
  });

  it('RFC 6026 8.7: in Accepted it can not take the 2xx back', () => {
    const bench = new Bench();
    const transaction = bench.serve();
    respond(transaction, 200);
    for (const status of [180, 486]) respond(transaction, status);
    expect(bench.flow.lines).toEqual([200]);
  });

  it('follows T1, T2 and T4 as they are set', () => {
    const bench = new Bench('UDP', { t1: 100, t2: 300, t4: 50 });
    respond(bench.serve(), 486);
    bench.at(1300);
    expect(bench.flow.times).toEqual([0, 100, 300, 600, 900, 1200]);
    bench.comes('ACK');
    bench.at(1350);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });
});

describe('INVITE over TCP', () => {
  it('RFC 3261 17.2.1: a non-2xx is sent once; timer H still waits for the ACK', () => {
    const bench = new Bench('TCP');
    respond(bench.serve(), 486);
    bench.at(31_999);
    expect(bench.left.servers).toBe(1);
    bench.at(32_000);
    expect([bench.flow.times, bench.user.heard]).toEqual([[0], ['no ACK for the final response']]);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });

  it('RFC 3261 17.2.1: timer I is zero: with the ACK nothing is left', () => {
    const bench = new Bench('TCP');
    respond(bench.serve(), 486);
    expect(bench.comes('ACK')).toBe(true);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });

  it('RFC 6026 8.7: timer L is 64*T1 here too', () => {
    const bench = new Bench('TCP');
    respond(bench.serve(), 200);
    bench.at(31_999);
    expect(bench.left.servers).toBe(1);
    bench.at(32_000);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });
});

describe('another request', () => {
  it('RFC 3261 17.2.2: copies get nothing, then the provisional, then the final response, for 64*T1', () => {
    const bench = new Bench();
    const transaction = bench.serve('OPTIONS');
    expect(bench.comes('OPTIONS')).toBe(true);
    expect(bench.flow.lines).toEqual([]);
    respond(transaction, 100);
    bench.comes('OPTIONS');
    bench.at(1000);
    respond(transaction, 200);
    bench.comes('OPTIONS');
    bench.at(32_999);
    bench.comes('OPTIONS');
    expect(bench.flow.lines).toEqual([100, 100, 200, 200, 200]);
    bench.at(33_000);
    expect(bench.comes('OPTIONS')).toBe(false);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });

  it('RFC 3261 17.2.2: nothing is sent without being asked for, and nothing else after the final response', () => {
    const bench = new Bench();
    const transaction = bench.serve('BYE');
    respond(transaction, 200);
    for (const status of [100, 404]) respond(transaction, status);
    bench.at(31_000);
    expect(bench.flow.lines).toEqual([200]);
  });

  it('RFC 3261 17.2.2: over TCP timer J is zero', () => {
    const bench = new Bench('TCP');
    respond(bench.serve('OPTIONS'), 200);
    expect(bench.flow.lines).toEqual([200]);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });

  it('RFC 3261 17.2.2: unanswered it stays, without a timer', () => {
    const bench = new Bench();
    bench.serve('OPTIONS');
    bench.at(3_600_000);
    expect(bench.left).toEqual({ clients: 0, servers: 1, timers: 0 });
  });
});

describe('a flow that fails', () => {
  it.each([
    ['INVITE', 180, 'proceeding'],
    ['INVITE', 200, 'accepted'],
    ['INVITE', 486, 'completed'],
    ['OPTIONS', 100, 'proceeding'],
    ['OPTIONS', 200, 'completed'],
  ])('RFC 6026 8.8: at the answer to %s, %d, the user is told and the state stays', (method, status, state) => {
    const bench = new Bench();
    bench.flow.broken = true;
    const transaction = bench.serve(method);
    respond(transaction, status);
    expect(bench.user.heard).toEqual(['no route']);
    expect(transaction.state).toBe(state);
  });

  it('RFC 6026 8.8: what failed once may succeed for a copy, and timers end it all the same', () => {
    const bench = new Bench();
    bench.flow.broken = true;
    respond(bench.serve(), 486);
    bench.at(100);
    bench.flow.broken = false;
    bench.comes('INVITE');
    expect(bench.flow.times).toEqual([100]);
    bench.at(32_000);
    expect(bench.left).toEqual(NOTHING_LEFT);
  });

  it('leaves nothing behind where it never mends', () => {
    for (const [method, status] of [
      ['INVITE', 200],
      ['INVITE', 486],
      ['OPTIONS', 200],
    ] as const) {
      const bench = new Bench();
      bench.flow.broken = true;
      respond(bench.serve(method), status);
      bench.at(32_000);
      expect(bench.left).toEqual(NOTHING_LEFT);
    }
  });
});
