/** What a statechart's configuration names. */

interface Transition {
  readonly guard?: unknown;
  readonly actions?: unknown;
}

interface State {
  readonly entry?: unknown;
  readonly exit?: unknown;
  readonly always?: unknown;
  readonly on?: Readonly<Record<string, unknown>>;
  readonly states?: Readonly<Record<string, State>>;
}

function list(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** Names of the guards and actions in a state and all below it, sorted. */
export function namesIn(state: unknown): { guards: string[]; actions: string[] } {
  const guards = new Set<string>();
  const actions = new Set<string>();
  const note = (names: Set<string>, value: unknown): void => {
    for (const name of list(value)) names.add(String(name));
  };
  const visit = ({ entry, exit, always, on = {}, states = {} }: State): void => {
    note(actions, entry);
    note(actions, exit);
    for (const transition of [always, ...Object.values(on)].flatMap(list)) {
      if (typeof transition !== 'object' || transition === null) continue;
      note(guards, (transition as Transition).guard);
      note(actions, (transition as Transition).actions);
    }
    for (const child of Object.values(states)) visit(child);
  };
  visit(state as State);
  return { guards: [...guards].sort(), actions: [...actions].sort() };
}
