/** One stretch of generated runs: a seed and a number. The same two give the same scenes. */
import fc from 'fast-check';
import type { Scene, Violation } from '../../src/testing/index.ts';
import { judged, reportOf } from './hunt.ts';
import { scenes, shortened } from './scenes.ts';
import { smallest } from './smallest.ts';

export interface Stretch {
  readonly seed: number;
  readonly runs: number;
  /** Plays to the end whatever is found; without it the first violation ends the stretch. */
  readonly keepGoing: boolean;
}

export interface Broken {
  readonly seed: number;
  /** Which scene of its stretch it was, from 0. */
  readonly at: number;
  readonly scene: Scene;
  readonly violations: readonly Violation[];
  readonly report: string;
}

/** What a stretch has come to. */
export interface Stretched {
  readonly seed: number;
  readonly played: number;
  readonly broken: readonly Broken[];
}

type Judge = (scene: Scene) => readonly Violation[];

/** Plays the scenes of a stretch; gives those that break an invariant, made small. */
export function playStretch({ seed, runs, keepGoing }: Stretch, judge: Judge = judged): Stretched {
  const broken: Broken[] = [];
  let played = 0;
  for (const scene of fc.sample(scenes(), { numRuns: runs, seed })) {
    const violations = judge(scene);
    const at = played++;
    if (violations[0] === undefined) continue;
    broken.push({ seed, at, ...reduced(scene, violations[0], seed, judge) });
    if (!keepGoing) break;
  }
  return { seed, played, broken };
}

function reduced(scene: Scene, { invariant }: Violation, seed: number, judge: Judge): Omit<Broken, 'seed' | 'at'> {
  const same = (smaller: Scene): boolean => judge(smaller).some((found) => found.invariant === invariant);
  const small = shortened(smallest(scene, same));
  const violations = judge(small);
  return { scene: small, violations, report: reportOf(small, violations, seed) };
}
