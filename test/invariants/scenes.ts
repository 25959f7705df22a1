/** Scenes out of nothing: what fast-check draws and, where an invariant breaks, makes smaller. */
import fc from 'fast-check';
import { type Command, type Finale, GOOD_CONDUCT, type Scene, type Setting } from '../../src/testing/index.ts';

export const one = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
/** The first far more often than the others. */
const mostly = <T>(usual: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 3 * others.length, arbitrary: fc.constant(usual) },
    { weight: others.length, arbitrary: one(...others) },
  );

const who = one('near' as const, 'far' as const, 'iwf1' as const, 'iwf2' as const);
/** Around every limit that counts: a network hop, the answers, T1, the budget, the join, 64*T1, the session timer. */
const span = one(0, 1, 2, 3, 10, 11, 12, 50, 500, 1500, 2000, 3500, 5000, 31_000, 33_000, 60_000);

const faults = fc.record({
  loss: mostly(0, 5, 20, 40),
  duplication: mostly(0, 10, 40),
  delayMs: mostly(1, 5, 40, 700),
});

const answer = fc.record({
  answers: one<readonly (number | null)[]>(
    [200],
    [200],
    [200],
    [200],
    [302, 200],
    [422, 200],
    [404],
    [486],
    [488, 200],
    [603],
    [503, 200],
    [null],
  ),
  answerAfterMs: one(10, 10, 0, 1, 1000, 40_000),
  rings: one(1, 1, 0, 2),
  reliable: mostly(false, true),
  forkAfterMs: mostly<number | null>(null, 0, 1, 300, 20_000),
  rejects: mostly<readonly (readonly number[])[]>([[]], [[1], []], [[0], []], [[1]], [[0, 1]]),
});
const manner = fc.record({
  ack: mostly<'prompt' | 'late' | 'never'>('prompt', 'late', 'never'),
  bye: mostly<number | null>(200, 481, 408, 500, null),
  inDialog: mostly<number | null>(200, 481, 408, 491, 488, 500, null),
  cancel: mostly<'honoured' | 'ignored' | 'accepted'>('honoured', 'ignored', 'accepted'),
  timer: one<'none' | 'uac' | 'uas'>('none', 'uac', 'uas'),
  repeats: mostly(true, false),
});
const conduct = fc.tuple(answer, manner).map(([first, second]) => ({ ...first, ...second }));
const good = fc.constant({});
const someConduct = fc.oneof({ weight: 1, arbitrary: good }, { weight: 2, arbitrary: conduct });

export const setting: fc.Arbitrary<Setting> = fc.record({
  role: one('orig' as const, 'term' as const),
  mediaPath: one('always' as const, 'always' as const, 'never' as const, 'auto' as const),
  interworked: one(false, true),
  isf: one(false, true),
  storage: one(false, true),
  streams: mostly(1, 2, 2, 0),
  partialClose: one('streams' as const, 'session' as const),
  interval: one(1800, 90),
  refresher: one('peer' as const, 'us' as const),
  supported: mostly<readonly ('timer' | '100rel')[]>(['timer'], ['timer', '100rel']),
  network: faults,
  preferencesMs: mostly<number | null>(0, 5, 499, 700, null),
  xdms: mostly<'once' | 'twice' | 'contrary'>('once', 'twice', 'contrary'),
  commitMs: mostly(0, 1, 30),
  historyMs: mostly(0, 5, 700, 2000),
  conduct: fc.record({ near: someConduct, far: someConduct, iwf1: someConduct, iwf2: someConduct }),
});

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: span }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('bye' as const), who }) },
  // Only the inviter may end an early dialog (RFC 3261 15).
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('bye' as const),
      who: fc.constant('near' as const),
      early: fc.constant(true),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), rash: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('offer' as const),
      who,
      method: one('INVITE' as const, 'UPDATE' as const),
      empty: mostly(false, true),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      who,
      method: one('INFO' as const, 'OPTIONS' as const, 'MESSAGE' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('offer' as const),
      who,
      method: fc.constant('UPDATE' as const),
      empty: mostly(false, true),
      early: fc.constant(true),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      who,
      method: one('INFO' as const, 'OPTIONS' as const),
      early: fc.constant(true),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('retract' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: one('deafen' as const, 'wake' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('conduct' as const), who, change: manner }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('cut' as const), who, way: one('to' as const, 'from' as const), ms: span }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('faults' as const), faults }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('crash' as const),
      instant: one('now' as const, 'committed' as const, 'stored' as const),
      downMs: one(1, 50, 400, 3000, 35_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('history' as const),
      mood: one('well' as const, 'failing' as const, 'lost' as const),
      delayMs: one(0, 5, 700),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('disk' as const), commitMs: one(0, 1, 30), full: mostly(false, true) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('policy' as const),
      change: one<Extract<Command, { do: 'policy' }>['change']>(
        { mediaPath: 'never' },
        { mediaPath: 'always' },
        { partialClose: 'session' },
        { recording: false },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('order' as const), by: one('operator' as const, 'shutdown' as const) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'mediaFails' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('invite' as const),
      how: one('merged' as const, 'sameCallId' as const, 'anew' as const),
    }),
  },
);

const safety: fc.Arbitrary<Finale> = fc.record({
  mode: fc.constant('safety' as const),
  by: one('hangUp' as const, 'operator' as const, 'shutdown' as const, 'silence' as const),
});
const health: fc.Arbitrary<Finale> = fc.constant({ mode: 'liveness', by: 'health' });
const cutForEver: fc.Arbitrary<Finale> = fc.record({
  mode: fc.constant('liveness' as const),
  by: fc.constant('cut' as const),
  who,
  way: one('to' as const, 'from' as const),
});

const seed = fc.nat(1_000_000);

export interface Drawing {
  readonly setting?: fc.Arbitrary<Setting>;
  readonly finale?: fc.Arbitrary<Finale>;
  readonly maxCommands?: number;
}

/** Whole scenes. */
export function scenes({ setting: drawn = setting, finale, maxCommands = 14 }: Drawing = {}): fc.Arbitrary<Scene> {
  return fc.record({
    seed,
    setting: drawn,
    commands: fc.array(command, { maxLength: maxCommands }).map(possible),
    finale: finale ?? fc.oneof(safety, health, cutForEver),
  });
}

/** Without their record calls that go on do not outlive a kill, which is nobody's fault: a full disk is drawn without one. */
function possible(commands: readonly Command[]): readonly Command[] {
  const full = commands.some((command) => command.do === 'disk' && command.full === true);
  return full ? commands.filter((command) => command.do !== 'crash') : commands;
}

export const finales = { safety, health, cutForEver, liveness: fc.oneof(health, cutForEver) };

/** What a conduct says that the good one does not, for a shorter report. */
export function shortened(scene: Scene): Scene {
  const conduct = Object.fromEntries(
    Object.entries(scene.setting.conduct).map(([name, given]) => {
      const odd = Object.entries(given ?? {}).filter(
        ([key, value]) => JSON.stringify(value) !== JSON.stringify(GOOD_CONDUCT[key as keyof typeof GOOD_CONDUCT]),
      );
      return [name, Object.fromEntries(odd)];
    }),
  );
  return { ...scene, setting: { ...scene.setting, conduct } };
}
