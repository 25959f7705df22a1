/**
 * Everything outside the chart, small enough to be searched through: one wire for each leg, the store, the profile, the
 * faults that have struck. Worlds are never changed, only copied.
 *
 * A wire is the leg's stack, the peer, and the messages between them. Messages are words: `INVITE`, `CANCEL`, `180`,
 * `200`, `487` belong to the invitation; `BYE bye`, `INVITE offer-3` are requests inside the dialog and `200 bye` the
 * answer to one, by the name of its exchange.
 */
import type { LegName } from '../../../machines/session/context.ts';
import type { Effect } from '../../../machines/session/effects.ts';
import type { ChartState } from './chart-graph.ts';

export const FAULTS = ['loss', 'reordering', 'duplicate', 'restartedPeer', 'storeFailure', 'crash'] as const;
export type Fault = (typeof FAULTS)[number];

export type PeerState =
  /** Has sent the INVITE. */
  | 'calling'
  /** Its INVITE is on the way to it. */
  | 'expected'
  | 'alerting'
  | 'up'
  /** Has sent BYE. */
  | 'leaving'
  | 'over';

export interface Wire {
  readonly leg: LegName;
  readonly peer: PeerState;
  /** 18x has been said, so there is an early dialog. */
  readonly rang: boolean;
  /** The INVITE in our stack. */
  readonly invite: 'open' | 'answered' | 'failed';
  /** CANCEL was said. */
  readonly cancelled: boolean;
  /** Exchange whose 2xx we repeat until its ACK; `invite` for the first. */
  readonly unacked: string | null;
  /** The peer's 2xx has had our ACK. */
  readonly acked: boolean;
  /** Whose BYE has ended the dialog; `unknown` where the peer said that it knows the dialog no more. */
  readonly ended: 'ours' | 'theirs' | 'unknown' | null;
  /** From the peer, and to it; the oldest first. What is to it waits only where the peer has no room to answer. */
  readonly up: readonly string[];
  readonly down: readonly string[];
  /** A message that others overtake on their way to the peer. */
  readonly held: string | null;
  /** Requests of ours whose answer our stack awaits; requests of the peer that wait for ours. */
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
  /** What our stack will tell when its time is over, since the message was lost: an exchange, `invite` or `ack`. */
  readonly due: readonly string[];
  /** What the peer has done of its own accord, each once. */
  readonly did: string;
}

export interface StoreState {
  /** Work ordered and not done, the oldest first. */
  readonly jobs: readonly ('open' | 'seal')[];
  /** Work ever ordered. */
  readonly ordered: string;
  /** UIDs have been given, and so may be told. */
  readonly sealed: boolean;
}

/** What was written at the last checkpoint. */
export interface Written {
  readonly id: number;
  readonly chart: ChartState;
  /** Effects that leave after it. */
  readonly pending: readonly Effect[];
}

export interface World {
  readonly chart: ChartState;
  readonly wires: readonly Wire[];
  readonly store: StoreState;
  readonly asked: boolean;
  /** Ended by order, or by its media, once. */
  readonly ordered: boolean;
  readonly faults: readonly Fault[];
  /** Null where no crash is to come. */
  readonly written: Written | null;
}

export function wireOf(world: World, leg: LegName): Wire | undefined {
  return world.wires.find((wire) => wire.leg === leg);
}

export function withWire(world: World, changed: Wire): World {
  return { ...world, wires: world.wires.map((wire) => (wire.leg === changed.leg ? changed : wire)) };
}

/** The wire of an INVITE of ours, or of the one that began it all. */
export function newWire(leg: LegName, inbound: boolean): Wire {
  return {
    leg,
    peer: inbound ? 'calling' : 'expected',
    rang: false,
    invite: 'open',
    cancelled: false,
    unacked: null,
    acked: false,
    ended: null,
    up: [],
    down: inbound ? [] : ['INVITE'],
    held: null,
    ours: [],
    theirs: [],
    due: [],
    did: '',
  };
}

const flag = (is: boolean): string => (is ? '1' : '0');

/** What can't matter any more is left out. */
function wireKey(wire: Wire): string {
  const { peer, rang, invite, cancelled, unacked, acked, ended, up, down, held, ours, theirs, due, did } = wire;
  const early = invite === 'open' || peer === 'calling';
  const flags = (early ? flag(rang) + flag(cancelled) : '') + (invite === 'answered' ? flag(acked) : '');
  const queues = `${up.join()};${down.join()};${held ?? ''}`;
  const moves = peer === 'over' ? '' : did;
  return `${peer} ${invite} ${flags} ${unacked} ${ended};${queues};${ours.join()};${theirs.join()};${due.join()};${moves}`;
}

/** Names worlds: equal names for worlds from which the same can follow. */
export class WorldNames {
  /** Wires by number, so that names are short. */
  readonly #wires = new Map<string, number>();

  of(world: World): string {
    const { chart, wires, store, asked, ordered, faults, written } = world;
    // Nothing comes after the end but a restart that finds the record.
    if (chart.call === 'closed' && written === null) return `${chart.id} `;
    const orders = chart.context.ending === null && ordered;
    let name = `${chart.id} ${flag(asked)}${flag(orders)}${flag(store.sealed)}${store.jobs.join()};${store.ordered}`;
    name += `${faults.join()} ${written === null ? '' : written.id}`;
    for (const wire of wires) name += ` ${this.#numberOf(wire)}`;
    return name;
  }

  #numberOf(wire: Wire): number {
    const key = wireKey(wire);
    const known = this.#wires.get(key);
    if (known !== undefined) return known;
    this.#wires.set(key, this.#wires.size);
    return this.#wires.size - 1;
  }
}
