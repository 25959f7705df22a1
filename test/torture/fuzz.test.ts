// Invariant: whatever bytes arrive, nothing throws, every message is accounted for, what is fit reads the same again after it was written, and when all peers have fallen silent nothing is held.
/**
 * Messages of RFC 4475 and of whole sessions, damaged at random, against the message layer and against a whole
 * Participating Function. `FUZZ_SECONDS` makes it run longer than a few seconds, `FUZZ_SEED` begins at, and with
 * `FUZZ_SECONDS=0` runs only, the seed that a failure has printed.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { wireOfBytes } from '../../src/sip/message/bytes.ts';
import { SeededRandom } from '../../src/testing/index.ts';
import { checkMessage } from './fuzz/message.ts';
import { runScene, sessionMessages } from './fuzz/scene.ts';
import { mutated } from './mutator.ts';

const SECONDS = Number(process.env.FUZZ_SECONDS ?? 4);
const SEED = Number(process.env.FUZZ_SEED ?? 1);

const FOLDER = new URL('./rfc4475/', import.meta.url);
const CORPUS = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.dat'))
  .map((name) => wireOfBytes(readFileSync(new URL(name, FOLDER))));

/** Runs with one seed after the other until half of the time is over; once at least. */
function forEachSeed(run: (seed: number) => void): number {
  const until = performance.now() + SECONDS * 500;
  let seed = SEED;
  do run(seed++);
  while (performance.now() < until);
  return seed - SEED;
}

describe('fuzzing', () => {
  const session = sessionMessages();
  const pool = [...CORPUS, ...session];
  const timeout = SECONDS * 1000 + 30_000;

  it('has messages of every kind to begin with', () => {
    const starts = session.map((text) => text.slice(0, text.indexOf(' ', text.startsWith('SIP') ? 8 : 0)));
    for (const start of [
      'INVITE',
      'ACK',
      'BYE',
      'CANCEL',
      'PRACK',
      'UPDATE',
      'SIP/2.0 100',
      'SIP/2.0 180',
      'SIP/2.0 200',
    ]) {
      expect(starts).toContain(start);
    }
  });

  it(
    'the message layer throws nothing, and reads again what it wrote',
    () => {
      const rounds = forEachSeed((seed) => {
        const random = new SeededRandom(seed);
        for (let count = 0; count < 200; count++) {
          const text = mutated(pool[random.below(pool.length)] as string, random, pool);
          try {
            checkMessage(text, random);
          } catch (error) {
            throw new Error(`FUZZ_SEED=${seed}: ${(error as Error).message}\n${JSON.stringify(text)}`, {
              cause: error,
            });
          }
        }
      });
      expect(rounds).toBeGreaterThan(0);
    },
    timeout,
  );

  it(
    'a Participating Function throws nothing, accounts for everything, and keeps nothing',
    () => {
      const rounds = forEachSeed((seed) => runScene(seed, pool));
      expect(rounds).toBeGreaterThan(0);
    },
    timeout,
  );
});
