/**
 * The four transaction machines are charts: for each state, what each input does. A row names the next state
 * and the orders carried out on the way, so that a file can be held beside its figure in RFC 3261 17 or
 * RFC 6026 7 and read line by line. An input without a row is ignored in that state, on purpose.
 */
export type Order<T> = (transaction: T) => void;
export type Row<S extends string, T> = readonly [next: S, ...orders: Order<T>[]];
export type Chart<S extends string, I extends string, T> = {
  readonly [state in S]: { readonly [input in I]?: Row<S, T> };
};

/** Takes the row of this state and input. False where there is none. */
export function take<S extends string, I extends string, T extends { state: S }>(
  chart: Chart<S, I, T>,
  transaction: T,
  input: I,
): boolean {
  const row = chart[transaction.state][input];
  if (row === undefined) return false;
  transaction.state = row[0];
  for (let at = 1; at < row.length; at++) (row[at] as Order<T>)(transaction);
  return true;
}

/** The class of a status code as the figures name it. */
export function inviteInput(status: number): '1xx' | '2xx' | '300-699' {
  return status < 200 ? '1xx' : status < 300 ? '2xx' : '300-699';
}
