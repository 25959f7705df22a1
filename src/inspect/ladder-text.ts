/** A ladder as text: the function in the middle, whoever invited on the left, whom it invited on the right. */
import type { LadderEntry } from './ladder.ts';

const WIDTH = 34;

/** Lines of a ladder; times are relative to its first entry. */
export function ladderText(entries: readonly LadderEntry[], left: string, right: string): string[] {
  const first = entries[0]?.at ?? 0;
  const head = `${'ms'.padStart(8)}  ${centred(left)}${'PF'.padEnd(4)}${centred(right)}`;
  return [head.trimEnd(), ...entries.map((entry) => line(entry, first))];
}

function line(entry: LadderEntry, first: number): string {
  const time = String(Math.round(entry.at - first)).padStart(8);
  const near = entry.leg === 'a';
  const rightward = near === (entry.direction === 'in');
  const label = near || entry.leg === 'b' ? entry.label : `${entry.label} [${entry.leg}]`;
  const arrow = arrowOf(label, rightward);
  const blank = ' '.repeat(WIDTH);
  return `${time}  ${near ? arrow : blank}${' |  '}${near ? '' : arrow}`.trimEnd();
}

function arrowOf(label: string, rightward: boolean): string {
  const text = ` ${label.slice(0, WIDTH - 8)} `;
  const dashes = '-'.repeat(Math.max(2, WIDTH - 2 - text.length));
  return rightward ? `${text}${dashes}> `.padEnd(WIDTH) : ` <${dashes}${text}`.padEnd(WIDTH);
}

function centred(text: string): string {
  const room = Math.max(0, WIDTH - text.length);
  return `${' '.repeat(room >> 1)}${text}${' '.repeat(room - (room >> 1))}`;
}
