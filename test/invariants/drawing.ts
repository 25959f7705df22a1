/** One stretch of generated runs: a seed and a number. The same two give the same scenes. */
import fc from 'fast-check';
import type { Scene, Violation } from '../../src/testing/index.ts';
import { judged, reportOf } from './hunt.ts';
import { scenes, shortened } from './scenes.ts';
import { smallest } from './smallest.ts';

export interface Stretch {
  readonly seed: number;
  readonly runs: number;
}

export interface Broken {
  readonly seed: number;
  readonly scene: Scene;
  readonly violations: readonly Violation[];
  readonly report: string;
}

/** Plays the scenes of a stretch; gives the first of them that breaks an invariant, made small. */
export function playStretch({ seed, runs }: Stretch): Broken | undefined {
  for (const scene of fc.sample(scenes(), { numRuns: runs, seed })) {
    const broken = judged(scene)[0];
    if (broken === undefined) continue;
    const same = (smaller: Scene): boolean => judged(smaller).some(({ invariant }) => invariant === broken.invariant);
    const small = shortened(smallest(scene, same));
    const violations = judged(small);
    return { seed, scene: small, violations, report: reportOf(small, violations, seed) };
  }
  return undefined;
}
