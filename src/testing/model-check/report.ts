/** Search results for people: a table of counts, and a violation as the path that leads to it. */
import type { Effect } from '../../../machines/session/effects.ts';
import type { Step } from './moves.ts';
import type { SearchResult, Violation } from './search.ts';

/** One step a line: what happened, where the session is then, its legs, and what it has ordered. */
export function violationText({ law, path }: Violation): string {
  const lines = path.map((step, at) => `${String(at + 1).padStart(3)}. ${stepText(step)}`);
  return [law, ...lines].join('\n');
}

function stepText({ says, world, outcome }: Step): string {
  const { call, recording, context } = world.chart;
  const legs = Object.entries(context.legs).map(([name, { phase }]) => `${name} ${phase}`);
  const where = recording === 'off' ? call : `${call}, ${recording}`;
  const orders = outcome === undefined ? [] : outcome.effects.map(effectText);
  const ordered = orders.length === 0 ? '' : `\n     orders ${orders.join(', ')}`;
  return `${says}\n     ${where}: ${legs.join(', ')}${ordered}`;
}

function effectText(effect: Effect): string {
  const { type, leg, exchange, status } = effect as Partial<Record<string, string | number>>;
  return [type, leg, exchange, status].filter((part) => part !== undefined).join(' ');
}

/** A result with the seconds it took. */
export type Timed = SearchResult & { readonly seconds: number };

const COLUMNS = ['states', 'transitions', 'depth', 'sessionStates', 'deadlinesToEnd'] as const;

export function resultTable(results: readonly Timed[]): string {
  const head = ['configuration', 'states', 'transitions', 'depth', 'session', 'deadlines', 'seconds'];
  const rows = results.map((result) => [
    result.configuration,
    ...COLUMNS.map((column) => String(result[column])),
    result.seconds.toFixed(1),
  ]);
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  return [head, ...rows].map((row) => row.map((cell, at) => pad(cell, widths[at] ?? 0, at > 0)).join('  ')).join('\n');
}

const pad = (cell: string, width: number, right: boolean): string =>
  right ? cell.padStart(width) : cell.padEnd(width);
