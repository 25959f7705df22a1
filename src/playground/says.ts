/** Acts in words, for the ladder and for whoever listens to it. */
import type { Flight } from '../testing/virtual-network.ts';
import type { Act, MemberId } from './acts.ts';
import { messageLabel } from './rows.ts';
import type { Theatre } from './theatre.ts';

export interface Said {
  /** At whom it happens; null: at nobody alone. */
  readonly of: MemberId | null;
  readonly says: string;
}

const STREAMS = {
  all: 'every stream',
  first: 'only the first stream',
  second: 'only the second stream',
  none: 'no stream',
};
const INSTANTS = { now: '', committed: ' after the next commit', stored: ' after the next object in the store' };
const MOODS = { well: 'is well', failing: 'is down', lost: 'loses its answers' };
const FATES = { drop: 'will be lost', delay: 'will be late', double: 'will come twice' };

export function says(act: Act, theatre: Theatre, flights: readonly Flight[]): Said {
  if ('who' in act) return { of: act.who, says: saysOf(act) };
  const name = (id: MemberId): string => theatre.members.find((member) => member.id === id)?.name ?? id;
  const flying = (id: number): string => {
    const flight = flights.find((each) => each.id === id);
    return flight === undefined ? 'a message that is gone' : `the ${messageLabel(flight.passage.message)} under way`;
  };
  const inviter = theatre.members[0]?.id ?? null;
  switch (act.do) {
    case 'invite':
      return { of: inviter, says: act.to === 'bob' ? 'invites Bob' : 'invites Carol, who has mail only' };
    case 'phone':
      return { of: 'bob', says: act.set === 'on' ? 'is registered again' : 'has no client registered' };
    case 'cut':
      return {
        of: null,
        says: `cut: ${name(act.from)} ${act.way === 'both' ? '↔' : '→'} ${name(act.to)}`,
      };
    case 'mend':
      return { of: null, says: `mended: ${name(act.from)} ↔ ${name(act.to)}` };
    case 'next':
      return { of: null, says: `the next message ${name(act.from)} → ${name(act.to)} ${FATES[act.fate]}` };
    case 'drop':
      return { of: null, says: `${flying(act.flight)} is lost` };
    case 'delay':
      return { of: null, says: `${flying(act.flight)} is ${act.ms} ms late` };
    case 'double':
      return { of: null, says: `${flying(act.flight)} comes twice` };
  }
}

function saysOf(act: Extract<Act, { readonly who: MemberId }>): string {
  switch (act.do) {
    case 'cancel':
      return 'cancels';
    case 'hangup':
      return 'hangs up';
    case 'offer':
      return 'offers again';
    case 'ring':
      return 'rings';
    case 'accept':
      return 'accepts';
    case 'refuse':
      return `refuses with ${act.status}`;
    case 'hand':
      return act.set === 'on' ? 'waits for your word' : 'answers by itself';
    case 'deaf':
      return act.set === 'on' ? 'falls silent' : 'listens again';
    case 'forget':
      return 'forgets its dialogs';
    case 'takes':
      return `takes ${STREAMS[act.which]}`;
    case 'crash':
      return `is killed${INSTANTS[act.instant]}`;
    case 'start':
      return 'is started';
    case 'store':
      return `message store ${MOODS[act.mood]}${act.delay === 0 ? '' : `, takes ${act.delay} ms`}`;
    case 'end':
      return act.by === 'operator' ? 'operator ends all sessions' : 'shuts down';
  }
}
