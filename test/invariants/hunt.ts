/** Looks for a scene that breaks an invariant, and makes the smallest of it. */
import fc from 'fast-check';
import { sceneText } from '../../src/playground/link.ts';
import { ladderOf, play, type Scene, type Violation, violationsOf } from '../../src/testing/index.ts';
import { shortened } from './scenes.ts';

export interface Catch {
  readonly scene: Scene;
  readonly violations: readonly Violation[];
  readonly report: string;
}

/** Plays scenes until one breaks an invariant. `judge` gives what is wrong with a scene. */
export function hunt(
  arbitrary: fc.Arbitrary<Scene>,
  runs: number,
  seed: number,
  judge: (scene: Scene) => readonly Violation[] = judged,
): Catch | undefined {
  const found = fc.check(
    fc.property(arbitrary, (scene) => judge(scene).length === 0),
    { numRuns: runs, seed, maxSkipsPerRun: 0 },
  );
  if (!found.failed) return undefined;
  const scene = shortened(found.counterexample?.[0] as Scene);
  const violations = judge(scene);
  return { scene, violations, report: reportOf(scene, violations, found.seed) };
}

export function judged(scene: Scene): readonly Violation[] {
  return violationsOf(play(scene));
}

/** What went wrong, the scene as it is kept in a file, and its ladder. */
export function reportOf(scene: Scene, violations: readonly Violation[], seed: number): string {
  const played = play(scene);
  return [
    ...violations.map(({ invariant, what }) => `invariant ${invariant}: ${what}`),
    `seed ${seed}; the scene:`,
    JSON.stringify(scene),
    'to play it step by step, open in a browser:',
    `visualizations/playground.html#scene=${sceneText({ scene, ...foundIn(violations) })}`,
    ...ladderOf(played),
  ].join('\n');
}

/** What the playground says of the scene beside it. */
function foundIn([first]: readonly Violation[]): { found: string; invariant: number } | undefined {
  return first === undefined ? undefined : { found: first.what, invariant: first.invariant };
}
