/** What each act does on the stage. */
import { GOOD_CONDUCT } from '../testing/endpoint/conduct.ts';
import type { EndpointDialog } from '../testing/endpoint/dialog.ts';
import type { Endpoint } from '../testing/endpoint/endpoint.ts';
import { chatSdp } from '../testing/peer.ts';
import type { Act, ActNamed, MemberId } from './acts.ts';
import { BEHIND_MS, type Interference } from './interference.ts';
import type { PlayedFunction, Theatre } from './theatre.ts';

export function perform(act: Act, theatre: Theatre, interference: Interference): void {
  switch (act.do) {
    case 'invite':
      return theatre.invite(act.to, act.streams);
    case 'phone':
      theatre.phone = act.set === 'on';
      return;
    case 'crash':
    case 'start':
    case 'store':
    case 'end':
      return performAtFunction(act, functionNamed(theatre, act.who));
    case 'drop':
      theatre.network.drop(act.flight);
      return;
    case 'delay':
      theatre.network.delay(act.flight, act.ms);
      return;
    case 'double':
      theatre.network.double(act.flight, BEHIND_MS);
      return;
    case 'cut':
      interference.cut(act.from, act.to);
      if (act.way === 'both') interference.cut(act.to, act.from);
      return;
    case 'mend':
      interference.mend(act.from, act.to);
      return interference.mend(act.to, act.from);
    case 'next':
      return interference.next(act.from, act.to, act.fate);
    default:
      return performAtEndpoint(act, endpointNamed(theatre, act.who));
  }
}

function performAtFunction(act: ActNamed<'crash' | 'start' | 'store' | 'end'>, { watched }: PlayedFunction): void {
  switch (act.do) {
    case 'crash': {
      const down = act.down === 0 ? null : act.down;
      if (act.instant === 'now') watched.crash(down);
      else watched.crashAfter(act.instant, down);
      return;
    }
    case 'start':
      return watched.restart();
    case 'store':
      watched.history.mood = act.mood;
      watched.history.delayMs = act.delay;
      return;
    case 'end': {
      const { engine, up } = watched.pf;
      if (!up) return;
      if (act.by === 'shutdown') engine.refusing = true;
      for (const id of [...engine.sessions.keys()]) engine.end(id, act.by);
    }
  }
}

type AtEndpoint = Extract<Act, { readonly who: MemberId }>;

function performAtEndpoint(act: AtEndpoint, endpoint: Endpoint): void {
  switch (act.do) {
    case 'cancel':
      return endpoint.cancel();
    case 'hangup':
      return endpoint.hangUp();
    case 'offer':
      return withDialog(endpoint, (dialog) => endpoint.request(dialog, 'INVITE', { sdp: chatSdp('again') }));
    case 'ring':
      return endpoint.ring();
    case 'accept':
      return endpoint.decide(200, endpoint.conduct.rejects[0] ?? []);
    case 'refuse':
      return endpoint.decide(act.status);
    case 'hand':
      endpoint.conduct = { ...endpoint.conduct, ...(act.set === 'on' ? BY_HAND : BY_ITSELF) };
      return;
    case 'deaf':
      endpoint.deaf = act.set === 'on';
      return;
    case 'forget':
      return endpoint.forget();
    case 'takes':
      endpoint.conduct = { ...endpoint.conduct, rejects: [REJECTS[act.which]] };
  }
}

const BY_HAND = { answers: [null], rings: 0 };
const BY_ITSELF = { answers: GOOD_CONDUCT.answers, rings: GOOD_CONDUCT.rings };
const REJECTS = { all: [], first: [1, 2, 3], second: [0, 2, 3], none: [0, 1, 2, 3] } as const;

/** The last dialog that is still open. */
function withDialog(endpoint: Endpoint, act: (dialog: EndpointDialog) => void): void {
  const dialog = endpoint.dialogs.findLast(({ confirmed, ended }) => confirmed && !ended);
  if (dialog !== undefined) act(dialog);
}

function functionNamed({ functions }: Theatre, id: MemberId): PlayedFunction {
  const found = functions.find((each) => each.id === id);
  if (found === undefined) {
    throw new Error(`"${id}" is no function here; there is ${functions.map((each) => each.id).join(' and ')}`);
  }
  return found;
}

function endpointNamed({ endpoints }: Theatre, id: MemberId): Endpoint {
  const found = endpoints.get(id);
  if (found === undefined) throw new Error(`"${id}" does nothing here; there are ${[...endpoints.keys()].join(', ')}`);
  return found;
}
