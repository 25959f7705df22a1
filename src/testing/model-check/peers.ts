/**
 * The peers: small automata at the far ends of the wires. What they must do is done when a message reaches them; what
 * they may do is one move each.
 */
import type { Configuration } from './configuration.ts';
import type { Wire } from './world.ts';

/** Messages under way in one direction of a wire, at most. */
export const QUEUE_BOUND = 2;

/** One way a wire can go on, and how it is told. */
export interface WireMove {
  readonly says: string;
  readonly wire: Wire;
}

const sends = (wire: Wire, message: string, change: Partial<Wire> = {}): Wire => ({
  ...wire,
  ...change,
  up: [...wire.up, message],
});

/** What the peer may do of its own accord. */
export function ownMoves(wire: Wire, configuration: Configuration): WireMove[] {
  if (wire.up.length >= QUEUE_BOUND) return [];
  switch (wire.peer) {
    case 'calling':
      return callingMoves(wire);
    case 'alerting':
      return alertingMoves(wire, configuration);
    case 'up':
      return dialogMoves(wire, configuration);
    default:
      return [];
  }
}

function callingMoves(wire: Wire): WireMove[] {
  if (wire.cancelled || wire.did.includes('b')) return [];
  const moves = [{ says: 'sends CANCEL', wire: sends(wire, 'CANCEL', { cancelled: true }) }];
  // RFC 3261 15: the caller may end an early dialog by BYE.
  if (wire.rang)
    moves.push({
      says: 'sends an early BYE',
      wire: sends(wire, 'BYE bye-1', { did: `${wire.did}b`, peer: 'leaving' }),
    });
  return moves;
}

function alertingMoves(wire: Wire, { refusals, rejectsStreams }: Configuration): WireMove[] {
  const moves: WireMove[] = [{ says: 'answers', wire: sends(wire, '200', { peer: 'up' }) }];
  if (rejectsStreams && wire.leg === 'b') {
    moves.push({ says: 'answers some streams', wire: sends(wire, '200 some', { peer: 'up' }) });
  }
  for (const status of refusals(wire.leg)) {
    moves.push({ says: `refuses by ${status}`, wire: sends(wire, status, { peer: 'over' }) });
  }
  return moves;
}

function dialogMoves(wire: Wire, { offers }: Configuration): WireMove[] {
  const moves: WireMove[] = [{ says: 'sends BYE', wire: sends(wire, 'BYE bye-1', { peer: 'leaving' }) }];
  if (offers && !wire.did.includes('i')) {
    moves.push({ says: 'sends a re-INVITE', wire: sends(wire, 'INVITE invite-1', { did: `${wire.did}i` }) });
  }
  return moves;
}

/** A peer takes the next message. `restarted`: it knows its dialogs no more. Undefined where it can't answer yet. */
export function peerTakes(wire: Wire, message: string, restarted: boolean): Wire | undefined {
  const [first = '', exchange] = message.split(' ');
  const isResponse = /^\d/.test(first);
  const after = isResponse
    ? takesResponse(wire, first, exchange)
    : takesRequest(wire, first, exchange ?? '', restarted);
  return after.up.length > QUEUE_BOUND ? undefined : after;
}

function takesRequest(wire: Wire, method: string, exchange: string, restarted: boolean): Wire {
  if (exchange === '') return takesInvitation(wire, method);
  const alive = wire.peer === 'up' || wire.peer === 'leaving';
  if (!alive || restarted) return sends(wire, `481 ${exchange}`, { peer: 'over' });
  if (method === 'BYE') return sends(wire, `200 ${exchange}`, { peer: 'over' });
  if (wire.peer === 'leaving') return sends(wire, `481 ${exchange}`);
  // RFC 3261 14.2: its own offer is still open.
  const glare = method === 'INVITE' && wire.did.endsWith('i');
  return sends(wire, `${glare ? 491 : 200} ${exchange}`);
}

function takesInvitation(wire: Wire, method: string): Wire {
  if (method === 'INVITE') return wire.peer === 'expected' ? { ...wire, peer: 'alerting' } : wire;
  if (method !== 'CANCEL' || wire.peer !== 'alerting') return wire;
  return sends(wire, '487', { peer: 'over' });
}

function takesResponse(wire: Wire, status: string, exchange: string | undefined): Wire {
  if (exchange === undefined || exchange === 'some') return takesAnswer(wire, status);
  if (exchange.includes('bye')) return { ...wire, peer: 'over' };
  const did = wire.did.endsWith('i') ? `${wire.did}.` : wire.did;
  if (status !== '200' || wire.peer === 'over') return { ...wire, did };
  return sends(wire, `ACK ${exchange}`, { did });
}

/** RFC 3261 13.2.2.4: a 2xx is acknowledged whatever its receiver has come to think of the call. */
function takesAnswer(wire: Wire, status: string): Wire {
  if (status === '180') return { ...wire, rang: true };
  if (status !== '200') return { ...wire, peer: 'over' };
  return sends(wire, 'ACK invite', wire.peer === 'calling' ? { peer: 'up' } : {});
}

/** The peer takes what has come to it as long as it has room for its answers. */
export function settled(wire: Wire): Wire {
  let after = wire;
  for (;;) {
    const [message, ...down] = after.down;
    if (message === undefined) return after;
    const taken = peerTakes({ ...after, down }, message, false);
    if (taken === undefined) return after;
    after = taken;
  }
}
