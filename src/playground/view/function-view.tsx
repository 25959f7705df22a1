/** One function: its statechart with what is current, what it holds, what it has stored, the step or message at hand. */
import { useMemo, useState } from 'preact/hooks';
import { type Focus, FocusChoice, Picture } from '../../page/chart.tsx';
import { offset } from '../../page/format.ts';
import { Choice, Empty, Panel } from '../../page/parts.tsx';
import { HeldPanel, StepPanel } from '../../page/step.tsx';
import { pathsOf, stepAt, travelled } from '../../page/timeline.ts';
import type { Charts } from '../../page/told.ts';
import { textOfWire } from '../../sip/message/bytes.ts';
import { foldersOf, kindOf } from '../../testing/invariants/folders.ts';
import { type StepView, stepView } from '../../trace/step-view.ts';
import type { MemberId } from '../acts.ts';
import type { FollowedSession } from '../notebook.ts';
import type { Play } from '../play.ts';
import type { PlayedFunction } from '../theatre.ts';

export interface FunctionViewProps {
  readonly play: Play;
  readonly seen: string;
  readonly charts: Charts;
  readonly of: MemberId;
  readonly show: (of: MemberId) => void;
  /** Row that is looked at; undefined for now. */
  readonly at: number | undefined;
  readonly children: preact.ComponentChildren;
}

export function FunctionView({ play, seen, charts, of, show, at, children }: FunctionViewProps) {
  const [focus, setFocus] = useState<Focus>('around');
  const { functions } = play.theatre;
  const played = functions.find(({ id }) => id === of) ?? functions[0];
  const sessions = play.notebook.sessions.filter((session) => session.of === played?.id);
  const [picked, pick] = useState<string>();
  const session = sessions.find(({ id }) => id === picked) ?? sessions.at(-1);
  const n = at ?? play.rows.length;
  const steps = useMemo(
    () => (session?.steps ?? []).map((step) => stepView(step, (data) => data)),
    [play, seen, session?.id],
  );
  if (played === undefined) return null;
  const step = stepAt(steps, n);
  const tools = (
    <>
      {sessions.length > 1 && <SessionChoice sessions={sessions} value={session?.id ?? ''} pick={pick} />}
      {functions.length > 1 && (
        <Choice
          label="Which function"
          value={played.id}
          of={functions.map(({ id, name }) => [id, name] as const)}
          choose={show}
        />
      )}
      <FocusChoice focus={focus} setFocus={setFocus} />
    </>
  );
  return (
    <>
      <Panel title={titleOf(played, step)} class="chart-panel" tools={tools}>
        <Chart charts={charts} step={step} steps={steps} n={n} focus={focus} />
      </Panel>
      <div class="below">
        <Details play={play} played={played} step={step} steps={steps} at={at} />
        {children}
      </div>
    </>
  );
}

function titleOf({ name, watched }: PlayedFunction, step: StepView | undefined): string {
  if (!watched.pf.up) return `${name}: the process is down`;
  if (step === undefined) return `${name}: no session yet`;
  const role = step.mode === null ? '' : step.mode === 'proxy' ? ', proxy' : ', B2BUA';
  return `${name}: ${step.call}${role}`;
}

function SessionChoice(props: {
  readonly sessions: readonly FollowedSession[];
  readonly value: string;
  readonly pick: (id: string) => void;
}) {
  return (
    <select aria-label="Session" value={props.value} onChange={(event) => props.pick(event.currentTarget.value)}>
      {props.sessions.map(({ id }, at) => (
        <option key={id} value={id}>
          session {at + 1}
        </option>
      ))}
    </select>
  );
}

function Chart(props: {
  readonly charts: Charts;
  readonly step: StepView | undefined;
  readonly steps: readonly StepView[];
  readonly n: number;
  readonly focus: Focus;
}) {
  const { charts, step, steps, n, focus } = props;
  const way = useMemo(() => travelled(steps, n), [steps, n]);
  const current = step === undefined ? [] : pathsOf(step.call, step.recording);
  const svg =
    (focus === 'state' && step !== undefined ? charts.states[`call.${step.call}`] : undefined) ?? charts.whole;
  return <Picture svg={svg} current={current} travelled={way} focus={focus} />;
}

type Tab = 'held' | 'step' | 'folder' | 'message';

function Details(props: {
  readonly play: Play;
  readonly played: PlayedFunction;
  readonly step: StepView | undefined;
  readonly steps: readonly StepView[];
  readonly at: number | undefined;
}) {
  const { play, played, step, steps, at } = props;
  const [tab, setTab] = useState<Tab>('held');
  const row = at === undefined ? undefined : play.rows[at];
  const message = row?.kind === 'message' ? row : undefined;
  const before = step === undefined ? undefined : steps[steps.indexOf(step) - 1];
  return (
    <div class="details">
      <Choice<Tab>
        label="What is shown of it"
        value={tab}
        of={[
          ['held', 'Held'],
          ['step', 'Event'],
          ['folder', 'History folder'],
          ['message', 'Message'],
        ]}
        choose={setTab}
      />
      {tab === 'held' && step !== undefined && <HeldPanel step={step} now={play.begun + play.elapsed} media={[]} />}
      {tab === 'step' && step !== undefined && <StepPanel step={step} before={before} startedAt={play.begun} />}
      {(tab === 'held' || tab === 'step') && step === undefined && (
        <Panel title="Held">
          <Empty>Nothing: no session has come here.</Empty>
        </Panel>
      )}
      {tab === 'folder' && <Folder played={played} />}
      {tab === 'message' && (
        <Panel title={message === undefined ? 'Message' : `${message.label}, ${offset(message.at - play.begun)} s`}>
          {message === undefined ? (
            <Empty>Choose a message in the ladder.</Empty>
          ) : (
            <pre class="message" tabIndex={0} role="region" aria-label="Text of the message">
              {textOfWire(message.passage.message)}
            </pre>
          )}
        </Panel>
      )}
    </div>
  );
}

const KINDS = { session: 'Session Info', 'group-state': 'Group State' } as const;

/** What stands in the message store of the function's user. */
function Folder({ played }: { readonly played: PlayedFunction }) {
  const { chronicle, history } = played.watched;
  const folders = foldersOf(chronicle, history.memory);
  return (
    <Panel title="History folder" class="folder-panel">
      {folders.length === 0 && <Empty>Nothing is stored.</Empty>}
      {folders.map(({ name, objects, pointers }) => (
        <div key={name} class="folder">
          <h3>{name}</h3>
          {objects.map(({ uid, content }) => {
            const kind = kindOf(content);
            const pointed = Object.entries(pointers).flatMap(([pointer, to]) => (to === uid ? [pointer] : []));
            return (
              <details key={uid}>
                <summary>
                  UID {uid} <b>{kind === undefined ? 'object' : KINDS[kind]}</b> {pointed.join(', ')}
                </summary>
                <pre>{textOfWire(content)}</pre>
              </details>
            );
          })}
          {objects.length === 0 && <Empty>The folder is empty.</Empty>}
        </div>
      ))}
    </Panel>
  );
}
