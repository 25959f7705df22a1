/** The guards, each telling what it answered, which clauses it stands for, and what it looked at to answer so. */
import type { ClauseId } from '../../machines/session/clause-ids.ts';
import { clausesOf } from '../../machines/session/clauses.ts';
import { guards } from '../../machines/session/guards.ts';
import { isPolicyGuard, type OwnGuards, ownAnswer } from '../../machines/session/own-guards.ts';

export interface GuardAnswer {
  /** Its name in the chart. */
  readonly guard: string;
  /** True: the guard holds, and its way is taken. */
  readonly holds: boolean;
  readonly clauses: readonly ClauseId[];
  /** What it read, in the order of reading: `profile.blacklisted` and the like. */
  readonly reads: readonly GuardRead[];
  /** Where a guard of the operator's own was asked: what the answer had been without it. */
  readonly own?: { readonly standard: boolean; readonly failure: string | null };
}

export interface GuardRead {
  /** Path in the session's context; one that begins with `event.` is of the event. */
  readonly path: string;
  readonly value: unknown;
}

/** One guard that is asked again in the same step is noted once. */
export function stepsNoted(): { readonly steps: readonly GuardAnswer[]; note(answer: GuardAnswer): void } {
  const steps: GuardAnswer[] = [];
  return {
    steps,
    note(answer) {
      const last = steps.at(-1);
      if (last?.guard !== answer.guard || last.holds !== answer.holds) steps.push(answer);
    },
  };
}

/** More than this says less. */
const MAX_READS = 8;

type Args = { readonly context: object; readonly event: object };

/** Those of the session's chart; `own` are the operator's. */
export function watchedGuards(told: (answer: GuardAnswer) => void, own: OwnGuards = {}): typeof guards {
  return watchedBy(told, guards, own);
}

/** Those of any chart. */
export function watchedBy<G extends object>(told: (answer: GuardAnswer) => void, all: G, own: OwnGuards = {}): G {
  const watching = Object.entries(all).map(([name, guard]) => {
    const standard = guard as unknown as (args: Args) => boolean;
    const answered =
      isPolicyGuard(name) && own[name] !== undefined
        ? (args: Args) => ownAnswer(name, own, args as never)
        : () => undefined;
    const ask = (args: Args): boolean => answered(args)?.holds ?? standard(args);
    const asked = (args: Args): boolean => {
      const given = answered(args);
      const holds = given?.holds ?? standard(args);
      const by = given === undefined ? {} : { own: { standard: given.standard, failure: given.failure } };
      told({ guard: name, holds, clauses: clausesOf(name), reads: readsOf(ask, args), ...by });
      return holds;
    };
    return [name, asked];
  });
  return Object.fromEntries(watching) as G;
}

/** Guards are pure, so one can be asked a second time, with someone watching what it looks at. */
function readsOf(ask: (args: Args) => boolean, { context, event }: Args): GuardRead[] {
  const reads = new Map<string, unknown>();
  const note = (path: string, value: unknown): void => {
    if (reads.size < MAX_READS) reads.set(path, value);
  };
  ask({ context: watched(context, '', note), event: watched(event, 'event.', note) });
  return [...reads].map(([path, value]) => ({ path, value }));
}

/** The object, telling of each plain value or list that is read in it or below it. */
function watched<T extends object>(object: T, above: string, note: (path: string, value: unknown) => void): T {
  // A copy, since what a frozen object holds may not be shown otherwise than it is.
  return new Proxy(
    { ...object },
    {
      get(target, key) {
        const value = Reflect.get(target, key) as unknown;
        if (typeof key === 'symbol' || typeof value === 'function') return value;
        if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
          return watched(value, `${above}${key}.`, note);
        }
        note(above + key, value);
        return value;
      },
    },
  );
}
