/** Long short messages on their way in: parts in any order, some never (3GPP TS 23.040 9.2.3.24). */
import { describe, expect, it } from '@jest/globals';
import { Concatenation, MISSING_PART, partOf } from '../../src/isf/reference/sms/concatenation.ts';
import { VirtualClock } from '../../src/testing/index.ts';

function collecting(maxMessages = 10) {
  const clock = new VirtualClock();
  const givenUp: string[] = [];
  const concatenation = new Concatenation({
    clock,
    maxMessages,
    waitMs: 1000,
    incomplete: (key, text) => givenUp.push(`${key}: ${text}`),
  });
  const take = (key: string, reference: string, number: number, text: string, total = 3) =>
    concatenation.take(key, { reference, total, number }, text);
  return { clock, givenUp, concatenation, take };
}

describe('the header of a part', () => {
  it('with a reference of 8 bits, and of 16, whatever else stands beside it', () => {
    const port = Buffer.from([0x05, 0x04, 0x0b, 0x84, 0x23, 0xf0]);
    expect(partOf([port, Buffer.from([0, 3, 7, 2, 1])])).toEqual({ reference: 'n7', total: 2, number: 1 });
    expect(partOf([Buffer.from([8, 4, 1, 7, 3, 2])])).toEqual({ reference: 'w263', total: 3, number: 2 });
  });

  it.each([
    ['number 0', [0, 3, 7, 2, 0]],
    ['a number beyond the total', [0, 3, 7, 2, 3]],
    ['no parts', [0, 3, 7, 0, 0]],
    ['a length that lies', [0, 3, 7]],
    ['nothing', []],
  ])('%s is none', (_name, bytes) => {
    expect(partOf([Buffer.from(bytes)])).toBeUndefined();
  });
});

describe('parts', () => {
  it('in any order make the text once all are there, and are forgotten', () => {
    const { take, concatenation, givenUp, clock } = collecting();
    expect(take('k', 'n1', 3, 'c')).toBeUndefined();
    expect(take('k', 'n1', 1, 'a')).toBeUndefined();
    expect(take('k', 'n1', 2, 'b')).toBe('abc');
    expect(concatenation.waiting).toBe(0);
    clock.advance(5000);
    expect(givenUp).toEqual([]);
  });

  it('of several messages, and of several senders, keep apart; a copy changes nothing', () => {
    const { take } = collecting();
    take('k', 'n1', 1, 'a', 2);
    take('k', 'n2', 1, 'x', 2);
    take('other', 'n1', 2, 'z', 2);
    take('k', 'n1', 1, 'copy', 2);
    expect(take('k', 'n1', 2, 'b', 2)).toBe('ab');
    expect(take('k', 'n2', 2, 'y', 2)).toBe('xy');
  });

  it('that never come are marked, once their time is over', () => {
    const { take, clock, givenUp, concatenation } = collecting();
    take('+1|+2', 'n1', 1, 'a');
    take('+1|+2', 'n1', 3, 'c');
    clock.advance(999);
    expect(givenUp).toEqual([]);
    clock.advance(10);
    expect(givenUp).toEqual([`+1|+2: a${MISSING_PART}c`]);
    expect(concatenation.waiting).toBe(0);
  });

  it('of too many messages make the oldest one be given up', () => {
    const { take, givenUp, concatenation } = collecting(2);
    take('a', 'n1', 1, 'one');
    take('b', 'n1', 1, 'two');
    take('c', 'n1', 1, 'three');
    expect(givenUp).toEqual([`a: one${MISSING_PART}${MISSING_PART}`]);
    expect(concatenation.waiting).toBe(2);
  });
});
