/** What commands print: tables for people, JSON for programs. Colour and progress only on a terminal. */

export function print(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** Two-space separated columns, each as wide as its widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A mistake of whoever called: exit code 2. */
export class UsageError extends Error {}

/** Work that failed: exit code 1. */
export class CommandFailed extends Error {}

/** A `--limit` as the server takes it. */
export function limitOf(limit = '100'): string {
  if (!/^[1-9]\d*$/.test(limit)) throw new UsageError(`--limit ${limit}: expected a number from 1`);
  return limit;
}
