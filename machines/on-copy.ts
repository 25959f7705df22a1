/**
 * Assignments that change a copy of the context in place. A compiled chart gives them the one copy it makes for an event; to
 * XState's interpreter they say what differs afterwards, as every assignment does.
 */

const WORK = Symbol('work on a copy');

/** Changes the properties of a context that nobody else has seen; what they hold is replaced, never changed. */
export type WorkOnCopy<C, E> = (context: C, event: E) => void;

/** What XState's `assign` takes: gives what changes in the context. */
export type GivesChanges<C, E> = (given: { readonly context: C; readonly event: E }) => Partial<C>;

/** The assignment for XState's `assign`. */
export function onCopy<C extends object, E>(work: WorkOnCopy<C, E>): GivesChanges<C, E> {
  const assignment: GivesChanges<C, E> = ({ context, event }) => {
    const after = { ...context };
    work(after, event);
    const changes: Partial<C> = {};
    for (const key in after) if (after[key] !== context[key]) changes[key] = after[key];
    return changes;
  };
  return Object.assign(assignment, { [WORK]: work });
}

/** What an assignment does, on a copy. */
export function workOf<C extends object, E>(assignment: GivesChanges<C, E>): WorkOnCopy<C, E> {
  const { [WORK]: work } = assignment as { [WORK]?: WorkOnCopy<C, E> };
  if (work !== undefined) return work;
  return (context, event) => {
    const changes = assignment({ context, event });
    for (const key in changes) context[key] = changes[key] as C[typeof key];
  };
}
