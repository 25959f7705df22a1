/** Random words: of the right length and letters, all letters alike, none twice across the pool's end. */
import { expect, it } from '@jest/globals';
import { nodeIdentifiers } from '../../src/host/node-identifiers.ts';
import { randomTokens } from '../../src/host/random-tokens.ts';

const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

it('gives words of the length and the letters asked for, each another, also where a new pool is drawn', () => {
  const token = randomTokens(LETTERS, 15);
  const words = Array.from({ length: 2000 }, token);
  expect(new Set(words).size).toBe(2000);
  expect(words.every((word) => word.length === 15)).toBe(true);
  const times = new Map<string, number>();
  for (const letter of words.join('')) times.set(letter, (times.get(letter) ?? 0) + 1);
  expect([...times.keys()].sort()).toEqual([...LETTERS].sort());
  // 937.5 of each are expected, with a standard deviation of 30.
  for (const count of times.values()) expect(Math.abs(count - 937.5)).toBeLessThan(300);
});

it('names nothing with a hyphen in front, which the command line would take for an option', () => {
  const { token } = nodeIdentifiers();
  const tokens = Array.from({ length: 3000 }, token);
  expect(tokens.filter((each) => !/^[A-Za-z0-9_][A-Za-z0-9_-]{11}$/.test(each))).toEqual([]);
  expect(new Set(tokens).size).toBe(3000);
});
