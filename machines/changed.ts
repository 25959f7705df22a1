/**
 * Plain records with something changed. In Node 20 a property that is added behind a spread, or by a second one, gives
 * each object a shape of its own: it takes long to make, and whoever reads it has to search. A spread behind the named
 * ones, or one whose names stay the same, does not.
 */

export function changed<T extends object>(before: T, changes: Partial<T>): T {
  const after = { ...before };
  for (const key in changes) after[key] = changes[key] as T[typeof key];
  return after;
}

export function withEntry<T>(before: Readonly<Record<string, T>>, name: string, value: T): Readonly<Record<string, T>> {
  const after = copied(before);
  after[name] = value;
  return after;
}

/** Entry by entry: what is added to a spread has a shape of its own for each object. */
export function copied<T>(before: Readonly<Record<string, T>>): Record<string, T> {
  const after: Record<string, T> = {};
  for (const key in before) after[key] = before[key] as T;
  return after;
}

export function withoutEntry<T>(before: Readonly<Record<string, T>>, name: string): Record<string, T> {
  const after: Record<string, T> = {};
  for (const key in before) if (key !== name) after[key] = before[key] as T;
  return after;
}
