/** The fifteen invariants on scenes of every kind: digest 2.3. */
import { describe, expect, it } from '@jest/globals';
import { holds, RUNS } from './drawn.ts';
import { scenes } from './scenes.ts';

describe('invariants 1 to 15', () => {
  it('hold in scenes of every kind, whatever the network, the peers, the stores and the process do', () => {
    holds('asTheyCome', scenes());
  }, 600_000);

  it('are tried in at least 20 000 generated runs by the files of this folder', () => {
    expect(Object.values(RUNS).reduce((sum, runs) => sum + runs, 0)).toBeGreaterThanOrEqual(20_000);
  });
});
