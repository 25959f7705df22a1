/** A whole scene in virtual time: a Participating Function, its client, the core, the ISF, and whoever else is wanted. */
import { type FunctionOptions, ParticipatingFunction } from './participating-function.ts';
import { Peer } from './peer.ts';
import { SeededRandom } from './seeded.ts';
import { VirtualClock } from './virtual-clock.ts';
import { VirtualNetwork } from './virtual-network.ts';

export interface WorldOptions extends FunctionOptions {
  readonly seed?: number;
  /** A clock that others have too. */
  readonly clock?: VirtualClock;
}

/** Long enough for a message to cross a few hops and for what it causes, short against every SIP timer. */
const SETTLE_MS = 40;

export class World {
  readonly clock: VirtualClock;
  readonly network: VirtualNetwork;
  readonly random: SeededRandom;
  readonly pf: ParticipatingFunction;
  /** The SIP/IP core: next hop of all that does not go to the ISF. */
  readonly core: Peer;
  readonly isf: Peer;
  readonly #peers = new Map<string, Peer>();

  constructor(options: WorldOptions = {}) {
    this.clock = options.clock ?? new VirtualClock();
    this.network = new VirtualNetwork(this.clock);
    this.random = new SeededRandom(options.seed ?? 1);
    this.pf = new ParticipatingFunction(this.clock, this.network, this.random, options);
    this.core = this.peer('core', '10.0.0.20:5060');
    this.isf = this.peer('isf', '10.0.0.30:5060');
  }

  /** Somebody at an address of their own; the same name gives the same peer. */
  peer(name: string, address = `10.0.1.${this.#peers.size + 1}:5060`): Peer {
    const known = this.#peers.get(name);
    if (known !== undefined) return known;
    const peer = new Peer(this.network, this.random, name, address, this.pf.address);
    this.#peers.set(name, peer);
    return peer;
  }

  /** Lets everything that is under way arrive. */
  settle(): void {
    this.clock.advance(SETTLE_MS);
  }

  /** Lets time pass. */
  advance(ms: number): void {
    this.clock.advance(ms);
  }

  /** What the function still holds; empty once all is over. */
  get held(): string[] {
    return this.pf.held;
  }
}
