/** The policy lab: an INVITE, a user and a policy in; each question with its answer, and what would leave, out. */
import { useContext, useEffect, useState } from 'preact/hooks';
import { ask } from './api.ts';
import { brief, words } from './format.ts';
import { ServerContext, useAsked } from './hooks.ts';
import { decisive, type Invited, inviteText, questions, sentMessage, withTrueLength } from './invitation.ts';
import { SideBySide } from './messages.tsx';
import { Choice, Empty, Guards, Panel, State } from './parts.tsx';
import type { Route } from './route.ts';
import type { Verdict } from './told.ts';

/** So long after the last key it is asked again. */
const PAUSE_MS = 200;

type Setting = readonly [key: string, of: 'yes/no' | readonly string[]];

const POLICY: readonly Setting[] = [
  ['mediaPath', ['always', 'auto', 'never']],
  ['allowAnonymity', 'yes/no'],
  ['anonymityFromHeader', 'yes/no'],
  ['noClient', ['interwork', 'reject', 'defer']],
  ['sdpCheck', ['any', 'all']],
  ['isfAvailable', 'yes/no'],
  ['recording', 'yes/no'],
];
const PROFILE: readonly Setting[] = [
  ['known', 'yes/no'],
  ['blacklisted', 'yes/no'],
  ['doNotDisturb', 'yes/no'],
  ['allowOfflineStorage', 'yes/no'],
  ['interworking', 'yes/no'],
];

type Supposed = Readonly<Record<string, string>>;

const FIRST: Invited = {
  served: 'sip:alice@home.example',
  other: 'sip:bob@home.example',
  side: 'orig',
  kind: 'session',
};

export function PolicyView({ route }: { readonly route: Route }) {
  const [invited, setInvited] = useState<Invited>({ ...FIRST, ...route.query });
  const [message, setMessage] = useState(() => inviteText({ ...FIRST, ...route.query }));
  const [policy, setPolicy] = useState<Supposed>({});
  const [profile, setProfile] = useState<Supposed>({});
  const inForce = useAsked<{ policy: Record<string, unknown> }>('/api/policy');
  const verdict = useVerdict(message, policy, profile);
  const invite = (change: Partial<Invited>): void => {
    const next = { ...invited, ...change };
    setInvited(next);
    setMessage(inviteText(next));
  };
  return (
    <div class="lab">
      <h1 class="hidden">Policy lab</h1>
      <Panel title="Asked" class="asked">
        <div class="form">
          <Choice
            label="Side"
            value={invited.side}
            of={[
              ['orig', 'Originating'],
              ['term', 'Terminating'],
            ]}
            choose={(side) => invite({ side })}
          />
          <Choice
            label="Kind"
            value={invited.kind}
            of={[
              ['session', '1-1'],
              ['group', 'Group'],
            ]}
            choose={(kind) => invite({ kind })}
          />
          <label>
            Served user
            <input value={invited.served} onInput={(event) => invite({ served: event.currentTarget.value })} />
          </label>
          <label>
            Other user
            <input value={invited.other} onInput={(event) => invite({ other: event.currentTarget.value })} />
          </label>
        </div>
        <label class="invite">
          INVITE
          <textarea spellcheck={false} value={message} onInput={(event) => setMessage(event.currentTarget.value)} />
        </label>
        <div class="suppose">
          <Settings title="Policy" of={POLICY} inForce={inForce.data?.policy} supposed={policy} suppose={setPolicy} />
          <Settings
            title="User"
            of={PROFILE}
            inForce={(verdict.told?.profile ?? undefined) as Record<string, unknown> | undefined}
            supposed={profile}
            suppose={setProfile}
          />
        </div>
      </Panel>
      <VerdictPanel {...verdict} message={message} />
    </div>
  );
}

function Settings(props: {
  readonly title: string;
  readonly of: readonly Setting[];
  readonly inForce: Readonly<Record<string, unknown>> | undefined;
  readonly supposed: Supposed;
  readonly suppose: (supposed: Supposed) => void;
}) {
  const { title, of, inForce, supposed, suppose } = props;
  const spelled = (value: unknown): string => (value === true ? 'yes' : value === false ? 'no' : String(value ?? '–'));
  return (
    <fieldset>
      <legend>{title}</legend>
      {of.map(([key, values]) => (
        <label key={key} class={supposed[key] === undefined ? '' : 'supposed'}>
          {words(key)}
          <select
            value={supposed[key] ?? ''}
            onChange={(event) => {
              const { [key]: _before, ...rest } = supposed;
              const chosen = event.currentTarget.value;
              suppose(chosen === '' ? rest : { ...rest, [key]: chosen });
            }}
          >
            <option value="">{supposed[key] === undefined ? `as is: ${spelled(inForce?.[key])}` : 'as is'}</option>
            {(values === 'yes/no' ? ['yes', 'no'] : values).map((value) => (
              <option key={value} value={value}>
                {value}
              </option>
            ))}
          </select>
        </label>
      ))}
    </fieldset>
  );
}

interface Answered {
  readonly told: Verdict | undefined;
  readonly error: string | undefined;
}

function useVerdict(message: string, policy: Supposed, profile: Supposed): Answered {
  const { token } = useContext(ServerContext);
  const [state, setState] = useState<Answered>({ told: undefined, error: undefined });
  const question = JSON.stringify({ message: withTrueLength(message), policy: typed(policy), profile: typed(profile) });
  // A new token asks again
  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(() => {
      ask<Verdict>('/api/policy/explain', { method: 'POST', json: JSON.parse(question), signal: stop.signal }).then(
        (told) => setState({ told, error: undefined }),
        (error: Error) => {
          if (!stop.signal.aborted) setState(({ told }) => ({ told, error: error.message }));
        },
      );
    }, PAUSE_MS);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [question, token]);
  return state;
}

function typed(supposed: Supposed): Record<string, string | boolean> {
  const entries = Object.entries(supposed);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, value === 'yes' ? true : value === 'no' ? false : value]),
  );
}

function VerdictPanel({ told, error, message }: Answered & { readonly message: string }) {
  if (error !== undefined || told === undefined) {
    return (
      <Panel title="Verdict" class="verdict">
        {error !== undefined && <p class="error">{error}</p>}
      </Panel>
    );
  }
  const sent = told.sent.map(sentMessage);
  const decided = decisive(told.steps);
  return (
    <div class="verdict">
      <Panel title="Verdict">
        <p class="headline">{headline(told, sent[0])}</p>
        <p class="facts-line">
          {told.role !== null && <span>{told.role === 'orig' ? 'originating' : 'terminating'}</span>}
          {told.served !== null && <span>for {told.served}</span>}
          {told.mode !== null && <span>{told.mode === 'proxy' ? 'proxy' : 'B2BUA'}</span>}
          <span>
            then <State path={told.state} />
          </span>
          {decided !== undefined && sent[0]?.way === null && <span class="because">because {decided.guard}</span>}
        </p>
        {(told.choice?.rules.length ?? 0) > 0 && <Rules of={told.choice as NonNullable<Verdict['choice']>} />}
        {told.steps.length === 0 ? (
          <Empty>Not a CPM session: no question was asked.</Empty>
        ) : (
          <Guards of={questions(told.steps)} />
        )}
      </Panel>
      {sent.map(({ way, message: leaving }) => (
        <Panel
          key={leaving}
          title={way === null ? 'Answer that would leave' : `${leaving.split(' ', 1)[0]} that would go out`}
          class="leaving"
        >
          {way !== null && <p class="way">{way}</p>}
          {way === null ? <pre>{leaving}</pre> : <SideBySide left={message} right={leaving} />}
        </Panel>
      ))}
    </div>
  );
}

/** The rules of the policy, with the conditions that decided. */
function Rules({ of }: { readonly of: NonNullable<Verdict['choice']> }) {
  return (
    <ol class="guards" aria-label="Rules">
      {of.rules.map(({ rule, applies, conditions, sets }) => (
        <li key={rule} class={applies ? 'holds' : ''}>
          <span class="answer">{applies ? 'yes' : 'no'}</span>
          <span class="guard">rule {rule}</span>
          <span class="reads">
            {conditions.map(({ condition, met, found }) => (
              <span key={condition}>
                {condition} <b>{met ?? `not: ${brief(found, 60)}`}</b>
              </span>
            ))}
            {applies && <span>sets {sets.map((key) => (of.origins[key] === rule ? key : `(${key})`)).join(', ')}</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}

function headline(told: Verdict, sent: { readonly way: string | null; readonly message: string } | undefined): string {
  if (sent === undefined) return words(told.state);
  const [first = ''] = sent.message.split('\n');
  if (sent.way !== null) return `Goes on: ${sent.way}`;
  return `${first.startsWith('SIP/2.0 2') ? 'Kept' : 'Refused'} with ${first.replace('SIP/2.0 ', '')}`;
}
