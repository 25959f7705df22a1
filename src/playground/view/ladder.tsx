/** The ladder of all nodes: each message from one to the other, and what happened at each. */
import { memo } from 'preact/compat';
import { useEffect, useRef, useState } from 'preact/hooks';
import { offset } from '../../page/format.ts';
import { Arrow, Lines, walkRows } from '../../page/ladder.tsx';
import type { MemberId } from '../acts.ts';
import type { Play } from '../play.ts';
import { type NoteRow, type Row, rowText, type StepRow } from '../rows.ts';

export interface PlayLadderProps {
  readonly play: Play;
  /** Changes whenever rows or what became of them do. */
  readonly seen: string;
  /** Row that is looked at; undefined for the newest. */
  readonly at: number | undefined;
  readonly choose: (n: number) => void;
}

/** Rows that are drawn unless somebody asks for more. */
const SHOWN = 500;

export const PlayLadder = memo(
  DrawnLadder,
  (before, after) => before.play === after.play && before.seen === after.seen && before.at === after.at,
);

function DrawnLadder({ play, at, choose }: PlayLadderProps) {
  const box = useRef<HTMLOListElement>(null);
  const [whole, setWhole] = useState(false);
  const all = play.rows.filter(isShown);
  const rows = whole ? all : all.slice(-SHOWN);
  const lanes = lanesOf(play);
  const place = (id: MemberId): number => placeOf(lanes, id);
  const newest = rows.at(-1)?.n ?? 0;
  // The newest stays in sight while nobody looks at another one.
  useEffect(() => {
    if (at === undefined) box.current?.scrollTo({ top: box.current.scrollHeight });
    else box.current?.querySelector('[aria-current="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [at, rows.length]);
  const flying = new Set(play.flights.map(({ passage }) => passage));
  return (
    <div class="ladder">
      <div class="heads">
        <span class="time">s</span>
        <span class="lanes">
          {lanes.map((id) => (
            <span key={id} class="lane" style={{ left: `${place(id)}%` }}>
              <b>{play.theatre.members.find((each) => each.id === id)?.name}</b>
            </span>
          ))}
        </span>
      </div>
      {all.length === 0 && (
        <div class="hint">
          {play.beginning.kind === 'scene' && play.beginning.found !== undefined && (
            <p>
              Found: <b>{play.beginning.found}</b> (invariant {play.beginning.invariant}).
            </p>
          )}
          <p>Press Play, or Step from one thing to the next.</p>
          <p>
            Choose anybody in the picture, a line between two, or a message under way, and do something to it. Whatever
            you do, the address keeps it: the same link gives the same play.
          </p>
        </div>
      )}
      <ol ref={box} onKeyDown={(event) => walkRows(event, rows, at ?? newest, choose)}>
        {rows.length < all.length && (
          <li>
            <button type="button" class="more" onClick={() => setWhole(true)}>
              {all.length - rows.length} earlier rows
            </button>
          </li>
        )}
        {rows.map((row) => (
          <li key={row.n} class={`${row.kind} ${row.kind === 'message' ? '' : 'step'}`}>
            <button
              type="button"
              aria-current={row.n === at}
              aria-label={`${offset(row.at - play.begun)} s: ${nameOf(row, row.kind === 'message' && flying.has(row.passage))}`}
              onClick={() => choose(row.n)}
            >
              <span class="time">{offset(row.at - play.begun)}</span>
              <span class="lanes">
                <Lines xs={lanes.map(place)} />
                {row.kind === 'message' ? (
                  <Message row={row} flying={flying.has(row.passage)} place={place} />
                ) : row.of === null ? (
                  <span class="act">{row.says}</span>
                ) : (
                  <Happening row={row} x={place(row.of)} />
                )}
              </span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}

/** Steps that led nowhere else are left out: the event can be seen in the message before. */
function isShown(row: Row): boolean {
  return row.kind !== 'step' || row.call !== null || row.recording !== null || row.step.step === -1;
}

/** Those in the line always, the others once a message of theirs was seen. */
function lanesOf({ theatre, rows }: Play): MemberId[] {
  const heard = new Set(rows.flatMap((row) => (row.kind === 'message' ? [row.from, row.to] : [])));
  const line = theatre.members.filter(({ kind }) => kind === 'user' || kind === 'function' || kind === 'core');
  const others = theatre.members.filter(({ kind, id }) => (kind === 'isf' || kind === 'iwf') && heard.has(id));
  return [...line, ...others].map(({ id }) => id);
}

/** Per cent from the left. */
function placeOf(lanes: readonly MemberId[], id: MemberId): number {
  const margin = lanes.length > 5 ? 6 : 8;
  return margin + (Math.max(0, lanes.indexOf(id)) * (100 - 2 * margin)) / Math.max(1, lanes.length - 1);
}

function nameOf(row: Row, flying: boolean): string {
  const lost = row.kind === 'message' && row.arrived === 0 && !flying ? ', lost' : '';
  return `${rowText(row)}${lost}${flying ? ', under way' : ''}`;
}

function Message(props: {
  readonly row: Extract<Row, { kind: 'message' }>;
  readonly flying: boolean;
  readonly place: (id: MemberId) => number;
}) {
  const { row, flying, place } = props;
  const fate = flying ? 'flying' : row.arrived === 0 ? 'lost' : row.arrived > 1 ? 'twice' : '';
  // Names of answers are short here: the lanes are close to each other.
  const label = row.label.replace(/^(\d+) .*?( \((\w+)\))?$/, (_all, status, _of, method) =>
    method === undefined ? shortAnswer(status) : `${status} ${method}`,
  );
  return (
    <Arrow
      message={{
        direction: 'in',
        label: row.arrived > 1 ? `${label} ×${row.arrived}` : label,
        again: row.again ? 0 : null,
      }}
      from={place(row.from)}
      to={place(row.to)}
      class={fate}
    />
  );
}

function shortAnswer(status: string): string {
  const known: Readonly<Record<string, string>> = { '100': '100 Trying', '180': '180 Ringing', '200': '200 OK' };
  return known[status] ?? status;
}

/** At one lane: on the side where there is more room. */
function Happening({ row, x }: { readonly row: StepRow | NoteRow; readonly x: number }) {
  const side = x > 50 ? 'leftward' : '';
  return (
    <span class={`mark ${row.kind === 'note' ? row.what : 'moved'}`} style={{ left: `${x}%` }}>
      <i />
      <span class={`words ${side}`}>
        {row.kind === 'note' ? (
          <span class="event">{row.says}</span>
        ) : (
          <>
            {row.call !== null && <span class="to">{row.call}</span>}
            {row.recording !== null && <span class="rec">● {row.recording}</span>}
            {row.call === null && row.recording === null && <span class="event">{row.event}</span>}
          </>
        )}
      </span>
    </span>
  );
}
