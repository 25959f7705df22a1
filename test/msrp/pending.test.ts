/** Requests of ours that wait for their answer (RFC 4975 7.1.1), and the ids they are found by. */
import { describe, expect, it } from '@jest/globals';
import { Beginning } from '../../src/msrp/message/head.ts';
import { Exchange } from '../../src/msrp/relay/exchange.ts';
import { Pending } from '../../src/msrp/relay/pending.ts';

const answered: string[] = [];
const from = { open: true, answer: (id: string, between: string) => void answered.push(`${id}${between.slice(0, 4)}`) };
const beginning = new Beginning({ method: 'SEND', status: 0 }, 'msrp://a:1/x;tcp', 'msrp://b:2/y;tcp');

function asked(pending: Pending, id: string, wanted: 'yes' | 'partial' = 'yes', at = 1): string {
  const exchange = new Exchange({ id, beginning }, wanted, from);
  const ours = pending.idOf(pending.begin(exchange, at));
  exchange.settle(200);
  return ours;
}

describe('transaction ids', () => {
  it('differ in each request, within the letters of RFC 4975 9, and lead back to theirs in any order', () => {
    answered.length = 0;
    const pending = new Pending(512, 'abcdefghijkmnpq');
    const ids = ['one', 'two', 'three'].map((id) => asked(pending, id));
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31}$/);
    pending.settle(ids[2]!, 200);
    pending.settle(ids[0]!, 413);
    expect([answered, pending.size]).toEqual([['three 200', 'one 413'], 1]);
  });

  it.each([
    '',
    'abcdefghijkmnpq',
    'abcdefghijkmnpq.',
    'abcdefghijkmnpq.0',
    'abcdefghijkmnpq.01',
    'abcdefghijkmnpq.1x',
    'bbcdefghijkmnpq.1',
    'abcdefghijkmnpq.1000000000000000001',
  ])('%s is not one of ours, and answers nothing', (id) => {
    answered.length = 0;
    const pending = new Pending(512, 'abcdefghijkmnpq');
    asked(pending, 'one');
    pending.settle(id, 200);
    expect([answered, pending.size]).toEqual([[], 1]);
  });
});

it('RFC 4975 7.1.1: no answer in time is a 408; where only errors are wanted it is none', () => {
  answered.length = 0;
  const pending = new Pending(512, 'abcdefghijkmnpq');
  asked(pending, 'one', 'yes', 1000);
  asked(pending, 'two', 'partial', 1000);
  asked(pending, 'three', 'yes', 2000);
  pending.expire(1500);
  expect([answered, pending.size]).toEqual([['one 408'], 1]);
});

it('is full with so many that must be answered; those that may never be do not fill it', () => {
  const pending = new Pending(4, 'abcdefghijkmnpq');
  for (let at = 0; at < 20; at++) asked(pending, `p${at}`, 'partial');
  expect([pending.full, pending.size]).toEqual([false, 8]);
  for (let at = 0; at < 4; at++) asked(pending, `y${at}`);
  expect(pending.full).toBe(true);
});
