/**
 * A value and the long texts beside it as one string. Messages and descriptions are full of line breaks, which JSON
 * would escape one by one, at each write of a session; behind the JSON they stand as they are.
 */

export interface Packed {
  readonly value: unknown;
  readonly texts: readonly string[];
}

/** JSON leaves out what is undefined: an empty list is not written. */
export function unlessEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** The lengths of the texts, the value as JSON, and the texts: three parts, the first two a line each. */
export function packed(value: unknown, texts: readonly string[]): string {
  let joined = '';
  let lengths = '';
  for (const text of texts) {
    joined += text;
    lengths += `${text.length} `;
  }
  return `${lengths}\n${JSON.stringify(value)}\n${joined}`;
}

/** Takes apart what {@link packed} has made; throws where it is something else. */
export function unpacked(record: string): Packed {
  const first = record.indexOf('\n');
  const second = record.indexOf('\n', first + 1);
  if (first < 0 || second < 0) throw new Error('not a record');
  const value: unknown = JSON.parse(record.slice(first + 1, second));
  const texts: string[] = [];
  let at = second + 1;
  for (const length of record.slice(0, first).split(' ')) {
    if (length === '') continue;
    texts.push(record.slice(at, at + Number(length)));
    at += Number(length);
  }
  if (at !== record.length) throw new Error('a record cut short');
  return { value, texts };
}
