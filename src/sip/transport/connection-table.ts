/** All connections of a network: how many there are, which one leads where, and which has been idle too long. */
import type { Clock, Timer, TimerOwner } from '../../time/clock.ts';
import type { Flow, SentTap, Target } from '../flow.ts';
import type { MessageLimits } from '../message/parse.ts';
import type { Connection } from './connection.ts';
import type { TransportCounters } from './counters.ts';
import type { TransportLimits } from './limits.ts';
import type { NetworkUser } from './node-network.ts';

export interface ConnectionTableOptions {
  readonly clock: Clock;
  readonly limits: TransportLimits;
  readonly messages: MessageLimits;
  readonly counters: TransportCounters;
  /** Opens a way for what has to leave after its connection has closed. */
  readonly connect: (target: Target) => Flow | undefined;
  readonly sent?: SentTap;
}

/** Names one connection may claim: a peer has one Via host and one Contact host, or a few. */
const MAX_NAMES = 8;

const NOBODY: NetworkUser = { receive() {}, receiveFrame: () => true };

export class ConnectionTable implements TimerOwner {
  readonly clock: Clock;
  readonly limits: TransportLimits;
  readonly messages: MessageLimits;
  readonly counters: TransportCounters;
  readonly connect: (target: Target) => Flow | undefined;
  readonly sent: SentTap;
  user: NetworkUser = NOBODY;
  /** Bytes of unfinished messages, kept by the connections that hold them. */
  unfinishedBytes = 0;
  /** In the order of their last traffic, the longest idle one first. */
  readonly #open = new Set<Connection>();
  /** Closed, but their sockets are not gone yet. */
  readonly #leaving = new Set<Connection>();
  readonly #named = new Map<string, Connection>();
  #sweep: Timer | undefined;
  #emptied: (() => void) | undefined;

  constructor(options: ConnectionTableOptions) {
    this.clock = options.clock;
    this.limits = options.limits;
    this.messages = options.messages;
    this.counters = options.counters;
    this.connect = options.connect;
    this.sent = options.sent ?? (() => {});
  }

  /** Connections open, those being dialled included. */
  get size(): number {
    return this.#open.size;
  }

  add(connection: Connection): void {
    if (this.#open.size >= this.limits.connections) {
      const [longestIdle] = this.#open;
      longestIdle?.close('closedGaveWay', 'more connections were wanted than may be open');
    }
    connection.lastActive = this.clock.now();
    this.#open.add(connection);
    this.#sweep ??= this.clock.schedule(this.limits.idleMs, this, 'idle');
  }

  /** There was traffic. */
  touch(connection: Connection): void {
    if (!this.#open.delete(connection)) return;
    connection.lastActive = this.clock.now();
    this.#open.add(connection);
  }

  /** It has closed; its socket may still linger. */
  remove(connection: Connection): void {
    this.#open.delete(connection);
    this.#leaving.add(connection);
    for (const name of connection.names) if (this.#named.get(name) === connection) this.#named.delete(name);
  }

  /** Its socket is gone. */
  gone(connection: Connection): void {
    this.#leaving.delete(connection);
    if (this.#open.size === 0 && this.#leaving.size === 0) this.#emptied?.();
  }

  find(name: string): Connection | undefined {
    return this.#named.get(name);
  }

  /**
   * Lets a connection be found by a name. One that another connection has is given over only where both are of
   * the same address: a peer that reconnects gets its name back, and a stranger can't take it.
   */
  claim(name: string, connection: Connection): void {
    const holder = this.#named.get(name);
    if (holder === connection || !connection.open || connection.names.size >= MAX_NAMES) return;
    if (holder !== undefined && holder.remoteAddress !== connection.remoteAddress) return;
    this.#named.set(name, connection);
    connection.names.add(name);
  }

  onTimer(): void {
    const { idleMs } = this.limits;
    const now = this.clock.now();
    this.#sweep = undefined;
    for (const connection of this.#open) {
      const due = connection.lastActive + idleMs - now;
      if (due > 0) {
        this.#sweep = this.clock.schedule(due, this, 'idle');
        return;
      }
      connection.close('closedIdle', `nothing was said for ${idleMs} ms`);
    }
  }

  /** Ends every connection; resolves when the last socket is gone. */
  async close(): Promise<void> {
    this.#sweep?.cancel();
    this.#sweep = undefined;
    for (const connection of [...this.#open]) connection.close('closedByUs', 'the network is closing');
    if (this.#leaving.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
  }
}
