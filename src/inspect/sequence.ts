/** A sequence of messages between parties, with what happens at one of them, as SVG. Made from what was really sent. */
import { styled, text } from './svg.ts';

export interface SequenceMessage {
  readonly kind: 'message';
  /** ms since the epoch. */
  readonly at: number;
  readonly from: string;
  readonly to: string;
  /** `INVITE`, `200 (BYE)`. */
  readonly label: string;
  /** What in it matters here, each a short line: `Message-UID: 1`. */
  readonly details: readonly string[];
  /** How often it was sent; a copy is not drawn. */
  readonly times: number;
}

/** Something at one party: a change of state, something stored. */
export interface SequenceNote {
  readonly kind: 'state' | 'stored';
  readonly at: number;
  readonly of: string;
  readonly label: string;
}

export type SequenceRow = SequenceMessage | SequenceNote;

export interface Sequence {
  readonly title: string;
  /** From left to right. */
  readonly parties: readonly string[];
  readonly rows: readonly SequenceRow[];
}

/** Letters, pixels: of labels and of details. */
const LETTER = { width: 7.2, size: 12 } as const;
const SMALL = { width: 6, size: 10 } as const;
const TIMES_WIDTH = 64;
const MARGIN = 16;
const HEAD_HEIGHT = 58;
const NARROWEST = 170;
/** A pause longer than this is drawn as one, ms. */
const PAUSE_MS = 1000;

export const SEQUENCE_STYLE = `
.sequence .name{fill:var(--outer);stroke:var(--line)}
.sequence .party{fill:var(--ink);font-weight:bold}
.sequence .life{stroke:var(--faint);stroke-width:1.4}
.sequence .line{stroke:var(--line);stroke-width:1.4;fill:none}
.sequence .head{fill:var(--line)}
.sequence .label{fill:var(--event);font-weight:bold;paint-order:stroke;stroke:var(--paper);stroke-width:4}
.sequence .detail{fill:var(--ink);paint-order:stroke;stroke:var(--paper);stroke-width:4}
.sequence .time{fill:var(--soft)}
.sequence .pill{fill:var(--lit);stroke:var(--event)}
.sequence .stored .pill{fill:var(--paper);stroke:var(--action);stroke-dasharray:4 3}
.sequence .pill-text{fill:var(--ink)}
.sequence .stored .pill-text{fill:var(--action)}
.sequence .pause{fill:var(--soft);font-style:italic}`;

export function sequenceSvg(sequence: Sequence): string {
  const places = placesOf(sequence);
  let [since, last, shown] = [sequence.rows[0]?.at ?? 0, sequence.rows[0]?.at ?? 0, ''];
  let y = HEAD_HEIGHT;
  const drawn = sequence.rows.map((row) => {
    const paused = row.at - last > PAUSE_MS ? pause(row.at - last, places, y) : [];
    if (paused.length > 0) {
      y += 30;
      since = row.at;
    }
    last = row.at;
    const now = timeText(row.at - since);
    const time = now === shown ? '' : now;
    shown = now;
    const parts = [
      ...paused,
      timeSvg(time, y),
      row.kind === 'message' ? messageSvg(row, places, y) : noteSvg(row, places, y),
    ];
    y += heightOf(row);
    return parts.filter((part) => part !== '').join('');
  });
  const height = y + 12;
  const picture = { kind: 'sequence', width: places.width, height, title: sequence.title, style: SEQUENCE_STYLE };
  const lives = sequence.parties.map((party) => lifeSvg(party, places.of(party), height));
  return styled(picture, [...lives, ...drawn]);
}

interface Places {
  readonly width: number;
  /** Where a party's line is, pixels from the left. */
  of(party: string): number;
}

/** Lines stand as far apart as the texts between them need. */
function placesOf({ parties, rows }: Sequence): Places {
  const gaps = parties.slice(1).map(() => NARROWEST);
  const widen = (from: number, to: number, width: number): void => {
    const [left, right] = [Math.min(from, to), Math.max(from, to)];
    for (let at = left; at < right; at++) gaps[at] = Math.max(gaps[at] ?? 0, width / (right - left));
  };
  for (const row of rows) {
    if (row.kind === 'message') widen(parties.indexOf(row.from), parties.indexOf(row.to), textWidth(row) + 36);
    else {
      const at = parties.indexOf(row.of);
      const half = (row.label.length * LETTER.width) / 2 + 24;
      widen(at, at + 1, half);
      if (at > 0) widen(at - 1, at, half);
    }
  }
  const lines: number[] = [];
  let x = TIMES_WIDTH + MARGIN + 54;
  for (const [at] of parties.entries()) {
    lines.push(Math.round(x));
    x += gaps[at] ?? 0;
  }
  return { width: (lines.at(-1) ?? 0) + MARGIN + 90, of: (party) => lines[parties.indexOf(party)] ?? 0 };
}

function textWidth({ label, details, times }: SequenceMessage): number {
  return Math.max(labelText(label, times).length * LETTER.width, ...details.map((each) => each.length * SMALL.width));
}

function labelText(label: string, times: number): string {
  return times > 1 ? `${label} ×${times}` : label;
}

function heightOf(row: SequenceRow): number {
  return row.kind === 'message' ? 32 + row.details.length * 13 : 28;
}

function messageSvg(row: SequenceMessage, places: Places, y: number): string {
  const [from, to] = [places.of(row.from), places.of(row.to)];
  const side = to > from ? -1 : 1;
  const middle = (from + to) / 2;
  const line = y + 18;
  const label = { x: middle, y: line - 5, anchor: 'middle', classes: 'label', ...LETTER } as const;
  const details = row.details.map((words, at) =>
    text({ x: middle, y: line + 13 + at * 13, anchor: 'middle', classes: 'detail', ...SMALL }, [{ text: words }]),
  );
  return [
    `<path class="line" d="M${from} ${line}H${to + side * 8}"/>`,
    `<path class="head" d="M${to} ${line}l${side * 9} -4v8Z"/>`,
    text(label, [{ text: labelText(row.label, row.times) }]),
    ...details,
  ].join('');
}

function noteSvg(row: SequenceNote, places: Places, y: number): string {
  const width = row.label.length * LETTER.width + 20;
  const x = places.of(row.of);
  const words = { x, y: y + 16, anchor: 'middle', classes: 'pill-text', ...LETTER } as const;
  return `<g class="${row.kind}"><rect class="pill" x="${tenth(x - width / 2)}" y="${y + 2}" width="${tenth(width)}" height="20" rx="10"/>${text(words, [{ text: row.label }])}</g>`;
}

function pause(ms: number, places: Places, y: number): string[] {
  const words = `${timeText(ms)} later`;
  const middle = (TIMES_WIDTH + places.width) / 2;
  return [
    `<rect x="${TIMES_WIDTH}" y="${y + 4}" width="${places.width - TIMES_WIDTH}" height="22" fill="var(--paper)"/>`,
    text({ x: middle, y: y + 19, anchor: 'middle', classes: 'pause', ...LETTER }, [{ text: words }]),
  ];
}

function timeSvg(words: string, y: number): string {
  if (words === '') return '';
  return text({ x: MARGIN, y: y + 17, classes: 'time', ...SMALL }, [{ text: words }]);
}

function lifeSvg(party: string, x: number, height: number): string {
  const width = party.length * LETTER.width + 24;
  const words = { x, y: 30, anchor: 'middle', classes: 'party', ...LETTER } as const;
  return `<path class="life" d="M${x} 40V${height - 8}"/><rect class="name" x="${tenth(x - width / 2)}" y="12" width="${tenth(width)}" height="28" rx="6"/>${text(words, [{ text: party }])}`;
}

/** `12 ms`, `1.5 s`, `29 min 28 s`. */
export function timeText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 100) / 10;
  if (seconds < 60) return `${seconds} s`;
  const rest = Math.round(seconds % 60);
  return `${Math.floor(seconds / 60)} min${rest === 0 ? '' : ` ${rest} s`}`;
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
