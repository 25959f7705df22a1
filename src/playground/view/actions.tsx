/** What can be done with what is chosen in the picture. */
import type { ComponentChildren } from 'preact';
import { Choice } from '../../page/parts.tsx';
import type { WatchedFunction } from '../../testing/watched-function.ts';
import type { Act, MemberId } from '../acts.ts';
import { LATE_MS } from '../interference.ts';
import type { Play } from '../play.ts';
import { messageLabel } from '../rows.ts';
import type { Member } from '../theatre.ts';
import type { Chosen } from './player.ts';

export interface ActionsProps {
  readonly play: Play;
  readonly frame: number;
  readonly chosen: Chosen;
  readonly act: (act: Act) => void;
  /** Lets time pass at once, until so many ms after the beginning. */
  readonly waitFor: (until: number) => void;
}

export function Actions({ play, chosen, act, waitFor }: ActionsProps) {
  if (chosen.kind === 'flight') return <OfFlight play={play} id={chosen.id} act={act} />;
  if (chosen.kind === 'link') return <OfLink play={play} from={chosen.from} to={chosen.to} act={act} />;
  const member = play.theatre.members.find(({ id }) => id === chosen.id) ?? play.theatre.members[0];
  if (member === undefined) return null;
  if (member.kind === 'function') return <OfFunction play={play} member={member} act={act} waitFor={waitFor} />;
  if (member.kind === 'iwf') return <OfIwf play={play} member={member} act={act} />;
  if (member.kind === 'isf') return <Silence play={play} member={member} act={act} />;
  if (member.kind === 'core') {
    return <Group name="core">It passes on what it gets. The lines beside it can be cut.</Group>;
  }
  return <OfUser play={play} member={member} act={act} />;
}

interface Of {
  readonly play: Play;
  readonly member: Member;
  readonly act: (act: Act) => void;
}

function Group({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div class="acts" role="group" aria-label={`What ${name} can do`}>
      <b>{name}</b>
      {children}
    </div>
  );
}

function Button(props: { readonly act: () => void; readonly children: ComponentChildren; readonly class?: string }) {
  return (
    <button type="button" class={props.class ?? ''} onClick={props.act}>
      {props.children}
    </button>
  );
}

/** Those who invite, and those who answer. */
function OfUser({ play, member, act }: Of) {
  const { id: who, name } = member;
  const inviter = play.theatre.members[0]?.id === who;
  const call = play.beginning.kind === 'call';
  return (
    <Group name={name}>
      {inviter && (
        <>
          <Button class="main" act={() => act({ do: 'invite', to: 'bob', streams: 1 })}>
            {call ? 'Invite Bob' : 'Invite again'}
          </Button>
          {call && <Button act={() => act({ do: 'invite', to: 'bob', streams: 2 })}>with two streams</Button>}
          {call && <Button act={() => act({ do: 'invite', to: 'carol', streams: 2 })}>Invite Carol by mail</Button>}
          <Button act={() => act({ do: 'cancel', who })}>Cancel</Button>
        </>
      )}
      {!inviter && <Answers who={who} act={act} />}
      <Button act={() => act({ do: 'hangup', who })}>Hang up</Button>
      <Button act={() => act({ do: 'offer', who })}>Offer again</Button>
      <Button act={() => act({ do: 'forget', who })}>Forget all</Button>
      {!inviter && <Hand play={play} who={who} act={act} />}
      {who === 'bob' && (
        <Button act={() => act({ do: 'phone', set: play.theatre.phone ? 'off' : 'on' })}>
          {play.theatre.phone ? 'Phone off' : 'Phone on'}
        </Button>
      )}
      <Listening play={play} who={who} act={act} />
    </Group>
  );
}

interface OfWho {
  readonly who: MemberId;
  readonly act: (act: Act) => void;
}

function Answers({ who, act }: OfWho) {
  return (
    <>
      <Button act={() => act({ do: 'ring', who })}>Ring</Button>
      <Button class="main" act={() => act({ do: 'accept', who })}>
        Accept
      </Button>
      <Button act={() => act({ do: 'refuse', who, status: 486 })}>Refuse: 486 busy</Button>
      <Button act={() => act({ do: 'refuse', who, status: 404 })}>404 not found</Button>
    </>
  );
}

function Hand({ play, who, act }: OfWho & { readonly play: Play }) {
  const byHand = play.theatre.endpoints.get(who)?.conduct.answers[0] === null;
  return (
    <Choice
      label="How invitations are answered"
      value={byHand ? 'on' : 'off'}
      of={[
        ['off', 'by itself'],
        ['on', 'by hand'],
      ]}
      choose={(set) => act({ do: 'hand', who, set })}
    />
  );
}

function Listening({ play, who, act }: OfWho & { readonly play: Play }) {
  const deaf = play.theatre.endpoints.get(who)?.deaf === true;
  return (
    <Button act={() => act({ do: 'deaf', who, set: deaf ? 'off' : 'on' })}>
      {deaf ? 'Listen again' : 'Fall silent'}
    </Button>
  );
}

function Silence({ play, member, act }: Of) {
  return (
    <Group name={member.name}>
      <span>It hands each invitation to one of the IWFs, in turn.</span>
      <Listening play={play} who={member.id} act={act} />
    </Group>
  );
}

function OfIwf({ play, member, act }: Of) {
  const { id: who, name } = member;
  const rejects = play.theatre.endpoints.get(who)?.conduct.rejects[0] ?? [];
  const takes =
    rejects.length === 0 ? 'all' : rejects.includes(0) ? (rejects.includes(1) ? 'none' : 'second') : 'first';
  return (
    <Group name={name}>
      <Choice
        label="Streams it takes"
        value={takes}
        of={[
          ['all', 'takes all'],
          ['first', 'first stream'],
          ['second', 'second'],
          ['none', 'none'],
        ]}
        choose={(which) => act({ do: 'takes', who, which })}
      />
      <Button class="main" act={() => act({ do: 'accept', who })}>
        Accept
      </Button>
      <Button act={() => act({ do: 'refuse', who, status: 488 })}>Refuse: 488</Button>
      <Button act={() => act({ do: 'hangup', who })}>Hang up</Button>
      <Hand play={play} who={who} act={act} />
      <Listening play={play} who={who} act={act} />
    </Group>
  );
}

/** How long a killed process is down, ms. */
const DOWN_MS = 2000;
const SLOW_STORE_MS = 700;

function OfFunction({ play, member, act, waitFor }: Of & Pick<ActionsProps, 'waitFor'>) {
  const { id: who, name } = member;
  const watched = play.theatre.functions.find((each) => each.id === who)?.watched;
  if (watched === undefined) return null;
  const { history, pf } = watched;
  const kill = (instant: 'now' | 'committed' | 'stored', down = DOWN_MS): void =>
    act({ do: 'crash', who, instant, down });
  const expiry = expiryOf(watched);
  const mood = history.mood === 'well' && history.delayMs > 0 ? 'slow' : history.mood;
  return (
    <Group name={name}>
      {pf.up ? (
        <>
          <Button class="danger" act={() => kill('now')}>
            Kill for 2 s
          </Button>
          <Button class="danger" act={() => kill('committed')}>
            after next commit
          </Button>
          <Button class="danger" act={() => kill('stored')}>
            after next object
          </Button>
          <Button class="danger" act={() => kill('now', 0)}>
            Kill for good
          </Button>
        </>
      ) : (
        <Button class="main" act={() => act({ do: 'start', who })}>
          Start
        </Button>
      )}
      <Choice
        label="Message store"
        value={mood}
        of={[
          ['well', 'store well'],
          ['slow', 'slow'],
          ['failing', 'down'],
          ['lost', 'deaf'],
        ]}
        choose={(to) =>
          act({ do: 'store', who, mood: to === 'slow' ? 'well' : to, delay: to === 'slow' ? SLOW_STORE_MS : 0 })
        }
      />
      <Button act={() => act({ do: 'end', who, by: 'operator' })}>Operator ends</Button>
      <Button act={() => act({ do: 'end', who, by: 'shutdown' })}>Shut down</Button>
      {expiry !== undefined && <Button act={() => waitFor(expiry - play.begun)}>Await session timer</Button>}
    </Group>
  );
}

/** When the first session timer of a session of its runs out, ms since the epoch. */
function expiryOf({ pf }: WatchedFunction): number | undefined {
  if (!pf.up) return undefined;
  const deadlines = [...pf.engine.sessions.values()].flatMap(({ context }) => Object.entries(context.deadlines));
  const expiries = deadlines.flatMap(([name, at]) => (name.startsWith('sessionExpired') ? [at] : []));
  return expiries.length === 0 ? undefined : Math.min(...expiries);
}

function OfLink(props: {
  readonly play: Play;
  readonly from: MemberId;
  readonly to: MemberId;
  readonly act: (act: Act) => void;
}) {
  const { play, from, to, act } = props;
  const name = (id: MemberId): string => play.theatre.members.find((each) => each.id === id)?.name ?? id;
  const [a, b] = [name(from), name(to)];
  return (
    <Group name={`${a} – ${b}`}>
      <Button class="danger" act={() => act({ do: 'cut', from, to, way: 'both' })}>
        Cut
      </Button>
      <Button class="danger" act={() => act({ do: 'cut', from, to, way: 'one' })}>
        only → {b}
      </Button>
      <Button class="danger" act={() => act({ do: 'cut', from: to, to: from, way: 'one' })}>
        only → {a}
      </Button>
      <Button act={() => act({ do: 'mend', from, to })}>Mend</Button>
      <Next from={from} to={to} name={b} act={act} />
      <Next from={to} to={from} name={a} act={act} />
    </Group>
  );
}

function Next(props: {
  readonly from: MemberId;
  readonly to: MemberId;
  readonly name: string;
  readonly act: (act: Act) => void;
}) {
  const { from, to, name, act } = props;
  return (
    <span class="next" role="group" aria-label={`Next message to ${name}`}>
      next → {name}
      {(['drop', 'delay', 'double'] as const).map((fate) => (
        <button
          type="button"
          key={fate}
          aria-label={`${fate} the next message to ${name}`}
          onClick={() => act({ do: 'next', from, to, fate })}
        >
          {fate}
        </button>
      ))}
    </span>
  );
}

function OfFlight({ play, id, act }: { readonly play: Play; readonly id: number; readonly act: (act: Act) => void }) {
  const flight = play.flights.find((each) => each.id === id);
  if (flight === undefined) return <Group name="A message">It has arrived, or is lost.</Group>;
  return (
    <Group name={`${messageLabel(flight.passage.message)} under way`}>
      <Button class="danger" act={() => act({ do: 'drop', flight: id })}>
        Drop
      </Button>
      <Button act={() => act({ do: 'delay', flight: id, ms: LATE_MS })}>Delay by {LATE_MS} ms</Button>
      <Button act={() => act({ do: 'double', flight: id })}>Double</Button>
    </Group>
  );
}
