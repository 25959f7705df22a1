/** Every scene that once broke an invariant, as small as it could be made, and what it showed. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { Scene } from '../../src/testing/index.ts';
import { judged, reportOf } from './hunt.ts';

const FOLDER = new URL('./regressions/', import.meta.url);

interface Regression {
  /** What was wrong, as a sentence. */
  readonly found: string;
  readonly invariant: number;
  readonly scene: Scene;
}

describe('scenes that once broke an invariant', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

  it('are kept', () => {
    expect(files.length).toBeGreaterThanOrEqual(8);
  });

  for (const file of files) {
    const { found, invariant, scene } = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Regression;
    it(`invariant ${invariant}: ${found}`, () => {
      const violations = judged(scene);
      if (violations.length > 0) throw new Error(reportOf(scene, violations, scene.seed));
    });
  }
});
