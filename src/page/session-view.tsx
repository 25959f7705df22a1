/** One session: its ladder, and for each point of it the chart, the step, the messages, and what it held then. */
import { useMemo, useState } from 'preact/hooks';
import { ask } from './api.ts';
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
  return <Session trace={trace} route={route} />;
}

function Session({ trace, route }: { readonly trace: TraceView; readonly route: Route }) {
  const { id, steps, messages, startedAt, details } = trace;
  const rows = useMemo(() => ladderRows(steps, messages), [steps, messages]);
  const newest = rows.at(-1)?.n ?? 0;
  // Without a position in the address, what is newest is looked at.
  const asked = route.query.at;
  const at = asked === undefined ? newest : Number(asked);
  const [focus, setFocus] = useState<Focus>('around');
  const now = useServerTime(asked === undefined && trace.live ? 100 : 1000);
  const go = (n: number | undefined): void => {
    const query: Record<string, string> = n === undefined ? {} : { at: String(n) };
    location.replace(hashOf({ view: 'sessions', path: [id], query }));
  };
  const step = stepAt(steps, at) ?? steps[0];
  const stepIndex = step === undefined ? -1 : steps.indexOf(step);
  const message = messages.find(({ n }) => n === at && asked !== undefined);
  useKeys((key) => {
    if (key === 'ArrowLeft') go(steps[Math.max(0, stepIndex - 1)]?.n);
    else if (key === 'ArrowRight') go(steps[Math.min(steps.length - 1, stepIndex + 1)]?.n);
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
      <Heading trace={trace} now={now} />
      <Travel trace={trace} stepIndex={stepIndex} live={asked === undefined} go={go} />
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
          <ChartPanel
            call={step?.call ?? details.state}
            recording={step?.recording ?? details.recording}
            travelled={way}
            focus={focus}
            setFocus={setFocus}
          />
          {step !== undefined && (
            <div class="below">
              <StepPanel step={step} before={steps[stepIndex - 1]} startedAt={startedAt} />
              <HeldPanel step={step} now={asked === undefined && trace.live ? now : step.at} media={details.media} />
            </div>
          )}
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

function Heading({ trace, now }: { readonly trace: TraceView; readonly now: number }) {
  const { id, details, live, startedAt, endedAt } = trace;
  const [ending, setEnding] = useState(false);
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
      <p class="tools">
        {details.conversationId !== '' && (
          <a
            class="button"
            href={hashOf({ view: 'history', path: [details.user, details.conversationId, details.contributionId] })}
          >
            History
          </a>
        )}
        {live && (
          <button type="button" class="danger" onClick={() => setEnding(true)}>
            End session
          </button>
        )}
      </p>
      {ending && <EndDialog trace={trace} close={() => setEnding(false)} />}
    </div>
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

interface TravelProps {
  readonly trace: TraceView;
  readonly stepIndex: number;
  readonly live: boolean;
  readonly go: (n: number | undefined) => void;
}

/** Back and forth in time, by steps. */
function Travel({ trace, stepIndex, live, go }: TravelProps) {
  const { steps, startedAt } = trace;
  const step = steps[stepIndex];
  return (
    <div class="travel">
      <button
        type="button"
        aria-label="Step back"
        disabled={stepIndex <= 0}
        onClick={() => go(steps[stepIndex - 1]?.n)}
      >
        ‹
      </button>
      <button
        type="button"
        aria-label="Step on"
        disabled={stepIndex >= steps.length - 1}
        onClick={() => go(steps[stepIndex + 1]?.n)}
      >
        ›
      </button>
      <input
        type="range"
        aria-label="Step"
        min={0}
        max={Math.max(0, steps.length - 1)}
        value={stepIndex}
        onInput={(event) => go(steps[Number(event.currentTarget.value)]?.n)}
      />
      <output>
        {step === undefined
          ? 'no step yet'
          : `${stepIndex + 1} of ${steps.length} · ${step.event} · ${offset(step.at - startedAt)} s`}
      </output>
      <button
        type="button"
        aria-pressed={live}
        class="follow"
        onClick={() => go(live ? steps[stepIndex]?.n : undefined)}
      >
        {trace.live ? 'Live' : 'End'}
      </button>
    </div>
  );
}
