/**
 * The legs of a B2BUA as its SIP stack keeps them (`src/sip/user-agent`): from messages to events of the session, and
 * from its effects to messages. Copies end in the transaction layer and are not modelled.
 */
import type { Effect } from '../../../machines/session/effects.ts';
import type { Mode } from '../../../machines/session/policy.ts';
import type { ChartEvent } from './chart-graph.ts';
import type { Configuration } from './configuration.ts';
import { newWire, type Wire, type World, wireOf, withWire } from './world.ts';

/** What our stack makes of a message: the wire afterwards, and what the session hears, if anything. */
export interface Heard {
  readonly wire: Wire;
  readonly event?: ChartEvent;
}

const NO_TIMER = { supported: false, se: null, minSE: null, refresher: null };

/** The inviter refreshes by itself, whoever asks; the far side leaves it to us. */
const timerIn = (leg: string, refresher: 'uac' | 'uas') =>
  leg === 'a' ? { supported: true, se: 1800, minSE: null, refresher } : NO_TIMER;

/** `wire.up` no longer holds the message. */
export function stackHears(wire: Wire, message: string, configuration: Configuration): Heard {
  const [first = '', exchange = ''] = message.split(' ');
  if (first === 'CANCEL') {
    return wire.invite === 'open' ? { wire, event: { type: 'cancelled', leg: wire.leg } } : { wire };
  }
  if (first === 'ACK') return hearsAck(wire, exchange);
  if (!/^\d/.test(first)) return hearsRequest(wire, first, exchange);
  if (exchange === '' || exchange === 'some') return hearsAnswer(wire, first, exchange === 'some', configuration);
  return hearsResponse(wire, exchange, Number(first));
}

/**
 * True where the oldest message to us is one that neither brings an event nor an answer, now or later: a copy of what was
 * heard, or a response to what was given up.
 */
export function isStray({ invite, unacked, ours, up }: Wire, mode: Mode): boolean {
  const [first = '', exchange = ''] = (up[0] ?? '').split(' ');
  if (first === 'CANCEL') return invite !== 'open';
  // A proxy passes each ACK on.
  if (first === 'ACK') return mode === 'b2bua' && unacked !== exchange;
  if (!/^\d/.test(first)) return false;
  if (exchange === '' || exchange === 'some') return invite !== 'open' && first !== '200';
  return !ours.includes(exchange);
}

/** RFC 3261 13.3.1.4: the ACK for the 2xx that is being repeated; any other says nothing new. */
function hearsAck(wire: Wire, exchange: string): Heard {
  if (wire.unacked !== exchange) return { wire };
  const heard = { ...wire, unacked: null, due: wire.due.filter((name) => name !== 'ack') };
  return { wire: heard, event: { type: 'acknowledged', leg: wire.leg } };
}

function hearsRequest(wire: Wire, method: string, exchange: string): Heard {
  const { leg } = wire;
  const inDialog = wire.invite === 'answered' || wire.rang;
  const refusal = inDialog ? refusalFor(wire, method) : 481;
  if (refusal !== undefined) return { wire: sent(wire, `${refusal} ${exchange}`) };
  const theirs = [...wire.theirs, exchange];
  if (method === 'BYE') {
    // RFC 3261 15: a callee can't end an early dialog, so that BYE does not count.
    const ended = leg === 'a' || wire.invite === 'answered' ? 'theirs' : wire.ended;
    const due = wire.due.filter((name) => name !== 'ack');
    return { wire: { ...wire, theirs, ended, unacked: null, due }, event: { type: 'bye', leg, exchange } };
  }
  const event = {
    type: 'request',
    leg,
    exchange,
    method,
    fork: 0,
    offer: 'changed',
    timer: timerIn(leg, 'uac'),
  } as const;
  return { wire: { ...wire, theirs }, event };
}

/** RFC 3261 14.2: one offer at a time in a dialog. */
function refusalFor(wire: Wire, method: string): number | undefined {
  if (method === 'BYE') return undefined;
  if (wire.ended === 'ours' || wire.ended === 'theirs') return 481;
  if (wire.ours.some((name) => /^(offer|reoffer|refresh)/.test(name))) return 491;
  if (wire.theirs.some((name) => name.startsWith('invite')) || wire.unacked !== null) return 500;
  return undefined;
}

/** The INVITE's responses: its first final one counts, and a 2xx after it is ended by the stack alone. */
function hearsAnswer(wire: Wire, status: string, some: boolean, configuration: Configuration): Heard {
  const { leg } = wire;
  if (wire.invite !== 'open') return { wire: status === '200' ? { ...wire, peer: 'over', up: [] } : wire };
  if (status === '180') {
    return { wire, event: { type: 'provisional', leg, fork: 0, status: 180, reliable: false } };
  }
  const due = wire.due.filter((name) => name !== 'invite');
  if (status === '200')
    return { wire: { ...wire, invite: 'answered', due }, event: answered(leg, some, configuration) };
  return { wire: { ...wire, invite: 'failed', due }, event: failed(leg, Number(status), false) };
}

export function answered(leg: string, some: boolean, { input, timer, rejectsStreams }: Configuration): ChartEvent {
  const offered = input.invite.streams ?? [];
  // The second IWF is offered what the first one rejected.
  const accepted = rejectsStreams && leg !== 'b' ? [true] : offered.map((_, at) => at === 0 || !some);
  return { type: 'answered', leg, status: 200, fork: 0, accepted, offered: null, timer, allowsUpdate: true };
}

export function failed(leg: string, status: number, silent: boolean): ChartEvent {
  const redirects = status === 302 ? ['sip:elsewhere@home.example'] : [];
  return { type: 'failed', leg, status, redirects, minSE: null, silent };
}

function hearsResponse(wire: Wire, exchange: string, status: number): Heard {
  if (!wire.ours.includes(exchange)) return { wire };
  const ours = wire.ours.filter((name) => name !== exchange);
  const event = response(wire.leg, exchange, status);
  // Nobody is left there who could be told, or acknowledged.
  const gone = status === 481 && wire.ended === null;
  return { wire: gone ? { ...wire, ours, ended: 'unknown', acked: true } : { ...wire, ours }, event };
}

export function response(leg: string, exchange: string, status: number): ChartEvent {
  return { type: 'response', leg, exchange, status, timer: timerIn(leg, 'uas'), minSE: null };
}

/** 64*T1 are over: what was lost is told as silence. */
export function stackGivesUp(wire: Wire, name: string): Heard {
  const left = { ...wire, due: wire.due.filter((each) => each !== name) };
  if (name === 'ack') return { wire: { ...left, unacked: null }, event: { type: 'unacknowledged', leg: wire.leg } };
  if (name !== 'invite') return hearsResponse(left, name, 408);
  if (wire.invite !== 'open') return { wire: left };
  return { wire: { ...left, invite: 'failed' }, event: failed(wire.leg, 408, true) };
}

// --- effects -----------------------------------------------------------------------------------------------------

/** A message on its way to the peer. */
export const sent = (wire: Wire, message: string): Wire => ({ ...wire, down: [...wire.down, message] });

/** The world after an effect. `event` is the one that brought it. */
export function carriedOut(world: World, effect: Effect, event: ChartEvent | undefined): World {
  if (effect.type === 'invite') return { ...world, wires: [...world.wires, newWire(effect.leg, false)] };
  const wire = wireOf(world, towards(effect));
  return wire === undefined ? world : withWire(world, after(effect, wire, event));
}

/** The leg on which an effect speaks. */
function towards(effect: Effect): string {
  switch (effect.type) {
    case 'progress':
    case 'answer':
    case 'refuse':
    case 'forwardFailure':
      return 'a';
    case 'relayRequest':
    case 'relayResponse':
      return effect.to;
    default:
      return 'leg' in effect ? effect.leg : 'a';
  }
}

function after(effect: Effect, wire: Wire, event: ChartEvent | undefined): Wire {
  switch (effect.type) {
    case 'progress':
      return sent(wire, '180');
    case 'answer':
      return sent({ ...wire, invite: 'answered', unacked: 'invite' }, '200');
    case 'acknowledge':
      return { ...wire, acked: true };
    case 'cancel':
      return wire.invite === 'open' ? sent({ ...wire, cancelled: true }, 'CANCEL') : wire;
    case 'bye':
      return asked({ ...wire, ended: 'ours' }, 'BYE', 'bye');
    case 'answerBye':
      return replied(wire, effect.exchange, 200);
    case 'respond':
      return replied(wire, effect.exchange, effect.status);
    case 'confirmUnchanged':
      return replied(wire, effect.exchange, 200);
    case 'relayRequest':
      return asked(wire, 'INVITE', effect.as);
    case 'relayResponse':
      return replied(wire, effect.as, event?.type === 'response' ? event.status : 408);
    case 'refresh':
      return asked(wire, effect.method, effect.exchange);
    case 'reoffer':
      return asked(wire, 'INVITE', effect.exchange);
    default:
      return refused(effect, wire);
  }
}

function refused(effect: Effect, wire: Wire): Wire {
  if (effect.type !== 'refuse' && effect.type !== 'forwardFailure') return wire;
  return { ...sent(wire, String(effect.status)), invite: 'failed' };
}

function asked(wire: Wire, method: string, exchange: string): Wire {
  return sent({ ...wire, ours: [...wire.ours, exchange] }, `${method} ${exchange}`);
}

function replied(wire: Wire, exchange: string, status: number): Wire {
  const theirs = wire.theirs.filter((name) => name !== exchange);
  const unacked = exchange.startsWith('invite') && status < 300 ? exchange : wire.unacked;
  return sent({ ...wire, theirs, unacked }, `${status} ${exchange}`);
}

/** The wire after a message was lost: where our stack waits for what depends on it, it will give up. */
export function lost(wire: Wire, message: string, toPeer: boolean): Wire {
  const name = dueAfter(wire, message, toPeer);
  if (name === undefined || wire.due.includes(name)) return wire;
  return { ...wire, due: [...wire.due, name] };
}

function dueAfter(wire: Wire, message: string, toPeer: boolean): string | undefined {
  const [first = '', exchange = ''] = message.split(' ');
  const isResponse = /^\d/.test(first);
  if (first === 'ACK') return wire.unacked === exchange ? 'ack' : undefined;
  if (exchange === '' || exchange === 'some') {
    if (wire.leg !== 'a') return wire.invite === 'open' ? 'invite' : undefined;
    return toPeer && first === '200' ? 'ack' : undefined;
  }
  if (toPeer && isResponse) return wire.unacked === exchange ? 'ack' : undefined;
  return isResponse === !toPeer && wire.ours.includes(exchange) ? exchange : undefined;
}
