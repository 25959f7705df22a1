/** The step at hand: what happened, what was asked and answered, what was done, and what the session holds since. */
import { brief, duration, offset, size, words } from './format.ts';
import { Clauses, Empty, Facts, Guards, Panel, State } from './parts.tsx';
import { changesOf } from './timeline.ts';
import type { TracedStep, TraceView } from './told.ts';

export interface StepProps {
  readonly step: TracedStep;
  readonly before: TracedStep | undefined;
  readonly startedAt: number;
}

export function StepPanel({ step, before, startedAt }: StepProps) {
  const about = Object.entries(step.about).filter(([, value]) => saysSomething(value));
  const { legs, deadlines } = changesOf(before, step);
  return (
    <Panel title="Event" class="step-panel" tools={<span class="when">{offset(step.at - startedAt)} s</span>}>
      <p class="what">
        <b>{step.event}</b>
        {about.map(([name, value]) => (
          <span key={name}>
            {name} <code>{brief(value, 80)}</code>
          </span>
        ))}
      </p>
      <p class="way">
        {before !== undefined && before.call !== step.call && (
          <>
            <State path={before.call} /> →{' '}
          </>
        )}
        <State path={step.call} />
        {before !== undefined && before.recording !== step.recording && (
          <>
            {' · recording '}
            {before.recording} → <b>{step.recording}</b>
          </>
        )}
      </p>
      <h3>Guards asked</h3>
      {step.guards.length === 0 ? <Empty>None: nothing stood in the way.</Empty> : <Guards of={step.guards} />}
      <h3>Actions</h3>
      {step.actions.length === 0 ? (
        <Empty>None: the event changed nothing here.</Empty>
      ) : (
        <ol class="actions-run">
          {step.actions.map(({ action, clauses }, at) => (
            <li key={`${at}${action}`}>
              <span class="action">{action}</span>
              <Clauses of={clauses} />
            </li>
          ))}
        </ol>
      )}
      <h3>Effects and changes</h3>
      <ul class="effects">
        {step.effects.map(({ id, type, ...rest }) => (
          <li key={id}>
            <b>{type}</b> <code>{said(rest)}</code>
          </li>
        ))}
        {legs.map(([leg, from, to]) => (
          <li key={leg}>
            leg <b>{leg}</b> {from !== null && `${from} → `}
            {to}
          </li>
        ))}
        {deadlines.map(([name, change]) => (
          <li key={name}>
            deadline <b>{deadlineName(name)}</b> {change}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** False for nothing, and for facts of which none is there. */
function saysSomething(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value !== null;
  return Object.values(value).some((part) => part !== null && part !== false);
}

function said(rest: object): string {
  return Object.entries(rest)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name} ${brief(value, 60)}`)
    .join(' · ');
}

/** What the session holds at the step: legs, deadlines, recording. */
interface HeldProps {
  readonly step: TracedStep;
  /** ms since the epoch. */
  readonly now: number;
  readonly media: TraceView['details']['media'];
}

export function HeldPanel({ step, now, media }: HeldProps) {
  const { history, ending } = step;
  const deadlines = Object.entries(step.deadlines).sort(([, left], [, right]) => left - right);
  return (
    <Panel title="Held" class="held-panel">
      <h3>Legs</h3>
      <table>
        <thead>
          <tr>
            <th scope="col">Leg</th>
            <th scope="col">Peer</th>
            <th scope="col">Phase</th>
            <th scope="col">Session timer</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(step.legs).map(([leg, { peer, phase, timer }]) => (
            <tr key={leg} class={phase === 'closed' ? 'over' : ''}>
              <td>
                <b>{leg}</b>
              </td>
              <td>{peer}</td>
              <td>{words(phase)}</td>
              <td>
                {timer === null ? '–' : `${timer.se} s, ${timer.refresher === 'us' ? 'we refresh' : 'peer refreshes'}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <h3>Deadlines</h3>
      {deadlines.length === 0 ? (
        <Empty>None: it waits for its peers alone.</Empty>
      ) : (
        <ul class="deadlines">
          {deadlines.map(([name, at]) => (
            <li key={name}>
              <span>{deadlineName(name)}</span>
              <b>{at > now ? duration(at - now) : 'due'}</b>
              <Share of={at - now} whole={at - step.at} />
            </li>
          ))}
        </ul>
      )}
      <h3>Media</h3>
      {media.length === 0 ? (
        <Empty>None relayed here now.</Empty>
      ) : (
        <Facts
          of={media.map(({ leg, stream, port, secure, peer, messages, bytes }) => [
            `leg ${leg}, stream ${stream}`,
            `${secure ? 'TLS' : 'TCP'} port ${port}, ${peer ?? 'not connected'}, ${messages} messages, ${size(bytes)}`,
          ])}
        />
      )}
      <h3>Recording</h3>
      <Facts
        of={[
          ['State', step.recording],
          ['Session Info UID', history.sessionInfoUid ?? '–'],
          ['Group State UID', history.groupStateUid ?? '–'],
          ['Store failures', history.failures],
          ...(ending === null ? [] : [['Ends by', words(ending.reason)] as const]),
        ]}
      />
    </Panel>
  );
}

/** `refreshDue:b` as `refresh due, leg b`. */
function deadlineName(name: string): string {
  const [what = '', leg] = name.split(':');
  return leg === undefined ? words(what) : `${words(what)}, leg ${leg}`;
}

/** How much of a deadline is left, as a bar. */
function Share({ of, whole }: { readonly of: number; readonly whole: number }) {
  const share = whole <= 0 ? 0 : Math.min(1, Math.max(0, of / whole));
  return (
    <span class="share">
      <i style={{ width: `${share * 100}%` }} />
    </span>
  );
}
