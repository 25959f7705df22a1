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
  const rows = inOrder([
    momentsOf('originating', ladders.originating, states),
    momentsOf('terminating', ladders.terminating, states),
  ]);
  const first = rows[0]?.at ?? 0;
  return rows.map((row) => ({ ...row, at: row.at - first }));
}

/** What one function has noted, and whether it passed between the two. */
interface Moment {
  readonly at: number;
  /** Absent for a message of the other function, which has drawn it when it was sent. */
  readonly row?: JointRow;
  readonly passes?: 'to' | 'from';
}

function momentsOf(own: Place, entries: readonly LadderEntry[], states: readonly StateChange[]): Moment[] {
  const [left, right]: readonly Party[] = own === 'originating' ? ['alice', 'terminating'] : ['originating', 'bob'];
  const moments = [
    ...entries.map((entry) => messageMoment(entry, own, (entry.leg === 'a' ? left : right) as Party)),
    ...stateRows(states.filter(({ of }) => of === own)).map((row): Moment => ({ at: row.at, row })),
  ];
  return moments.sort((one, other) => one.at - other.at);
}

function messageMoment({ at, direction, label: message }: LadderEntry, own: Place, peer: Party): Moment {
  const between = peer === 'originating' || peer === 'terminating';
  if (direction === 'out')
    return { at, row: { at, from: own, to: peer, message }, ...(between ? { passes: 'to' } : {}) };
  return between ? { at, passes: 'from' } : { at, row: { at, from: peer, to: own, message } };
}

/** Both functions read one clock, but each once for all that it does in a turn: nothing is received before it is sent. */
function inOrder(sides: readonly [Moment[], Moment[]]): JointRow[] {
  const rows: JointRow[] = [];
  const onTheirWay: [number, number] = [0, 0];
  for (;;) {
    const heads = [sides[0][0], sides[1][0]] as const;
    if (heads[0] === undefined && heads[1] === undefined) return rows;
    const side = nextSide(heads, onTheirWay);
    const moment = sides[side].shift();
    if (moment?.passes === 'to') onTheirWay[side]++;
    if (moment?.passes === 'from') onTheirWay[side === 0 ? 1 : 0]--;
    if (moment?.row !== undefined) rows.push(moment.row);
  }
}

function nextSide(
  [left, right]: readonly [Moment | undefined, Moment | undefined],
  [fromLeft, fromRight]: readonly [number, number],
): 0 | 1 {
  if (left === undefined || right === undefined) return left === undefined ? 1 : 0;
  const leftWaits = left.passes === 'from' && fromRight <= 0;
  const rightWaits = right.passes === 'from' && fromLeft <= 0;
  if (leftWaits !== rightWaits) return leftWaits ? 1 : 0;
  return left.at <= right.at ? 0 : 1;
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
