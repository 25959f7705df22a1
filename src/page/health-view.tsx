/** How the server is: what is wrong in words, and the numbers behind it, as they change. */
import { count, duration, size, words } from './format.ts';
import { useAsked, useFeed } from './hooks.ts';
import { Empty, Facts, Panel } from './parts.tsx';
import type { HealthReport } from './told.ts';

export function HealthView() {
  const { data, error, again } = useAsked<HealthReport>('/api/health');
  useFeed(() => again());
  if (data === undefined) return <div class="health">{error !== undefined && <Empty>{error}</Empty>}</div>;
  const { engine, outbox, stores, overload, sip } = data;
  return (
    <div class="health">
      <div class={`verdict-line ${data.status}`}>
        <h1>{data.status === 'ready' ? 'Ready' : data.status === 'degraded' ? 'Degraded' : 'Refusing'}</h1>
        {data.problems.length === 0 ? (
          <p>Nothing is wrong.</p>
        ) : (
          <ul>
            {data.problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        )}
      </div>
      <div class="cards">
        <Panel title="Sessions">
          <Facts
            of={[
              ['Live', count(engine.live)],
              ['Begun', count(engine.started)],
              ['Ended', count(engine.ended)],
              ['Taken up after a restart', count(engine.restored)],
              ['Traced for this page', count(engine.traced)],
            ]}
          />
        </Panel>
        <Panel title="Ended by">
          <Reasons of={engine.byReason} />
        </Panel>
        <Panel title="Outbox">
          <Facts
            of={[
              ['Waiting', count(outbox.depth)],
              ['Oldest', outbox.oldestMs === null ? '–' : duration(outbox.oldestMs)],
              ['Failures', count(outbox.failures)],
              ['Last error', outbox.lastError ?? '–'],
            ]}
          />
        </Panel>
        <Panel title="Stores">
          <Facts
            of={[
              ['Sessions', stores.sessions],
              ['Could not be stored', count(engine.storeFailures)],
              ['History', stores.history],
            ]}
          />
        </Panel>
        <Panel title="Overload">
          <Facts
            of={Object.entries(overload).map(([name, value]) => [
              name === 'lagMs' ? 'Event loop runs late by' : words(name),
              name.endsWith('Ms') ? `${Math.round(Number(value))} ms` : String(value),
            ])}
          />
        </Panel>
        <Panel title="SIP">
          <Facts of={[['Heard on', data.listening.join(' ')], ...Object.entries(sip).map(numbered)]} />
        </Panel>
        <Panel title="Process">
          <Facts
            of={[
              ['Version', data.version],
              ['Runs for', duration(data.process.uptimeMs)],
              ['Heap', size(data.process.heapBytes)],
              ['Registered addresses', count(data.registrations)],
              ['Timers', count(data.timers)],
            ]}
          />
        </Panel>
      </div>
    </div>
  );
}

function numbered([name, value]: readonly [string, unknown]): readonly [string, string] {
  return [words(name), count(Number(value))];
}

function Reasons({ of }: { readonly of: HealthReport['engine']['byReason'] }) {
  const reasons = Object.entries(of).sort(([, left], [, right]) => right - left);
  const most = reasons[0]?.[1] ?? 1;
  if (reasons.length === 0) return <Empty>No session has ended yet.</Empty>;
  return (
    <ul class="bars">
      {reasons.map(([reason, number]) => (
        <li key={reason}>
          <a href={`#/sessions?which=ended&reason=${reason}`}>{words(reason)}</a>
          <span class="bar">
            <i style={{ width: `${(number / most) * 100}%` }} />
          </span>
          <b>{count(number)}</b>
        </li>
      ))}
    </ul>
  );
}
