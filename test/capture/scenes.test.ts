/** Whatever a healthy function is made to live through: out of a capture beside it, nothing is called broken. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type AnalysedSession, analysed } from '../../src/capture/analysis.ts';
import { hearingOf } from '../../src/capture/read.ts';
import { type Played, play, type Scene } from '../../src/testing/index.ts';
import { scenes } from '../invariants/scenes.ts';
import { framesOf, pcap } from './builders.ts';

const RUNS = 300;
const SEED = 20_261_126;

/** What came to the function and what left it, as a capture at its door has it. */
function capturedOf({ chronicle }: Played): Buffer {
  const passages = chronicle.entries.flatMap((entry) =>
    entry.kind === 'in' || entry.kind === 'out' ? [{ ...entry.passage, at: entry.at }] : [],
  );
  return pcap(framesOf(passages));
}

function sessionsOf(played: Played): readonly AnalysedSession[] {
  const { pf, isf } = played.stage.world;
  // Nobody may have been heard at all.
  if (!played.chronicle.entries.some(({ kind }) => kind === 'in')) return [];
  return analysed(hearingOf([capturedOf(played)]), { nodes: [pf.address], iwfs: [isf.address] }).sessions;
}

describe('a generated scene', () => {
  it('of a function that holds all invariants breaks none on the wire', () => {
    let judged = 0;
    for (const scene of fc.sample(scenes(), { numRuns: RUNS, seed: SEED })) {
      // A capture does not show that the process was killed.
      if (scene.commands.some((command) => command.do === 'crash')) continue;
      for (const { session, verdicts, entries } of sessionsOf(play(scene))) {
        judged++;
        const broken = verdicts.filter(({ verdict }) => verdict === 'broken');
        if (broken.length > 0) throw new Error(report(scene, { session, verdicts: broken, entries }));
      }
    }
    expect(judged).toBeGreaterThan(RUNS / 4);
  }, 120_000);
});

function report(scene: Scene, { session, verdicts, entries }: AnalysedSession): string {
  const ladder = entries.map(({ at, leg, direction, label }) => `${Math.round(at)} ${leg} ${direction} ${label}`);
  const said = verdicts.map(({ invariant, what }) => `${invariant}: ${what.join('; ')}`);
  return [session.id, ...said, ...ladder, JSON.stringify(scene)].join('\n');
}
