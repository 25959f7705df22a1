/** The session's chart with one thing wrong in it. */
import { assign, createMachine } from 'xstate';
import { type SessionMachine, sessionMachine, unrecordedMachine } from '../../machines/session/machine.ts';

type Tree = { [key: string]: unknown };
type Order = { readonly type: string; readonly leg?: string };

/** What an action changes, before it takes effect. */
interface Changes {
  effects?: readonly Order[];
  deadlines?: Readonly<Record<string, number>>;
  [key: string]: unknown;
}

type Assignment = (args: { readonly context: unknown; readonly event: unknown }) => Changes;

export interface Alteration {
  /** Changes the chart, given its `call` region or its `recording` region, by path. */
  readonly states?: Readonly<Record<string, (state: Tree) => void>>;
  /** Changes what an action does. */
  readonly actions?: Readonly<Record<string, (changes: Changes, context: Tree) => Changes>>;
}

export function altered(storage: boolean, { states = {}, actions = {} }: Alteration): SessionMachine {
  const machine = storage ? sessionMachine : unrecordedMachine;
  const config = copyOf(machine.config as unknown as Tree);
  const call = storage ? ((config.states as Tree).call as Tree) : config;
  for (const [path, change] of Object.entries(states)) {
    const [region = '', ...below] = path.split('.');
    const root = region === 'recording' ? ((config.states as Tree).recording as Tree) : call;
    change(stateAt(root, region === 'recording' ? below : [region, ...below]));
  }
  const { guards, actions: known } = machine.implementations;
  const changed = Object.fromEntries(
    Object.entries(actions).map(([name, change]) => [name, wrapped(known[name as keyof typeof known], change)]),
  );
  const made = createMachine(config as never, { guards, actions: { ...known, ...changed } } as never);
  return made as unknown as SessionMachine;
}

function stateAt(root: Tree, path: readonly string[]): Tree {
  return path.reduce((state, name) => (state.states as Tree)[name] as Tree, root);
}

function copyOf<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copyOf) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copyOf(inner)])) as T;
}

function wrapped(action: unknown, change: (changes: Changes, context: Tree) => Changes) {
  const { assignment } = action as { readonly assignment: Assignment };
  return assign((args) => change({ ...assignment(args) }, args.context as Tree) as never);
}

/** Leaves out the effects that fit. */
export const without = (fits: (order: Order) => boolean) => (changes: Changes) =>
  changes.effects === undefined ? changes : { ...changes, effects: changes.effects.filter((each) => !fits(each)) };

export const withoutDeadline = (name: string) => (changes: Changes) => {
  const { [name]: _gone, ...deadlines } = changes.deadlines ?? {};
  return changes.deadlines === undefined ? changes : { ...changes, deadlines };
};
