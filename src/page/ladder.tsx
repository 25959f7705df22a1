/** The ladder: the function in the middle, whoever invited on its left, those invited on its right; time runs down. */
import { useEffect, useRef } from 'preact/hooks';
import { offset } from './format.ts';
import { type LadderRow, legsOf } from './timeline.ts';
import type { TracedMessage, TracedStep } from './told.ts';

type Row = LadderRow<TracedStep, TracedMessage>;

export interface LadderProps {
  readonly rows: readonly Row[];
  readonly legs: Readonly<Record<string, { readonly peer: string }>>;
  readonly startedAt: number;
  /** Position that is looked at. */
  readonly at: number;
  /** True while the newest row is what is looked at. */
  readonly live: boolean;
  readonly choose: (n: number) => void;
}

const PEERS: Readonly<Record<string, string>> = { client: 'served client', entity: 'other entity', iwf: 'IWF' };

export function Ladder({ rows, legs, startedAt, at, live, choose }: LadderProps) {
  const box = useRef<HTMLOListElement>(null);
  const names = legsOf(
    rows.flatMap((row) => (row.kind === 'message' ? [row.message] : [])),
    Object.keys(legs),
  );
  const place = placesOf(names);
  // What is looked at stays in sight, also as rows come in
  useEffect(() => {
    box.current?.querySelector('[aria-current="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [at, rows.length]);
  const walk = (event: KeyboardEvent): void => walkRows(event, rows, at, choose);
  return (
    <div class="ladder">
      <div class="heads">
        <span class="time">s</span>
        <span class="lanes">
          {names.map((leg) => (
            <span key={leg} class="lane" style={{ left: `${place(leg)}%` }}>
              <b>{leg}</b> {PEERS[legs[leg]?.peer ?? ''] ?? ''}
            </span>
          ))}
          <span class="lane own" style={{ left: `${place('')}%` }}>
            <b>function</b>
          </span>
        </span>
      </div>
      <ol ref={box} onKeyDown={walk}>
        {rows.map((row) => (
          <li key={row.n} class={`${row.kind} ${row.n > at && !live ? 'later' : ''}`}>
            <button
              type="button"
              aria-current={row.n === at}
              aria-label={nameOf(row, startedAt)}
              onClick={() => choose(row.n)}
            >
              <span class="time">{offset(row.at - startedAt)}</span>
              <span class="lanes">
                <Lines xs={[...names.map(place), place('')]} />
                {row.kind === 'message' ? (
                  <Arrow message={row.message} from={place(row.message.leg)} to={place('')} />
                ) : (
                  <Mark row={row} x={place('')} />
                )}
              </span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}

/** Up and down by keys, from the row that is looked at to the one beside it. */
export function walkRows(
  event: KeyboardEvent,
  rows: readonly { readonly n: number }[],
  at: number,
  choose: (n: number) => void,
): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const next = rows[rows.findIndex(({ n }) => n === at) + step];
  if (next === undefined) return;
  choose(next.n);
  const item = (event.target as HTMLElement).closest('li');
  const other = step === 1 ? item?.nextElementSibling : item?.previousElementSibling;
  other?.querySelector('button')?.focus();
}

/** Per cent from the left, for each leg; the empty name is the function's own. */
function placesOf(legs: readonly string[]): (leg: string) => number {
  const lanes = ['a', '', ...legs.filter((leg) => leg !== 'a')];
  // More lanes: the margins may be smaller.
  const margin = lanes.length > 3 ? 8 : 13;
  return (leg) => margin + (Math.max(0, lanes.indexOf(leg)) * (100 - 2 * margin)) / (lanes.length - 1);
}

export function Lines({ xs }: { readonly xs: readonly number[] }) {
  return (
    <svg class="lifelines" aria-hidden="true" role="presentation">
      {xs.map((x) => (
        <line key={x} x1={`${x}%`} x2={`${x}%`} y1="0" y2="100%" />
      ))}
    </svg>
  );
}

interface ArrowProps {
  readonly message: Pick<TracedMessage, 'direction' | 'label' | 'again'>;
  /** Per cent from the left; `to` is where the function is. */
  readonly from: number;
  readonly to: number;
  readonly class?: string;
}

export function Arrow({ message, from, to, ...props }: ArrowProps) {
  const { direction, label, again } = message;
  const [start, end] = direction === 'in' ? [from, to] : [to, from];
  const left = Math.min(start, end);
  const answers = /^\d/.test(label);
  return (
    <span
      class={`arrow ${start < end ? 'right' : 'left'} ${answers ? 'answer' : ''} ${again === null ? '' : 'again'} ${props.class ?? ''}`}
      style={{ left: `${left}%`, width: `${Math.abs(end - start)}%` }}
    >
      <span class="label">
        {label}
        {again !== null && ' again'}
      </span>
    </span>
  );
}

/** What happened, and what the recording did, on the left of the line; where the call went on its right. */
function Mark({ row, x }: { readonly row: Extract<Row, { kind: 'step' }>; readonly x: number }) {
  const { step, call, recording } = row;
  return (
    <span class={`mark ${call === null ? 'stays' : ''}`} style={{ left: `${x}%` }}>
      <i />
      <span class="words leftward">
        {recording !== null && <span class="rec">● {recording}</span>}
        <span class="event">{step.event}</span>
      </span>
      {call !== null && <span class="words to">{call}</span>}
    </span>
  );
}

function nameOf(row: Row, startedAt: number): string {
  const when = `${offset(row.at - startedAt)} s`;
  if (row.kind === 'message') {
    const { direction, label, leg, again } = row.message;
    return `${when}: ${label} ${direction === 'in' ? 'from' : 'to'} ${leg}${again === null ? '' : ', again'}`;
  }
  return `${when}: ${row.step.event}${row.call === null ? '' : `, now ${row.call}`}`;
}
