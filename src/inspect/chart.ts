/**
 * A statechart as data for drawing: its states, and its transitions with the names of their guards and actions and the
 * clauses these fulfil. Read from the machine itself, so eventless transitions and the order of candidates are in it.
 */
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { clausesOf } from '../../machines/session/clauses.ts';

export interface ChartState {
  /** Keys from the root joined with dots: `call.inviting.ringing`; empty for the root. */
  readonly path: string;
  /** The last key; the machine's id for the root. */
  readonly name: string;
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final';
  readonly entry: readonly string[];
  /** Path of the state that is entered first; null where there is none. */
  readonly initial: string | null;
  readonly children: readonly ChartState[];
}

export interface ChartTransition {
  /** `call.inviting.ringing:answered:2`: where it starts, its event, and which of the candidates it is. */
  readonly id: string;
  /** Path of the state it starts from. */
  readonly source: string;
  /** Path of the state it leads to; null where the state stays. */
  readonly target: string | null;
  /** Null where no event is needed. */
  readonly event: string | null;
  /** Position among the candidates for the same event, from 1, and how many there are: the first that may, is taken. */
  readonly order: number;
  readonly of: number;
  readonly guard: string | null;
  readonly actions: readonly string[];
  /** Clauses its guard and its actions fulfil. */
  readonly clauses: readonly string[];
}

export interface Chart {
  readonly root: ChartState;
  readonly transitions: readonly ChartTransition[];
}

/** The machine's chart. Clause ids are those of the session's guards and actions; others have none. */
export function chartOf(machine: AnyStateMachine): Chart {
  const transitions: ChartTransition[] = [];
  return { root: stateOf(machine.root, transitions), transitions };
}

function stateOf(node: AnyStateNode, transitions: ChartTransition[]): ChartState {
  transitions.push(...transitionsOf(node));
  const [first] = node.type === 'compound' ? (node.initial.target ?? []) : [];
  return {
    path: pathOf(node),
    name: node.key,
    kind: isFinal(node) ? 'final' : (node.type as ChartState['kind']),
    // The configuration has what the author wrote; `node.entry` would have XState's own timers too.
    entry: namesIn(node.config.entry),
    initial: first === undefined ? null : pathOf(first),
    children: Object.values(node.states).map((child) => stateOf(child, transitions)),
  };
}

/** A chart that is also run beside others never stops its actor, so its last states are marked by their meta. */
function isFinal(node: AnyStateNode): boolean {
  return node.type === 'final' || (node.meta as { readonly final?: boolean } | undefined)?.final === true;
}

function transitionsOf(node: AnyStateNode): ChartTransition[] {
  const groups: [event: string | null, of: readonly TransitionOf<AnyStateNode>[]][] = [
    ...node.transitions.entries(),
    [null, node.always ?? []],
  ];
  return groups.flatMap(([event, candidates]) =>
    candidates.map((transition, at) => {
      const guard = guardName(transition.guard);
      const actions = namesIn(transition.actions);
      return {
        id: `${pathOf(node)}:${event ?? ''}:${at + 1}`,
        source: pathOf(node),
        target: transition.target?.[0] === undefined ? null : pathOf(transition.target[0]),
        event,
        order: at + 1,
        of: candidates.length,
        guard,
        actions,
        clauses: [...new Set([...(guard === null ? [] : [guard]), ...actions].flatMap(clausesOf))],
      };
    }),
  );
}

type TransitionOf<N extends AnyStateNode> = N['transitions'] extends Map<string, (infer T)[]> ? T : never;

function pathOf(node: AnyStateNode): string {
  return node.path.join('.');
}

/** A guard's name; one that is composed of others as `not(and(a, b))`. */
function guardName(guard: unknown): string | null {
  if (guard === undefined) return null;
  if (typeof guard === 'string') return guard;
  const { type, name, guards } = guard as { type?: string; name?: string; guards?: readonly unknown[] };
  if (guards !== undefined) return `${name ?? type}(${guards.map(guardName).join(', ')})`;
  return type ?? name ?? 'guard';
}

function namesIn(actions: unknown): string[] {
  if (actions === undefined) return [];
  return [actions].flat().map((action) => {
    if (typeof action === 'string') return action;
    const { type, name } = action as { type?: string; name?: string };
    return type ?? name ?? 'action';
  });
}

/** A state and all below it, outermost first. */
export function statesIn(state: ChartState): ChartState[] {
  return [state, ...state.children.flatMap(statesIn)];
}

/**
 * Paths of every state that a session is in, outermost first, from the value of its snapshot. A session of which nothing
 * is recorded runs the `call` region alone, and then its value is that of this region: its paths are under `call` too.
 */
export function activePaths(value: unknown): string[] {
  const whole = typeof value === 'object' && value !== null && 'call' in value ? value : { call: value };
  return pathsIn(whole, '');
}

function pathsIn(value: unknown, above: string): string[] {
  if (typeof value === 'string') return [above === '' ? value : `${above}.${value}`];
  return Object.entries(value as object).flatMap(([key, inner]) => {
    const path = above === '' ? key : `${above}.${key}`;
    return [path, ...pathsIn(inner, path)];
  });
}
