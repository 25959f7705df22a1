/** One session: its ladder, and for each point of it the chart, the step, the messages, and what it held then. */
import type { ComponentChildren } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { answer, ask } from './api.ts';
import { ChartPanel, type Focus } from './chart.tsx';
import { duration, offset, shortUri, words } from './format.ts';
import { useKeys, useServerTime } from './hooks.ts';
import { Ladder } from './ladder.tsx';
import { MessagePair } from './messages.tsx';
import { partnerOf } from './pairs.ts';
import { Dialog, Empty, Panel, State } from './parts.tsx';
import { hashOf, type Route } from './route.ts';
import { HeldPanel, StepPanel } from './step.tsx';
import { ladderRows, stepAt, travelled } from './timeline.ts';
import type { TraceView } from './told.ts';
import { useTrace } from './trace.ts';

const NEXT_FOCUS = { around: 'whole', whole: 'state', state: 'around' } as const;

export function SessionView({ id, route }: { readonly id: string; readonly route: Route }) {
  const { trace, error } = useTrace(id);
  if (trace === undefined) {
    return error === undefined ? null : (
      <div class="session">
        <Empty>{error}</Empty>
      </div>
    );
  }
  const { details } = trace;
  const history = hashOf({
    view: 'history',
    path: [details.user, details.conversationId, details.contributionId],
  });
  const tools = (
    <>
      {details.conversationId !== '' && (
        <a class="button" href={history}>
          History
        </a>
      )}
      <ExportButton id={id} />
      {trace.live && <EndButton trace={trace} />}
    </>
  );
  return <Session trace={trace} place={{ view: 'sessions', path: [id] }} query={route.query} tools={tools} />;
}

export interface SessionProps {
  readonly trace: TraceView;
  /** Where it is shown, so that a point in time can be linked to. */
  readonly place: Pick<Route, 'view' | 'path'>;
  readonly query: Route['query'];
  readonly tools: ComponentChildren;
  /** Stands above the chart. */
  readonly above?: ComponentChildren;
  /** Stands below the step at hand. */
  readonly below?: ComponentChildren;
  /** True out of a file: nothing changes any more, and the clock is that of the file. */
  readonly still?: boolean;
}

/** A session that is followed, or one out of a file. */
export function Session({ trace, place, query, tools, above, below, still = false }: SessionProps) {
  const { steps, messages, startedAt, details } = trace;
  const rows = useMemo(() => ladderRows(steps, messages), [steps, messages]);
  const newest = rows.at(-1)?.n ?? 0;
  // Without a position in the address, what is newest is looked at.
  const asked = query.at;
  const at = asked === undefined ? newest : Number(asked);
  const [focus, setFocus] = useState<Focus>('around');
  const time = useServerTime(asked === undefined && trace.live && !still ? 100 : 1000);
  const now = still ? trace.now : time;
  const go = (n: number | undefined): void => {
    location.replace(hashOf({ ...place, query: n === undefined ? {} : { at: String(n) } }));
  };
  const step = stepAt(steps, at) ?? steps[0];
  const stepIndex = step === undefined ? -1 : steps.indexOf(step);
  const stops = useMemo(() => stopsOf(steps, messages), [steps, messages]);
  const stopIndex = stops.findLastIndex(({ n }) => n <= at);
  const message = messages.find(({ n }) => n === at && asked !== undefined);
  useKeys((key) => {
    if (key === 'ArrowLeft') go(stops[Math.max(0, stopIndex - 1)]?.n);
    else if (key === 'ArrowRight') go(stops[Math.min(stops.length - 1, stopIndex + 1)]?.n);
    else if (key === 'Home') go(rows[0]?.n);
    else if (key === 'End') go(undefined);
    else if (key === 'c') setFocus(NEXT_FOCUS[focus]);
    else if (key === 'Escape') {
      if (asked === undefined) location.hash = hashOf({ view: 'sessions' });
      else go(undefined);
    } else return false;
    return true;
  });
  const way = useMemo(() => travelled(steps, at), [steps, at]);
  return (
    <div class="session">
      <Heading trace={trace} now={now} tools={tools} />
      <Travel trace={trace} stops={stops} index={stopIndex} live={asked === undefined} go={go} />
      <div class={`columns ${message === undefined ? '' : 'with-pair'}`}>
        <Panel title="Ladder" class="ladder-panel">
          {trace.dropped > 0 && <Empty>{trace.dropped} steps and messages in the middle are no longer kept.</Empty>}
          {!trace.whole && <Empty>The trace begins where somebody first looked: what was before was not kept.</Empty>}
          <Ladder
            rows={rows}
            legs={details.legs}
            startedAt={startedAt}
            at={at}
            live={asked === undefined}
            choose={(n) => go(n)}
          />
        </Panel>
        <div class="right">
          {above}
          {(steps.length > 0 || !still) && (
            <ChartPanel
              call={step?.call ?? details.state}
              recording={step?.recording ?? details.recording}
              travelled={way}
              focus={focus}
              setFocus={setFocus}
            />
          )}
          {step !== undefined && (
            <div class="below">
              <StepPanel step={step} before={steps[stepIndex - 1]} startedAt={startedAt} />
              <HeldPanel step={step} now={asked === undefined && trace.live ? now : step.at} media={details.media} />
            </div>
          )}
          {below}
        </div>
        {message !== undefined && (
          <MessagePair
            message={message}
            partner={partnerOf(messages, message)}
            startedAt={startedAt}
            close={() => go(undefined)}
          />
        )}
      </div>
    </div>
  );
}

function Heading(props: { readonly trace: TraceView; readonly now: number; readonly tools: ComponentChildren }) {
  const { trace, now, tools } = props;
  const { id, details, live, startedAt, endedAt } = trace;
  const ended = endedAt ?? now;
  return (
    <div class="heading">
      <h1>
        {shortUri(details.user)} <span class="with">with</span> {shortUri(details.with)}
      </h1>
      <p class="facts-line">
        {live ? <State path={details.state} /> : <span class="state closed">ended</span>}
        <span>{details.role === 'orig' ? 'originating' : 'terminating'}</span>
        <span>{details.mode === null ? 'mode not chosen' : details.mode === 'proxy' ? 'proxy' : 'B2BUA'}</span>
        <span>{details.service === 'group' ? 'group' : '1-1'}</span>
        <span>{duration(Math.max(0, ended - startedAt))}</span>
        {details.reason !== null && <span class="reason">{words(details.reason)}</span>}
        <code>{id}</code>
      </p>
      <p class="tools">{tools}</p>
    </div>
  );
}

/** Asks twice. */
function EndButton({ trace }: { readonly trace: TraceView }) {
  const [ending, setEnding] = useState(false);
  return (
    <>
      <button type="button" class="danger" onClick={() => setEnding(true)}>
        End session
      </button>
      {ending && <EndDialog trace={trace} close={() => setEnding(false)} />}
    </>
  );
}

/** Saves the session as a file that this page opens anywhere. */
function ExportButton({ id }: { readonly id: string }) {
  const [error, setError] = useState<string>();
  const save = async (): Promise<void> => {
    const response = await answer(`/api/sessions/${encodeURIComponent(id)}/export`);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(await response.blob());
    link.download = `session-${id}.json`;
    link.click();
    URL.revokeObjectURL(link.href);
    setError(undefined);
  };
  return (
    <>
      {error !== undefined && <span class="error">{error}</span>}
      <button type="button" onClick={() => void save().catch((failure: Error) => setError(failure.message))}>
        Export
      </button>
    </>
  );
}

function EndDialog({ trace, close }: { readonly trace: TraceView; readonly close: () => void }) {
  const [error, setError] = useState<string>();
  const end = (): void => {
    ask(`/api/sessions/${encodeURIComponent(trace.id)}/end`, { method: 'POST' }).then(close, (failure: Error) =>
      setError(failure.message),
    );
  };
  return (
    <Dialog title="End this session?" close={close}>
      <p>
        {trace.details.mode === 'proxy'
          ? 'A proxied session is only forgotten here; its dialog goes on.'
          : 'Every leg gets a BYE, or a CANCEL where it still rings.'}
      </p>
      {error !== undefined && <p class="error">{error}</p>}
      <p class="actions">
        <button type="button" onClick={close}>
          Keep it
        </button>
        <button type="button" class="danger" onClick={end}>
          End it
        </button>
      </p>
    </Dialog>
  );
}

/** A point that one travels to. */
interface Stop {
  readonly n: number;
  readonly at: number;
  readonly name: string;
}

/** The steps; where none are known, as out of a capture, the messages. */
function stopsOf(steps: TraceView['steps'], messages: TraceView['messages']): Stop[] {
  if (steps.length > 0) return steps.map(({ n, at, event }) => ({ n, at, name: event }));
  return messages.map(({ n, at, label }) => ({ n, at, name: label }));
}

interface TravelProps {
  readonly trace: TraceView;
  readonly stops: readonly Stop[];
  readonly index: number;
  readonly live: boolean;
  readonly go: (n: number | undefined) => void;
}

/** Back and forth in time. */
function Travel({ trace, stops, index, live, go }: TravelProps) {
  const stop = stops[index];
  return (
    <div class="travel">
      <button type="button" aria-label="Step back" disabled={index <= 0} onClick={() => go(stops[index - 1]?.n)}>
        ‹
      </button>
      <button
        type="button"
        aria-label="Step on"
        disabled={index >= stops.length - 1}
        onClick={() => go(stops[index + 1]?.n)}
      >
        ›
      </button>
      <input
        type="range"
        aria-label="Step"
        min={0}
        max={Math.max(0, stops.length - 1)}
        value={index}
        onInput={(event) => go(stops[Number(event.currentTarget.value)]?.n)}
      />
      <output>
        {stop === undefined
          ? 'no step yet'
          : `${index + 1} of ${stops.length} · ${stop.name} · ${offset(stop.at - trace.startedAt)} s`}
      </output>
      <button type="button" aria-pressed={live} class="follow" onClick={() => go(live ? stop?.n : undefined)}>
        {trace.live ? 'Live' : 'End'}
      </button>
    </div>
  );
}
