/** The compiled charts against XState's own interpreter: the same events, the same snapshots. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type AnyStateMachine, assign, createActor, createMachine, raise } from 'xstate';
import { compiled } from '../../machines/compiled.ts';
import { copyOf, type SessionInput } from '../../machines/session/context.ts';
import { sessionMachine, unrecordedMachine } from '../../machines/session/machine.ts';
import { DEFAULT_POLICY, DEFAULT_PROFILE } from '../../src/policy/defaults.ts';
import { World } from '../../src/testing/index.ts';
import { establish, leftovers } from '../support/session.ts';

const CHARTS = [
  ['with its recording region', sessionMachine],
  ['without it', unrecordedMachine],
] as const;

const LEGS = ['a', 'b', 'b2'] as const;
const timer = fc.record({
  supported: fc.boolean(),
  se: fc.option(fc.constantFrom(1, 90, 1800)),
  minSE: fc.option(fc.constantFrom(90, 3600)),
  refresher: fc.option(fc.constantFrom('uac' as const, 'uas' as const)),
});
const leg = fc.constantFrom(...LEGS);
const exchange = fc.constantFrom('bye', 'invite-2', 'bye-2', 'a-bye-2', 'offer-3', 'reoffer-4', 'refreshUpdate-5');
const of = <T extends object>(type: string, rest: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record({ type: fc.constant(type), ...rest });

/** Any event with anything in it that the type allows, in whatever state. */
const anyEvent: fc.Arbitrary<object> = fc.oneof(
  of('preferencesKnown', {
    profile: fc.record({
      ...(Object.fromEntries(
        Object.entries(DEFAULT_PROFILE).map(([key, value]) => [key, fc.constant(value)]),
      ) as object),
      allowOfflineStorage: fc.boolean(),
      blacklisted: fc.boolean(),
    } as never),
  }),
  of('provisional', { leg, fork: fc.constant(0), status: fc.constantFrom(180, 183), reliable: fc.boolean() }),
  of('answered', {
    leg,
    fork: fc.constant(0),
    status: fc.constant(200),
    accepted: fc.option(fc.array(fc.boolean(), { minLength: 2, maxLength: 2 })),
    timer,
    allowsUpdate: fc.boolean(),
  }),
  of('failed', {
    leg,
    status: fc.constantFrom(302, 404, 408, 422, 480, 486, 487, 503, 603),
    redirects: fc.constantFrom([], ['sip:else@where.example']),
    minSE: fc.option(fc.constant(3600)),
    silent: fc.boolean(),
  }),
  of('acknowledged', { leg }),
  of('unacknowledged', { leg }),
  of('cancelled', { leg: fc.constant('a') }),
  of('bye', { leg, exchange }),
  of('request', {
    leg,
    exchange,
    fork: fc.constant(0),
    method: fc.constantFrom('INVITE', 'UPDATE', 'INFO', 'OPTIONS'),
    offer: fc.constantFrom('none', 'changed', 'unchanged', 'late'),
    timer,
  }),
  of('response', {
    leg,
    exchange,
    status: fc.constantFrom(200, 408, 422, 481, 491, 500),
    timer,
    minSE: fc.option(fc.constant(3600)),
  }),
  of('exchangeCancelled', { leg, exchange }),
  of('historyOpened', { sessionInfoUid: fc.integer({ min: 1, max: 9 }) }),
  of('historySealed', { sessionInfoUid: fc.option(fc.constant(1)), groupStateUid: fc.option(fc.constant(2)) }),
  fc
    .constantFrom('historyFailed', 'ringingOver', 'secondaryOver', 'byeJoinOver', 'storeBudgetOver', 'teardownOver')
    .map((type) => ({ type })),
  fc.constantFrom('mediaFailed', 'preferencesOverdue', 'unheardOf').map((type) => ({ type })),
  of('sessionExpired', { leg }),
  of('refreshDue', { leg }),
  of('reofferDue', { leg }),
  of('endOrdered', { by: fc.constantFrom('operator', 'shutdown') }),
);

const anyInput = fc.record({
  role: fc.constantFrom('orig' as const, 'term' as const),
  mediaPath: fc.constantFrom('always' as const, 'never' as const, 'auto' as const),
  known: fc.boolean(),
  storage: fc.boolean(),
  isf: fc.boolean(),
  scheme: fc.constantFrom('sip', 'tel', 'mailto'),
  group: fc.boolean(),
});

function inputOf(drawn: typeof anyInput extends fc.Arbitrary<infer T> ? T : never): SessionInput {
  const { role, mediaPath, known, storage, isf, scheme, group } = drawn;
  return {
    id: 'session',
    role,
    policy: { ...DEFAULT_POLICY, mediaPath, isfAvailable: isf },
    profile: known ? { ...DEFAULT_PROFILE, allowOfflineStorage: storage } : null,
    invite: {
      service: 'session',
      group,
      originators: ['sip:alice@home.example'],
      release: '2.0',
      anonymityRequested: false,
      anonymousFrom: false,
      scheme,
      streams: [
        { media: 'message', disabled: false },
        { media: 'message', disabled: false },
      ],
      sessionReplaces: null,
      unsupported: { require: [], proxyRequire: [] },
      timer: { supported: true, se: 1800, minSE: null, refresher: null },
      allowsUpdate: true,
    },
    at: 1000,
  };
}

interface Seen {
  readonly status: string;
  readonly value: unknown;
  readonly context: unknown;
  readonly ids: readonly string[];
}

function run(machine: AnyStateMachine, input: SessionInput, events: readonly object[]): Seen[] {
  const actor = createActor(machine, { input });
  const look = (): Seen => {
    const { status, value, context, _nodes } = actor.getSnapshot();
    const ids = (_nodes as { id: string; type: string }[]).filter(({ type }) => type === 'atomic').map(({ id }) => id);
    return { status, value, context, ids: ids.sort() };
  };
  actor.start();
  const seen = [look()];
  events.forEach((event, at) => {
    actor.send({ ...event, step: at + 1, at: 2000 + at } as never);
    seen.push(look());
  });
  actor.stop();
  return [...seen, look()];
}

describe.each(CHARTS)('a compiled session chart %s', (_, machine) => {
  it('is not the interpreter', () => {
    expect(compiled(machine, copyOf)).not.toBe(machine);
  });

  it('goes through the same states with the same data as the interpreter, whatever happens', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(anyInput, fc.array(anyEvent, { maxLength: 14 }), (drawn, events) => {
        const input = inputOf(drawn);
        const seen = run(compiled(machine, copyOf), input, events);
        const expected = run(machine, input, events);
        // Jest's comparison says more, and takes ten times as long.
        if (!isDeepStrictEqual(seen, expected)) expect(seen).toEqual(expected);
        for (const { ids } of seen) for (const id of ids) reached.add(id);
      }),
      { numRuns: 2000 },
    );
    // What was never visited was not compared: the deep states need several steps that fit together.
    expect([...reached]).toEqual(expect.arrayContaining(['claiming', 'closing', 'draining', 'closed', 'proxying']));
    expect(reached.size).toBeGreaterThanOrEqual(machine === sessionMachine ? 14 : 8);
  });

  it('takes up a snapshot of the interpreter, and the interpreter one of its own', () => {
    const input = inputOf({
      role: 'orig',
      mediaPath: 'always',
      known: true,
      storage: false,
      isf: false,
      scheme: 'sip',
      group: false,
    });
    const bye = { type: 'bye', leg: 'a', exchange: 'bye-2', step: 9, at: 9000 };
    const begunOnAndEndedOn = (first: AnyStateMachine, second: AnyStateMachine): unknown => {
      const begun = createActor(first, { input }).start();
      const resumed = createActor(second, { snapshot: begun.getPersistedSnapshot(), input }).start();
      resumed.send(bye as never);
      const { value, context } = resumed.getSnapshot();
      return { value, context };
    };
    expect(begunOnAndEndedOn(machine, compiled(machine, copyOf))).toEqual(begunOnAndEndedOn(machine, machine));
    expect(begunOnAndEndedOn(compiled(machine, copyOf), machine)).toEqual(begunOnAndEndedOn(machine, machine));
  });
});

describe('a chart that holds something else', () => {
  it.each([
    ['an action that is no assignment', { entry: raise({ type: 'go' }) as never }],
    ['an exit action', { exit: 'note' }],
    ['an inline guard', { on: { go: { guard: () => true, actions: 'note' } } }],
    ['a wildcard', { on: { '*': { actions: 'note' } } }],
    ['a delayed transition', { after: { 10: 'b' } }],
    ['an invoked actor', { invoke: { src: 'something' } }],
  ] as const)('runs on the interpreter: %s', (_, state) => {
    const machine = createMachine({
      initial: 'a',
      context: {},
      states: { a: state as object, b: {} },
    }).provide({ actions: { note: assign({}) as never } });
    expect(compiled(machine)).toBe(machine);
  });
});

it('sessions of the engine run on it', () => {
  const world = new World();
  const { near, far } = establish(world, 'orig');
  const [session] = world.pf.engine.sessions.values();
  expect(session?.actor.logic).not.toBe(unrecordedMachine);
  expect(Object.getPrototypeOf(session?.actor.logic)).toBe(unrecordedMachine);
  near.bye();
  world.settle();
  far.respond(200, { to: far.expect('BYE') });
  expect(leftovers(world)).toEqual([]);
});
