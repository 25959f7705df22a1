/** How many scenes are played in each file of this folder, and how. Together they are what CI promises. */
import { expect } from '@jest/globals';
import type fc from 'fast-check';
import type { Scene, Violation } from '../../src/testing/index.ts';
import { hunt, judged } from './hunt.ts';

/** Generated runs of each part. `INVARIANT_SEED` makes them begin elsewhere. */
export const RUNS = {
  asTheyCome: 5000,
  interworking: 4000,
  liveness: 5000,
  proxied: 3000,
  offered: 1000,
  restarts: 3000,
  ringing: 3000,
} as const;

const SEED = Number(process.env.INVARIANT_SEED ?? 20_261_124);

/** Plays them all; throws with scene, seed and ladder at the first that breaks an invariant. */
export function holds(
  part: keyof typeof RUNS,
  arbitrary: fc.Arbitrary<Scene>,
  judge: (scene: Scene) => readonly Violation[] = judged,
): void {
  let played = 0;
  const found = hunt(arbitrary, RUNS[part], SEED, (scene) => {
    played++;
    return judge(scene);
  });
  if (found !== undefined) throw new Error(found.report);
  expect(played).toBe(RUNS[part]);
}
