/**
 * Plain records with something changed. One spread and then assignments: in a literal, a second spread or a computed
 * name would define each property anew, which takes the runtime several times as long.
 */

export function changed<T extends object>(before: T, changes: Partial<T>): T {
  const after = { ...before };
  for (const key in changes) after[key] = changes[key] as T[typeof key];
  return after;
}

export function withEntry<T>(before: Readonly<Record<string, T>>, name: string, value: T): Readonly<Record<string, T>> {
  const after = { ...before };
  after[name] = value;
  return after;
}

export function withoutEntry<T>(before: Readonly<Record<string, T>>, name: string): Record<string, T> {
  const after: Record<string, T> = {};
  for (const key in before) if (key !== name) after[key] = before[key] as T;
  return after;
}
