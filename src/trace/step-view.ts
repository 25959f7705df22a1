/** A step of a traced session, told for whoever looks at it. `shown` takes out of data what may not be seen; `own` are the operator's guards. */
import type { AnyMachineSnapshot } from 'xstate';
import type { SessionContext } from '../../machines/session/context.ts';
import type { OwnGuards } from '../../machines/session/own-guards.ts';
import { regionsOf } from '../engine/session.ts';
import { replay } from './replay.ts';
import type { TracedStep } from './trace.ts';

/** A step as a page shows it: what happened, what was asked and done, where the session is since. */
export function stepView(step: TracedStep, shown: <T>(data: T) => T, own?: OwnGuards) {
  const { n, at, event, after } = step;
  const { type, ...details } = { type: 'invited', ...event } as { type: string } & Record<string, unknown>;
  const { step: _step, at: _at, ...about } = details;
  const { guards, transitions, actions } = replay(step, own);
  const context = after.context as SessionContext;
  return {
    n,
    at,
    event: type,
    about: shown(about),
    ...placeOf(after),
    guards: guards.map(({ reads, ...guard }) => ({ ...guard, reads: shown(reads) })),
    transitions,
    actions,
    effects: context.step === step.step ? shown(context.effects) : [],
    mode: context.mode,
    legs: context.legs,
    deadlines: context.deadlines,
    history: context.history,
    ending: context.ending,
  };
}

function placeOf(snapshot: AnyMachineSnapshot): { call: string; recording: string } {
  const { call, recording } = regionsOf(snapshot.value);
  return { call: typeof call === 'string' ? call : Object.entries(call).flat().join('.'), recording };
}

export type StepView = ReturnType<typeof stepView>;
