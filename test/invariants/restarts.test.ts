/** Invariant 15: the same scene with the process killed in it and without leaves the same history. */
import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type Command,
  PLAIN_SETTING,
  play,
  type Scene,
  type Setting,
  type Violation,
  violationsOf,
} from '../../src/testing/index.ts';
import { holds } from './drawn.ts';
import { one } from './scenes.ts';

/** Well-behaved peers and a fair network: what is left to differ is the restart. */
const setting: fc.Arbitrary<Setting> = fc
  .record({
    role: one('orig' as const, 'term' as const),
    interworked: fc.boolean(),
    streams: one(1, 2),
    partialClose: one('streams' as const, 'session' as const),
    commitMs: one(0, 1, 30),
    historyMs: one(0, 5, 300),
  })
  .map((drawn) => ({ ...PLAIN_SETTING, ...drawn, storage: true, conduct: { iwf1: { rejects: [[1], []] } } }));

/** The session is established before it happens and lives on after it, so that both runs have the same to record. */
const course = fc
  .record({
    crash: fc.record({
      do: fc.constant('crash' as const),
      instant: one('now' as const, 'committed' as const, 'stored' as const),
      downMs: one(1, 50, 400, 900),
    }),
    at: fc.nat(120),
    before: one<readonly Command[]>([], [{ do: 'offer', who: 'near', method: 'INVITE', empty: false }]),
    ended: one<readonly Command[]>(
      [],
      [{ do: 'bye', who: 'near' }],
      [{ do: 'bye', who: 'far' }],
      [{ do: 'bye', who: 'iwf1' }],
    ),
  })
  .map(({ crash, at, before, ended }): readonly Command[] => [
    { do: 'wait', ms: at },
    crash,
    { do: 'wait', ms: 5000 },
    ...before,
    { do: 'wait', ms: 5000 },
    ...ended,
    { do: 'wait', ms: 5000 },
  ]);

const scenes: fc.Arbitrary<Scene> = fc.record({
  seed: fc.nat(1_000_000),
  setting,
  commands: fc.oneof(
    course,
    course.map((commands) => [...commands.slice(2), ...commands.slice(0, 2)]),
  ),
  finale: fc.constant({ mode: 'liveness' as const, by: 'health' as const }),
});

function compared(scene: Scene): readonly Violation[] {
  const undisturbed = play({ ...scene, commands: scene.commands.filter((command) => command.do !== 'crash') });
  return violationsOf(play(scene), undisturbed);
}

describe('invariant 15', () => {
  it('a process killed at any instant of a session leaves the history it would have left', () => {
    holds('restarts', scenes, compared);
  }, 600_000);
});
