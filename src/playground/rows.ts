/** What is told of a play, in the order in which it happened: the ladder of all nodes, and what happened at each. */

import type { Passage } from '../testing/virtual-network.ts';
import type { TracedStep } from '../trace/trace.ts';
import { isResponse, labelOf } from '../trace/wire.ts';
import type { MemberId } from './acts.ts';

interface Placed {
  /** Position, from 0. */
  readonly n: number;
  /** ms since the epoch. */
  readonly at: number;
}

export interface MessageRow extends Placed {
  readonly kind: 'message';
  readonly from: MemberId;
  readonly to: MemberId;
  readonly label: string;
  readonly passage: Passage;
  /** Said before, byte for byte, between the same two. */
  readonly again: boolean;
  /** Copies that have arrived so far; none of one that nobody hears means that it is lost. */
  arrived: number;
}

/** A step of a session's statechart. */
export interface StepRow extends Placed {
  readonly kind: 'step';
  readonly of: MemberId;
  readonly session: string;
  readonly step: TracedStep;
  readonly event: string;
  /** Where it led, where that is elsewhere than before. */
  readonly call: string | null;
  readonly recording: string | null;
}

export interface NoteRow extends Placed {
  readonly kind: 'note';
  /** Null: it is of the whole play. */
  readonly of: MemberId | null;
  /** `act`: somebody did it; `process`: a function was killed or started; `stored`: a message store did something. */
  readonly what: 'act' | 'process' | 'stored';
  readonly says: string;
}

export type Row = MessageRow | StepRow | NoteRow;

/** One line for each message, with the instant, both ends and the bytes: equal for equal plays. */
export function transcriptOf(rows: readonly Row[]): string {
  return rows
    .flatMap((row) => (row.kind === 'message' ? [`${row.at} ${row.from} ${row.to}\n${row.passage.message}`] : []))
    .join('\n');
}

/** The ladder as text: a line for each row. */
export function ladderLines(rows: readonly Row[], begun: number): string[] {
  return rows.map((row) => `${row.at - begun} ms: ${rowText(row)}`);
}

export function rowText(row: Row): string {
  if (row.kind === 'message') {
    return `${row.label} from ${row.from} to ${row.to}${row.again ? ', again' : ''}`;
  }
  if (row.kind === 'step') {
    const moved = [row.call, row.recording === null ? null : `recording ${row.recording}`].filter(
      (each) => each !== null,
    );
    return `${row.of} ${row.event}${moved.length === 0 ? '' : `, now ${moved.join(', ')}`}`;
  }
  return row.of === null ? row.says : `${row.of} ${row.says}`;
}

export function messageLabel(text: string): string {
  return labelOf(text);
}

export function answers(row: MessageRow): boolean {
  return isResponse(row.passage.message);
}
