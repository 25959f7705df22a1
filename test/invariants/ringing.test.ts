/** Invariant 15: a process that is killed while it rings goes on ringing, and what was asked meanwhile is answered. */
import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type Command,
  PLAIN_SETTING,
  type Played,
  play,
  type Scene,
  type Setting,
  type Violation,
  violationsOf,
  Wire,
} from '../../src/testing/index.ts';
import { holds } from './drawn.ts';
import { one } from './scenes.ts';

/** Well-behaved peers and a fair network: what is left to differ is the restart. */
const setting: fc.Arbitrary<Setting> = fc
  .record({
    role: one('orig' as const, 'term' as const),
    interworked: fc.boolean(),
    mediaPath: one('always' as const, 'always' as const, 'never' as const),
    supported: one<Setting['supported']>(['timer', '100rel'], ['timer']),
    commitMs: one(0, 1, 30),
    preferencesMs: one(0, 0, 5),
    far: fc.record({
      reliable: fc.boolean(),
      rings: one(0, 1, 2),
      answerAfterMs: one(300, 2000, 6000, 45_000),
      answers: one<readonly number[]>([200], [200], [486]),
    }),
  })
  .map(({ far, ...drawn }) => ({ ...PLAIN_SETTING, ...drawn, conduct: { far, iwf1: far } }));

const crash: fc.Arbitrary<Command> = fc.record({
  do: fc.constant('crash' as const),
  instant: one('now' as const, 'committed' as const),
  downMs: one(1, 50, 400, 900, 3000),
});
const asked: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    do: fc.constant('ask' as const),
    who: one('near' as const, 'near' as const, 'far' as const, 'iwf1' as const),
    method: one('INFO' as const, 'OPTIONS' as const),
    early: fc.constant(true),
  }),
  fc.record({
    do: fc.constant('offer' as const),
    who: fc.constant('near' as const),
    method: fc.constant('UPDATE' as const),
    empty: fc.boolean(),
    early: fc.constant(true),
  }),
);
const wait: fc.Arbitrary<Command> = fc.record({
  do: fc.constant('wait' as const),
  ms: one(0, 1, 2, 3, 10, 31, 100, 500, 1500, 17_000, 33_000),
});

const scenes: fc.Arbitrary<Scene> = fc.record({
  seed: fc.nat(1_000_000),
  setting,
  commands: fc
    .tuple(
      fc.array(fc.oneof(wait, wait, asked), { maxLength: 5 }),
      crash,
      fc.array(fc.oneof(wait, wait, asked, crash), { maxLength: 4 }),
    )
    .map(([before, killed, behind]): readonly Command[] => [...before, killed, ...behind, { do: 'wait', ms: 90_000 }]),
  finale: fc.constant({ mode: 'liveness' as const, by: 'health' as const }),
});

/** What became of the invitation as the inviter sees it, and of each PRACK until then. */
function outcome({ chronicle, stage }: Played): string {
  const wire = new Wire(chronicle);
  const finals = (method: string, initial: boolean) =>
    wire.transactions
      .filter(
        ({ way, method: its, request }) => way === 'in' && its === method && (request.toTag === undefined) === initial,
      )
      .flatMap(({ responses }) => responses.filter(({ message }) => message.status >= 200));
  const [answer] = finals('INVITE', true);
  const unknown = finals('PRACK', false).filter(
    ({ message, order }) => message.status === 481 && order < (answer?.order ?? 0),
  );
  const dialogs = stage.endpoints.near.dialogs.filter(({ confirmed }) => confirmed);
  return `INVITE ${answer?.message.status}, ${dialogs.length} dialogs, ${unknown.length} PRACK for nothing`;
}

function compared(scene: Scene): readonly Violation[] {
  const undisturbed = play({ ...scene, commands: scene.commands.filter((command) => command.do !== 'crash') });
  const played = play(scene);
  const [is, was] = [outcome(played), outcome(undisturbed)];
  const violations = violationsOf(played);
  return is === was ? violations : [...violations, { invariant: 15, what: `${is}; without the restart ${was}` }];
}

describe('invariant 15', () => {
  it('a process killed at any instant of the ringing sets up what it would have set up', () => {
    holds('ringing', scenes, compared);
  }, 600_000);
});
