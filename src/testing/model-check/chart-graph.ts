/**
 * The session's chart as a graph: states by number, and what each event makes of each state, worked out once.
 *
 * Two snapshots are one state where no guard can tell them apart: identifiers, times and counts of past things are left
 * out. The chart is watched while it runs: how often `tearingDown` was entered is counted by an entry action put into it,
 * since one event may go through it without resting there.
 */
import { type AnyMachineSnapshot, type AnyStateMachine, assign, createMachine } from 'xstate';
import { compiled } from '../../../machines/compiled.ts';
import type { SessionContext, SessionInput } from '../../../machines/session/context.ts';
import type { Effect } from '../../../machines/session/effects.ts';
import type { SessionEvent } from '../../../machines/session/events.ts';
import type { SessionMachine } from '../../../machines/session/machine.ts';

/** A session's data with the count of entries into `tearingDown`. */
export type WatchedContext = SessionContext & { readonly entered?: number };

export type ChartEvent = SessionEvent extends infer E
  ? E extends SessionEvent
    ? Omit<E, 'step' | 'at'>
    : never
  : never;

export interface ChartState {
  readonly id: number;
  /** `inviting.ringing`, and `closed` at the end. */
  readonly call: string;
  readonly recording: string;
  readonly context: WatchedContext;
  readonly snapshot: AnyMachineSnapshot;
}

/** What an event made of a state. */
export interface Outcome {
  readonly state: ChartState;
  readonly effects: readonly Effect[];
  /** The context as the event left it, before it was reduced. */
  readonly after: WatchedContext;
  /** True where the session is stored before its effects leave. */
  readonly stored: boolean;
}

/** Time of all events before the session begins to end, and of all after: whatever is armed anew then shows, ms. */
export const BEFORE_ENDING = 0;
export const WHILE_ENDING = 1_000_000_000;

export class ChartGraph {
  readonly states: ChartState[] = [];
  readonly #machine: AnyStateMachine;
  readonly #byKey = new Map<string, ChartState>();
  readonly #outcomes: Map<string, Outcome>[] = [];

  /** Throws for a chart that holds more than guards and assignments: it would not be the one that the engine compiles. */
  constructor(machine: SessionMachine) {
    const watched = watch(machine);
    this.#machine = compiled(watched);
    if (this.#machine === watched) throw new Error('only a chart of guards and assignments can be checked');
  }

  initial(input: SessionInput): Outcome {
    const snapshot = this.#machine.getInitialSnapshot(undefined as never, input);
    return this.#outcome(snapshot, 0, true);
  }

  /** `step` names what the event makes; it must not be in use. */
  take(from: ChartState, event: ChartEvent, step: number): Outcome {
    const known = this.#outcomes[from.id] as Map<string, Outcome>;
    const key = `${step} ${keyOfEvent(event)}`;
    let outcome = known.get(key);
    if (outcome === undefined) {
      const at = from.context.ending === null ? BEFORE_ENDING : WHILE_ENDING;
      const stamped = { ...event, step, at };
      const snapshot = this.#machine.transition(from.snapshot, stamped as never, undefined as never);
      outcome = this.#outcome(snapshot as AnyMachineSnapshot, step, snapshot.context.checkpoint !== 0);
      known.set(key, outcome);
    }
    return outcome;
  }

  #outcome(snapshot: AnyMachineSnapshot, step: number, stored: boolean): Outcome {
    const after = snapshot.context as WatchedContext;
    const effects = after.step === step ? after.effects : [];
    return { state: this.#intern(snapshot), effects, after, stored };
  }

  #intern(snapshot: AnyMachineSnapshot): ChartState {
    const context = reduced(snapshot.context as WatchedContext);
    const key = `${JSON.stringify(snapshot.value)} ${keyOf(context)}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const { call, recording } = placesOf(snapshot.value);
    const state = { id: this.states.length, call, recording, context, snapshot: { ...snapshot, context } };
    this.states.push(state as ChartState);
    this.#outcomes.push(new Map());
    this.#byKey.set(key, state as ChartState);
    return state as ChartState;
  }
}

/** Within one search, events that agree in these agree in everything. */
function keyOfEvent(event: ChartEvent): string {
  const { type, leg, exchange, status, accepted } = event as Partial<Record<string, unknown>>;
  return `${type} ${leg} ${exchange} ${status} ${accepted}`;
}

/** What no guard reads is set to nothing. */
function reduced(context: WatchedContext): WatchedContext {
  const deadlines: Record<string, number> = {};
  for (const name of Object.keys(context.deadlines).sort()) {
    deadlines[name] = name === 'teardownOver' ? (context.deadlines[name] as number) : 0;
  }
  return { ...context, deadlines, step: 0, effects: [], checkpoint: 0, history: { ...context.history, failures: 0 } };
}

/** The reason of the ending is told apart by no guard, and the rest never changes within a search. */
function keyOf(context: WatchedContext): string {
  const { ending, entered, mode, profile, legs, current, carriers, attempts, relays, byes, drops, history, deadlines } =
    context;
  const { reason: _reason, by: _by, ...awaiting } = ending ?? {};
  const end = ending === null ? null : awaiting;
  const known = profile === null ? null : [profile.allowOfflineStorage, profile.clients === null];
  return JSON.stringify([
    [entered ?? 0, end, mode, known, legs, current, carriers],
    [attempts, relays, byes, drops, history, Object.keys(deadlines)],
  ]);
}

function placesOf(value: unknown): { call: string; recording: string } {
  const regions = value as { readonly call?: unknown; readonly recording?: string };
  if (regions.recording === undefined) return { call: pathOf(value), recording: 'off' };
  return { call: pathOf(regions.call), recording: regions.recording };
}

function pathOf(value: unknown): string {
  return typeof value === 'string'
    ? value
    : Object.entries(value as object)
        .flat()
        .map(pathOf)
        .join('.');
}

interface StateConfig {
  readonly entry?: unknown;
  readonly states?: Readonly<Record<string, StateConfig>>;
}

/** The same chart with the watching entry action in `tearingDown`. */
function watch(machine: SessionMachine): AnyStateMachine {
  const config = watchedConfig(machine.config as StateConfig, 'session');
  const { guards, actions } = machine.implementations;
  const countEntry = assign(({ context }) => ({ entered: ((context as WatchedContext).entered ?? 0) + 1 }));
  const made = createMachine(config as never, { guards, actions: { ...actions, countEntry } } as never);
  return made as unknown as AnyStateMachine;
}

function watchedConfig(config: StateConfig, name: string): StateConfig {
  const states = Object.fromEntries(
    Object.entries(config.states ?? {}).map(([child, below]) => [child, watchedConfig(below, child)]),
  );
  const inner = config.states === undefined ? config : { ...config, states };
  if (name !== 'tearingDown') return inner;
  return { ...inner, entry: [...[config.entry ?? []].flat(), 'countEntry'] };
}
