/** The chart of messages by itself, under any events: what holds however they come. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type AnyStateMachine, createActor } from 'xstate';
import { compiled } from '../../machines/compiled.ts';
import { copyOf, type MessageContext, type MessageInput } from '../../machines/message/context.ts';
import { messageMachine } from '../../machines/message/machine.ts';
import { DEFAULT_POLICY, DEFAULT_PROFILE } from '../../src/policy/defaults.ts';

const kept = fc.record({ room: fc.boolean(), ahead: fc.boolean(), known: fc.boolean() });
const profile = fc.record({
  known: fc.constantFrom(true, true, false),
  clients: fc.constantFrom([], null, DEFAULT_PROFILE.clients),
  blacklisted: fc.constantFrom(false, false, true),
  interworking: fc.constantFrom(null, true, false),
  allowOfflineStorage: fc.boolean(),
});

const anyInput = fc.record({
  role: fc.constantFrom('term' as const, 'term' as const, 'orig' as const),
  noClient: fc.constantFrom('defer' as const, 'defer' as const, 'interwork' as const, 'reject' as const),
  isf: fc.boolean(),
  known: fc.boolean(),
  profile,
  kept,
  scheme: fc.constantFrom('sip', 'sip', 'mailto'),
  content: fc.constantFrom('message' as const, 'message' as const, 'notification' as const, 'composing' as const),
  lifetimeSeconds: fc.constantFrom(null, null, 0, 60),
  wantsFailure: fc.boolean(),
  ours: fc.constantFrom(false, false, true),
  inSession: fc.constantFrom(false, false, true),
});

function inputOf(drawn: typeof anyInput extends fc.Arbitrary<infer T> ? T : never): MessageInput {
  const { role, noClient, isf, known, scheme, content, lifetimeSeconds, wantsFailure, ours } = drawn;
  return {
    id: 'message',
    role,
    policy: { ...DEFAULT_POLICY, noClient, isfAvailable: isf },
    profile: known ? { ...DEFAULT_PROFILE, ...drawn.profile } : null,
    lastKnown: null,
    message: {
      service: 'msg',
      originators: ['sip:alice@away.example'],
      release: '2.0',
      anonymityRequested: false,
      anonymousFrom: false,
      scheme,
      unsupported: { require: [], proxyRequire: [] },
      content,
      bytes: 100,
      // An INVITE has none for its messages.
      lifetimeSeconds: drawn.inSession ? null : lifetimeSeconds,
      wantsFailure,
      ours,
      inSession: drawn.inSession,
    },
    kept: drawn.kept,
    at: 1000,
  };
}

const anyEvent = fc
  .tuple(
    fc.oneof(
      fc.record({
        type: fc.constant('preferencesKnown'),
        profile: profile.map((some) => ({ ...DEFAULT_PROFILE, ...some })),
      }),
      fc.record({ type: fc.constant('answered'), status: fc.constantFrom(200, 202) }),
      fc.record({
        type: fc.constant('failed'),
        status: fc.constantFrom(404, 408, 415, 480, 486, 503, 603),
        late: fc.boolean(),
      }),
      fc
        .constantFrom(
          'preferencesOverdue',
          'answerOver',
          'turnCame',
          'retryDue',
          'expired',
          'dropOrdered',
          'senderGone',
        )
        .map((type) => ({ type })),
    ),
    kept,
  )
  .map(([event, about]) => ({ ...event, kept: about }));

interface Seen {
  readonly value: unknown;
  readonly context: MessageContext;
}

function run(machine: AnyStateMachine, input: MessageInput, events: readonly object[]): Seen[] {
  const actor = createActor(machine, { input });
  const look = (): Seen => {
    const { value, context } = actor.getSnapshot();
    return { value, context: context as MessageContext };
  };
  actor.start();
  const seen = [look()];
  for (const [number, event] of events.entries()) {
    actor.send({ ...event, step: number + 1, at: 2000 + number * 1000 } as never);
    seen.push(look());
  }
  return seen;
}

/** What it ordered, step by step. */
function orders(seen: readonly Seen[]): string[] {
  return seen.flatMap(({ context }, at) => (context.step === at ? context.effects.map(({ type }) => type) : []));
}

const ANSWERS = ['accept', 'refuse', 'passAnswer', 'leaveUnanswered'];
const story = fc.tuple(anyInput.map(inputOf), fc.array(anyEvent, { maxLength: 12 }));

describe('a message, whatever happens to it', () => {
  it('goes the same way compiled and on XState’s interpreter', () => {
    expect(compiled(messageMachine, copyOf)).not.toBe(messageMachine);
    fc.assert(
      fc.property(story, ([input, events]) => {
        const [left, right] = [messageMachine, compiled(messageMachine, copyOf)].map((chart) =>
          run(chart, input, events),
        );
        expect(isDeepStrictEqual(left, right)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('answers its sender once at the most, and exactly once unless a restart took too long', () => {
    fc.assert(
      fc.property(story, ([input, events]) => {
        const seen = run(compiled(messageMachine, copyOf), input, events);
        const answers = orders(seen).filter((type) => ANSWERS.includes(type));
        const { value, context } = seen.at(-1) as Seen;
        expect(answers.length).toBeLessThanOrEqual(1);
        expect(context.answered).toBe(answers.length === 1);
        if (value === 'closed' && context.outcome !== 'abandoned') expect(answers).toHaveLength(1);
      }),
      { numRuns: 1000 },
    );
  });

  it('ends in one place, with one outcome that never changes, and wants nothing afterwards', () => {
    fc.assert(
      fc.property(story, ([input, events]) => {
        const seen = run(compiled(messageMachine, copyOf), input, events);
        const ended = seen.findIndex(({ context }) => context.outcome !== null);
        const after = ended < 0 ? [] : seen.slice(ended);
        expect(new Set(after.map(({ context }) => context.outcome)).size).toBeLessThanOrEqual(1);
        expect(after.flatMap(({ context }) => Object.keys(context.deadlines))).toEqual([]);
        const isOver = ({ value }: Seen) => value === 'closed' || isDeepStrictEqual(value, { ending: 'notifying' });
        expect(after.every(isOver)).toBe(true);
        const closed = seen.findIndex(({ value }) => value === 'closed');
        expect(closed >= 0 && orders(seen).length > orders(seen.slice(0, closed + 1)).length).toBe(false);
        expect(seen.some(({ value, context }) => value === 'closed' && context.outcome === null)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('is recorded and told of once at the most; what is kept always has a time at which it is given up', () => {
    fc.assert(
      fc.property(story, ([input, events]) => {
        const seen = run(compiled(messageMachine, copyOf), input, events);
        for (const once of ['record', 'notifySender']) {
          expect(orders(seen).filter((type) => type === once).length).toBeLessThanOrEqual(1);
        }
        for (const { value, context } of seen) {
          if (typeof value === 'object' && 'kept' in (value as object)) {
            expect(context.deadlines.expired).toBeGreaterThan(1000);
            expect(context.answered).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
