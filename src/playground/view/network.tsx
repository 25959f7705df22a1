/** The network as a picture: everybody in their place, the lines between them, and what is under way. */
import type { Flight } from '../../testing/virtual-network.ts';
import type { MemberId } from '../acts.ts';
import type { Play } from '../play.ts';
import { messageLabel } from '../rows.ts';
import type { Member } from '../theatre.ts';
import type { Chosen } from './player.ts';

export interface NetworkProps {
  readonly play: Play;
  readonly frame: number;
  readonly chosen: Chosen;
  readonly choose: (chosen: Chosen) => void;
}

export function NetworkPicture({ play, chosen, choose }: NetworkProps) {
  const { theatre, flights } = play;
  const at = (id: MemberId): Member | undefined => theatre.members.find((each) => each.id === id);
  return (
    <div class="network" role="group" aria-label="Picture of the network">
      <svg class="wires" aria-hidden="true" role="presentation">
        {theatre.links.map(([from, to]) => (
          <Wire key={`${from}${to}`} from={at(from)} to={at(to)} cut={isCut(play, from, to)} />
        ))}
        <Wire from={at('isf')} to={at('iwf1')} cut={false} inner />
        <Wire from={at('isf')} to={at('iwf2')} cut={false} inner />
      </svg>
      {theatre.links.map(([from, to]) => (
        <WireButton key={`${from}${to}`} play={play} from={at(from)} to={at(to)} chosen={chosen} choose={choose} />
      ))}
      {theatre.members.map((member) => (
        <MemberButton key={member.id} play={play} member={member} chosen={chosen} choose={choose} />
      ))}
      {flights.map((flight) => (
        <FlightButton key={flight.id} play={play} flight={flight} chosen={chosen} choose={choose} />
      ))}
    </div>
  );
}

function isCut(play: Play, from: MemberId, to: MemberId): boolean {
  return play.interference.isCut(from, to) || play.interference.isCut(to, from);
}

function Wire(props: {
  readonly from: Member | undefined;
  readonly to: Member | undefined;
  readonly cut: boolean;
  readonly inner?: boolean;
}) {
  const { from, to, cut, inner } = props;
  if (from === undefined || to === undefined) return null;
  const kind = `${cut ? 'cut' : ''} ${inner === true ? 'inner' : ''}`;
  return <line class={kind} x1={`${from.x}%`} y1={`${from.y}%`} x2={`${to.x}%`} y2={`${to.y}%`} />;
}

interface Choosing {
  readonly play: Play;
  readonly chosen: Chosen;
  readonly choose: (chosen: Chosen) => void;
}

function WireButton(props: Choosing & { readonly from: Member | undefined; readonly to: Member | undefined }) {
  const { play, chosen, choose, from, to } = props;
  if (from === undefined || to === undefined) return null;
  const { interference } = play;
  const [there, back] = [interference.isCut(from.id, to.id), interference.isCut(to.id, from.id)];
  const state = there && back ? 'cut' : there || back ? 'cut one way' : 'whole';
  const waiting = [...interference.waiting(from.id, to.id), ...interference.waiting(to.id, from.id)].length;
  return (
    <button
      type="button"
      class={`wire ${there || back ? 'cut' : ''}`}
      aria-label={`Line between ${from.name} and ${to.name}, ${state}`}
      aria-pressed={chosen.kind === 'link' && chosen.from === from.id && chosen.to === to.id}
      style={{ left: `${(from.x + to.x) / 2}%`, top: `${(from.y + to.y) / 2}%` }}
      onClick={() => choose({ kind: 'link', from: from.id, to: to.id })}
    >
      {there && back ? '✕' : there ? '⇥' : back ? '⇤' : waiting > 0 ? '!' : ''}
    </button>
  );
}

function MemberButton({ play, member, chosen, choose }: Choosing & { readonly member: Member }) {
  const { id, name, kind, x, y } = member;
  const [state, says] = conditionOf(play, member);
  return (
    <button
      type="button"
      class={`member ${kind} ${state}`}
      aria-label={`${name}${says === '' ? '' : `, ${says}`}`}
      aria-pressed={chosen.kind === 'member' && chosen.id === id}
      style={{ left: `${x}%`, top: `${y}%` }}
      onClick={() => choose({ kind: 'member', id })}
    >
      <b>{name}</b>
      {says !== '' && <span>{says}</span>}
    </button>
  );
}

/** How somebody is, as a class and in words. */
function conditionOf(play: Play, { id, kind }: Member): [state: string, says: string] {
  if (kind === 'function') {
    const watched = play.theatre.functions.find((each) => each.id === id)?.watched;
    if (watched === undefined) return ['', ''];
    if (!watched.pf.up) return ['down', 'down'];
    if (watched.history.mood === 'failing') return ['sick', 'store down'];
    if (watched.history.mood === 'lost') return ['sick', 'store deaf'];
    const states = [...watched.pf.engine.sessions.values()].map(({ state }) => state.split('.').at(-1) ?? '');
    return states.length === 0
      ? ['', 'no session']
      : ['busy', states.length === 1 ? (states[0] ?? '') : `${states.length} sessions`];
  }
  const endpoint = play.theatre.endpoints.get(id);
  if (endpoint === undefined) return ['', ''];
  if (endpoint.deaf) return ['down', 'silent'];
  if (id === 'bob' && !play.theatre.phone) return ['sick', 'no client'];
  const open = endpoint.dialogs.filter(({ confirmed, ended }) => confirmed && !ended).length;
  if (open > 0) return ['busy', 'in a session'];
  return endpoint.conduct.answers[0] === null ? ['', 'by hand'] : ['', ''];
}

/** Half the width and height of each kind in the picture, per cent. */
const HALF: { readonly [K in Member['kind']]: readonly [number, number] } = {
  user: [6.5, 11],
  function: [8, 11],
  core: [5.6, 11],
  isf: [5.6, 8],
  iwf: [5.6, 8],
};

/** From rim to rim, so that a message is not drawn upon whoever sends it: its share of the way between the centres. */
function alongLine(from: Member, to: Member, done: number): number {
  const rim = ({ kind }: Member): number => {
    const [width, height] = HALF[kind];
    return Math.min(0.45, width / Math.abs(to.x - from.x || 0.01), height / Math.abs(to.y - from.y || 0.01));
  };
  return rim(from) + done * (1 - rim(from) - rim(to));
}

function FlightButton({ play, flight, chosen, choose }: Choosing & { readonly flight: Flight }) {
  const { passage, arrivesAt, id } = flight;
  const named = (address: string): Member | undefined => play.theatre.members.find((each) => each.address === address);
  const [from, to] = [named(passage.from), named(passage.to)];
  if (from === undefined || to === undefined) return null;
  const done = Math.min(1, Math.max(0, (play.begun + play.elapsed - passage.at) / Math.max(1, arrivesAt - passage.at)));
  const way = alongLine(from, to, done);
  const label = messageLabel(passage.message);
  const answer = /^\d/.test(label);
  return (
    <button
      type="button"
      class={`flight ${answer ? 'answer' : ''} ${from.y === to.y && from.x > to.x ? 'below' : ''}`}
      aria-label={`${label} under way from ${from.name} to ${to.name}`}
      aria-pressed={chosen.kind === 'flight' && chosen.id === id}
      style={{ left: `${from.x + (to.x - from.x) * way}%`, top: `${from.y + (to.y - from.y) * way}%` }}
      onClick={() => choose({ kind: 'flight', id })}
    >
      <i />
      <span>{label.replace(/ \(BYE\)| OK$/, '')}</span>
    </button>
  );
}
