/** What an SMSC tells of its messages (SMPP 3.4 appendix B, 5.2.12, 5.2.28). */
import { describe, expect, it } from '@jest/globals';
import { isReceipt, type ReceiptOutcome, readReceipt } from '../../src/isf/reference/sms/receipt.ts';
import { Receipts } from '../../src/isf/reference/sms/receipts.ts';

const text = (state: string, id = 'A01') =>
  `id:${id} sub:001 dlvrd:001 submit date:2601021504 done date:2601021504 stat:${state} err:000 text:Hi`;

describe('a receipt', () => {
  it.each([
    ['DELIVRD', 'delivered'],
    ['ACCEPTD', 'underway'],
    ['ENROUTE', 'underway'],
    ['EXPIRED', 'failed'],
    ['DELETED', 'failed'],
    ['UNDELIV', 'failed'],
    ['REJECTD', 'failed'],
    ['UNKNOWN', 'failed'],
  ])('%s means %s', (state, outcome) => {
    expect(readReceipt(text(state))).toEqual({ messageId: 'A01', outcome, state });
  });

  it('says by parameters what its text may leave out', () => {
    expect(readReceipt('', { messageId: 'x', state: 2 })).toEqual({
      messageId: 'x',
      outcome: 'delivered',
      state: 'DELIVRD',
    });
    expect(readReceipt(text('DELIVRD'), { messageId: 'x', state: 5 })).toMatchObject({
      messageId: 'x',
      outcome: 'failed',
    });
  });

  it.each(['', 'hello', 'id:', 'stat:DELIVRD'])('%p is none', (said) => {
    expect(readReceipt(said)).toBeUndefined();
  });

  it('is told from a message by esm_class, whatever other bits are set', () => {
    expect([0x04, 0x44, 0x07].map(isReceipt)).toEqual([true, true, true]);
    expect([0x00, 0x40, 0x08, 0x20].map(isReceipt)).toEqual([false, false, false, false]);
  });
});

function awaiting(ids: readonly string[], max = 10) {
  const receipts = new Receipts(max);
  const told: string[] = [];
  const expectThem = () =>
    receipts.expect(ids, { delivered: () => told.push('delivered'), failed: (why) => told.push(why) });
  const take = (messageId: string, outcome: ReceiptOutcome, state = 'UNDELIV') =>
    receipts.take({ messageId, outcome, state });
  return { receipts, told, expectThem, take };
}

describe('receipts of a message in parts', () => {
  it('it is delivered once each part is', () => {
    const { receipts, told, expectThem, take } = awaiting(['a', 'b']);
    expectThem();
    take('a', 'delivered');
    take('a', 'delivered');
    take('b', 'underway');
    expect(told).toEqual([]);
    take('b', 'delivered');
    expect(told).toEqual(['delivered']);
    expect(receipts.waiting).toBe(0);
  });

  it('it has failed as soon as one part has', () => {
    const { told, expectThem, take } = awaiting(['a', 'b']);
    expectThem();
    take('b', 'failed');
    expect(told).toEqual(['the SMSC says UNDELIV']);
  });

  it('one that comes before the answer to its submit_sm counts', () => {
    const { told, expectThem, take } = awaiting(['a']);
    expect(take('a', 'delivered')).toBe(false);
    expectThem();
    expect(told).toEqual(['delivered']);
  });

  it('an id is the same with leading zeros and in either case', () => {
    const { told, expectThem, take } = awaiting(['00ABCD']);
    expectThem();
    take('abcd', 'delivered');
    expect(told).toEqual(['delivered']);
  });

  it('are awaited for so many parts at the most', () => {
    const { receipts, expectThem } = awaiting(['a', 'b', 'c', 'd'], 3);
    expectThem();
    expect(receipts.waiting).toBe(3);
  });
});
