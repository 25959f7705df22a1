/**
 * Two sessions that belong together, in one ladder: phone, function, function, phone. Each function has noted what it
 * sent and received; a message between the two is in both notes and drawn once, when it was sent.
 */
import type { LadderEntry } from '../../inspect/ladder.ts';
import type { Paint } from './paint.ts';
import type { Place, StateChange } from './states.ts';

export const PARTIES = ['alice', 'originating', 'terminating', 'bob'] as const;
export type Party = (typeof PARTIES)[number];

export type JointRow =
  /** `at` is in milliseconds from the first row. */
  | { readonly at: number; readonly from: Party; readonly to: Party; readonly message: string }
  | { readonly at: number; readonly of: Place; readonly call: string }
  | { readonly at: number; readonly of: Place; readonly recording: string };

export interface TwoLadders {
  readonly originating: readonly LadderEntry[];
  readonly terminating: readonly LadderEntry[];
}

/** Every message and every change of state, in the order in which they happened. */
export function jointRows(ladders: TwoLadders, states: readonly StateChange[]): JointRow[] {
  const rows = [
    ...ladders.originating.flatMap((entry) => messageRow(entry, 'alice', 'originating', 'terminating')),
    ...ladders.terminating.flatMap((entry) => messageRow(entry, 'originating', 'terminating', 'bob')),
    ...stateRows(states.filter(({ of }) => of === 'originating')),
    ...stateRows(states.filter(({ of }) => of === 'terminating')),
  ];
  // Both functions live in this process and read the same steady clock.
  rows.sort((one, other) => one.at - other.at);
  const first = rows[0]?.at ?? 0;
  return rows.map((row) => ({ ...row, at: row.at - first }));
}

function messageRow(entry: LadderEntry, left: Party, own: Place, right: Party): JointRow[] {
  const peer = entry.leg === 'a' ? left : right;
  const fromPeer = entry.direction === 'in';
  // The other function has drawn it already, as one that it sent.
  if (fromPeer && (peer === 'originating' || peer === 'terminating')) return [];
  const [from, to] = fromPeer ? [peer, own] : [own, peer];
  return [{ at: entry.at, from, to, message: entry.label }];
}

function stateRows(changes: readonly StateChange[]): JointRow[] {
  const rows: JointRow[] = [];
  let [call, recording] = ['', 'off'];
  for (const change of changes) {
    const { at, of } = change;
    if (change.call !== call) rows.push({ at, of, call: change.call });
    if (change.recording !== recording) rows.push({ at, of, recording: change.recording });
    ({ call, recording } = change);
  }
  return rows;
}

// --- as text -------------------------------------------------------------------------------------------------

/** Columns: of the times, before the first lifeline, between two lifelines. */
const TIME = 7;
const GAP = 27;
const LEFT = 12;
const NAMES: Readonly<Record<Party, string>> = {
  alice: 'Alice',
  originating: "Alice's PF",
  terminating: "Bob's PF",
  bob: 'Bob',
};

export function jointText(rows: readonly JointRow[], paint: Paint): string[] {
  return [headLine(paint), ...rows.map((row) => rowLine(row, paint))];
}

function headLine(paint: Paint): string {
  let line = 'ms'.padStart(TIME);
  PARTIES.forEach((party, at) => {
    const name = NAMES[party];
    line = line.padEnd(LEFT + at * GAP - (name.length >> 1)) + name;
  });
  return paint.bold(line);
}

function rowLine(row: JointRow, paint: Paint): string {
  const time = String(Math.round(row.at)).padStart(TIME);
  return `${paint.dim(time)}${' '.repeat(LEFT - TIME)}${'message' in row ? messageLine(row, paint) : stateLine(row, paint)}`;
}

function messageLine(row: Extract<JointRow, { message: string }>, paint: Paint): string {
  const [from, to] = [PARTIES.indexOf(row.from), PARTIES.indexOf(row.to)];
  const start = Math.min(from, to);
  const arrow = paint.message(arrowOf(row.message, to > from));
  return PARTIES.map((_, at) => {
    const gap = at === start ? arrow : at === PARTIES.length - 1 ? '' : ' '.repeat(GAP - 1);
    return paint.dim('│') + gap;
  }).join('');
}

/** `──────── INVITE ────────▶` over the whole gap. */
function arrowOf(message: string, rightward: boolean): string {
  const label = ` ${message.slice(0, GAP - 7)} `;
  const dashes = GAP - 2 - label.length;
  const line = '─'.repeat(dashes >> 1) + label + '─'.repeat(dashes - (dashes >> 1));
  return rightward ? `${line}▶` : `◀${line}`;
}

function stateLine(row: Exclude<JointRow, { message: string }>, paint: Paint): string {
  const own = PARTIES.indexOf(row.of);
  const text = 'call' in row ? `◆ ${row.call}` : `◇ recording ${row.recording}`;
  return PARTIES.map((_, at) => {
    if (at === own) return paint.state(text.padEnd(GAP));
    return paint.dim('│') + (at === PARTIES.length - 1 ? '' : ' '.repeat(GAP - 1));
  }).join('');
}
