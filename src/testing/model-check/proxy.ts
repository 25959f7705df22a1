/**
 * The wires of a session in proxy mode (`src/sip/proxy`): requests and responses pass through, the ACK from end to end.
 * A side of the dialog is leg `a` or `b`, whichever branch answered.
 */
import type { Effect } from '../../../machines/session/effects.ts';
import type { ChartEvent } from './chart-graph.ts';
import type { Configuration } from './configuration.ts';
import { answered, failed, type Heard, response, sent } from './user-agent.ts';
import { newWire, type Wire, type World, wireOf, withWire } from './world.ts';

const NO_TIMER = { supported: false, se: null, minSE: null, refresher: null };

const sideOf = (wire: Wire): 'a' | 'b' => (wire.leg === 'a' ? 'a' : 'b');

export function proxyHears(wire: Wire, message: string, configuration: Configuration): Heard {
  const [first = '', exchange = ''] = message.split(' ');
  const leg = sideOf(wire);
  if (first === 'CANCEL') return wire.invite === 'open' ? { wire, event: { type: 'cancelled', leg: 'a' } } : { wire };
  if (first === 'ACK') return { wire: { ...wire, unacked: null }, event: { type: 'acknowledged', leg } };
  if (!/^\d/.test(first)) {
    const named = `${leg}-${exchange}`;
    const heard = { ...wire, theirs: [...wire.theirs, named] };
    if (first === 'BYE') return { wire: { ...heard, ended: 'theirs' }, event: { type: 'bye', leg, exchange: named } };
    const facts = { method: first, fork: 0, offer: 'changed', timer: NO_TIMER } as const;
    return { wire: heard, event: { type: 'request', leg, exchange: named, ...facts } };
  }
  if (exchange === '') return hearsAnswer(wire, first, configuration);
  return hearsReply(wire, exchange, Number(first));
}

function hearsAnswer(wire: Wire, status: string, configuration: Configuration): Heard {
  const { leg } = wire;
  if (wire.invite !== 'open') return { wire };
  if (status === '180') return { wire, event: { type: 'provisional', leg, fork: 0, status: 180, reliable: false } };
  const due = wire.due.filter((name) => name !== 'invite');
  if (status === '200')
    return { wire: { ...wire, invite: 'answered', due }, event: answered(leg, false, configuration) };
  return { wire: { ...wire, invite: 'failed', due }, event: failed(leg, Number(status), false) };
}

/** The answer to a forwarded request; it is told on the leg of whoever asked. */
function hearsReply(wire: Wire, exchange: string, status: number): Heard {
  if (!wire.ours.includes(exchange)) return { wire };
  const ours = wire.ours.filter((name) => name !== exchange);
  return { wire: { ...wire, ours }, event: response(exchange.slice(0, 1), exchange, status) };
}

export function proxyGivesUp(wire: Wire, name: string): Heard {
  const left = { ...wire, due: wire.due.filter((each) => each !== name) };
  if (name !== 'invite') return hearsReply(left, name, 408);
  return wire.invite === 'open'
    ? { wire: { ...left, invite: 'failed' }, event: failed(wire.leg, 408, true) }
    : { wire: left };
}

export function proxied(world: World, effect: Effect, event: ChartEvent | undefined): World {
  switch (effect.type) {
    case 'invite':
      return { ...world, wires: [...world.wires, newWire(effect.leg, false)] };
    case 'forwardResponse':
    case 'refuse':
      return answers(world, effect, event);
    case 'cancel':
      return onWire(world, wireOf(world, effect.leg), (wire) =>
        wire.invite === 'open' ? sent({ ...wire, cancelled: true }, 'CANCEL') : wire,
      );
    case 'forwardRequest':
      return onWire(world, otherSide(world, effect.leg), (wire) =>
        sent({ ...wire, ours: [...wire.ours, effect.exchange] }, `${methodOf(effect.exchange)} ${effect.exchange}`),
      );
    case 'forwardReply':
      return onWire(world, sideNamed(world, effect.leg), (wire) => {
        const theirs = wire.theirs.filter((name) => name !== effect.exchange);
        return sent({ ...wire, theirs }, `${event?.type === 'response' ? event.status : 408} ${effect.exchange}`);
      });
    default:
      return world;
  }
}

function answers(world: World, effect: Effect, event: ChartEvent | undefined): World {
  const near = wireOf(world, 'a') as Wire;
  if (effect.type === 'refuse') return withWire(world, { ...sent(near, String(effect.status)), invite: 'failed' });
  if (event?.type === 'provisional') return withWire(world, sent(near, '180'));
  if (event?.type === 'answered') return withWire(world, sent({ ...near, invite: 'answered' }, '200'));
  return withWire(world, { ...sent(near, event?.type === 'failed' ? String(event.status) : '408'), invite: 'failed' });
}

const methodOf = (exchange: string): string => (exchange.includes('bye') ? 'BYE' : 'INVITE');

function onWire(world: World, wire: Wire | undefined, change: (wire: Wire) => Wire): World {
  return wire === undefined ? world : withWire(world, change(wire));
}

/** The far side is whoever was asked last. */
function sideNamed(world: World, side: string): Wire | undefined {
  return side === 'a' ? wireOf(world, 'a') : world.wires.at(-1);
}

function otherSide(world: World, side: string): Wire | undefined {
  return sideNamed(world, side === 'a' ? 'b' : 'a');
}
