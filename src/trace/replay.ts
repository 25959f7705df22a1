/**
 * What happened inside a step: which guards were asked and what they answered, which transitions were taken, which
 * actions ran. The step is done once more on XState's own interpreter, from the snapshot before it; guards and actions
 * are pure, so it comes out the same, and while nobody looks it costs nothing.
 */
import { type AnyMachineSnapshot, assign, createActor, type InspectionEvent, type Snapshot } from 'xstate';
import { clausesOf } from '../../machines/session/clauses.ts';
import type { SessionInput } from '../../machines/session/context.ts';
import { actions, type SessionMachine, sessionMachine, unrecordedMachine } from '../../machines/session/machine.ts';
import type { OwnGuards } from '../../machines/session/own-guards.ts';
import { type GuardAnswer, watchedGuards } from '../engine/watched-guards.ts';
import type { TracedStep } from './trace.ts';

export interface ExplainedStep {
  readonly guards: readonly GuardAnswer[];
  /** `call.inviting.ringing:answered:4`: source, event (none for an eventless one), place among its candidates. */
  readonly transitions: readonly string[];
  readonly actions: readonly { readonly action: string; readonly clauses: readonly string[] }[];
}

/** Where the answers of the step at hand go. */
let guardsAsked: GuardAnswer[] = [];
let actionsRun: string[] = [];

const watchedActions = Object.fromEntries(
  Object.entries(actions).map(([name, action]) => [name, watchedAction(name, action)]),
);

interface Charts {
  readonly recorded: SessionMachine;
  readonly unrecorded: SessionMachine;
}

const CHARTS = new WeakMap<OwnGuards, Charts>();
const NO_OWN: OwnGuards = {};

/** The charts with everything watched, made once for each engine's own guards. */
function chartsWith(own: OwnGuards): Charts {
  let charts = CHARTS.get(own);
  if (charts === undefined) {
    const guards = watchedGuards((answer) => {
      const again = guardsAsked.some(({ guard, holds }) => guard === answer.guard && holds === answer.holds);
      if (!again) guardsAsked.push(answer);
    }, own);
    const noted = { guards, actions: watchedActions } as never;
    charts = { recorded: sessionMachine.provide(noted), unrecorded: unrecordedMachine.provide(noted) };
    CHARTS.set(own, charts);
  }
  return charts;
}

function watchedAction(name: string, action: unknown): unknown {
  const { assignment } = action as { readonly assignment: (args: object) => object };
  return assign((args: object) => {
    actionsRun.push(name);
    return assignment(args);
  });
}

const DONE = new WeakMap<TracedStep, ExplainedStep>();

/** @param own guards of the engine whose step it is */
export function replay(step: TracedStep, own: OwnGuards = NO_OWN): ExplainedStep {
  const known = DONE.get(step);
  if (known !== undefined) return known;
  guardsAsked = [];
  actionsRun = [];
  const transitions: string[] = [];
  const inspect = (seen: InspectionEvent): void => {
    if (seen.type === '@xstate.microstep') transitions.push(...seen._transitions.map(transitionId));
  };
  const { recorded, unrecorded } = chartsWith(own);
  const machine = typeof step.after.value === 'object' && 'recording' in step.after.value ? recorded : unrecorded;
  if (step.before === undefined) begin(machine, step, inspect);
  else again(machine, step, step.before, inspect);
  const ran = actionsRun.map((action) => ({ action, clauses: clausesOf(action) }));
  const explained = { guards: guardsAsked, transitions, actions: ran };
  DONE.set(step, explained);
  return explained;
}

type Inspect = (seen: InspectionEvent) => void;

/** What the session knew when it began is still in its context. */
function begin(machine: SessionMachine, { after, at }: TracedStep, inspect: Inspect): void {
  const { id, role, policy, profile, lastKnown, invite } = after.context as SessionInput;
  const input = { id, role, policy, profile, lastKnown: lastKnown ?? null, invite, at };
  const actor = createActor(machine, { input: input as SessionInput, inspect });
  actor.start();
  actor.stop();
}

function again(machine: SessionMachine, step: TracedStep, before: AnyMachineSnapshot, inspect: Inspect): void {
  const { value, context } = before;
  const snapshot = { status: 'active', value, context, children: {}, historyValue: {} } as unknown as Snapshot<unknown>;
  const actor = createActor(machine, { snapshot, input: {} as SessionInput, inspect });
  actor.start();
  actor.send(step.event as never);
  actor.stop();
}

type Taken = Extract<InspectionEvent, { type: '@xstate.microstep' }>['_transitions'][number];

function transitionId(transition: Taken): string {
  const { source, eventType } = transition;
  const candidates = eventType === '' ? (source.always ?? []) : (source.transitions.get(eventType) ?? []);
  // A session of which nothing is recorded runs the `call` region alone.
  const path = source.machine.root.type === 'parallel' ? source.path : ['call', ...source.path];
  return `${path.join('.')}:${eventType}:${candidates.indexOf(transition) + 1}`;
}
