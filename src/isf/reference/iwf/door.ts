/**
 * Connections that peers open: whose they are, the To-Path of the first request says (RFC 4975 5.4). Until then the
 * bytes are kept, within bounds of length and time.
 */
import type { Carrier, CarrierUser } from '../../../msrp/carrier.ts';
import type { MsrpNetwork } from '../../../msrp/transport/network.ts';
import type { Clock, Timer, TimerOwner } from '../../../time/clock.ts';

/** Bytes before a To-Path has to be there: a start line and a path through a few relays. */
const LONGEST_START = 4096;
const START = /^MSRP [^\r\n]*\r\n(?:[^\r\n]+\r\n)*?To-Path: *(\S+)[^\r\n]*\r\n/i;

/** Who takes a connection, with what has come over it already. */
export type Host = (carrier: Carrier) => CarrierUser;

export class MsrpDoor {
  readonly #hosts = new Map<string, Host>();
  readonly #clock: Clock;
  readonly #openMs: number;
  readonly network: MsrpNetwork;
  /** Connections that named nobody here. */
  strangers = 0;

  constructor(network: MsrpNetwork, clock: Clock, openMs: number) {
    this.network = network;
    this.#clock = clock;
    this.#openMs = openMs;
    network.onConnection = (carrier) => new Newcomer(carrier, this);
  }

  expect(uri: string, host: Host): void {
    this.#hosts.set(uri, host);
  }

  forget(uri: string): void {
    this.#hosts.delete(uri);
  }

  hostOf(uri: string): Host | undefined {
    return this.#hosts.get(uri);
  }

  awaitName(owner: TimerOwner): Timer {
    return this.#clock.schedule(this.#openMs, owner, 'unnamed');
  }
}

class Newcomer implements CarrierUser, TimerOwner {
  readonly #carrier: Carrier;
  readonly #door: MsrpDoor;
  readonly #limit: Timer;
  #start: Buffer = Buffer.alloc(0);
  #user: CarrierUser | undefined;

  constructor(carrier: Carrier, door: MsrpDoor) {
    this.#carrier = carrier;
    this.#door = door;
    this.#limit = door.awaitName(this);
  }

  onOpen(): void {}

  onData(bytes: Buffer): void {
    if (this.#user !== undefined) return this.#user.onData(bytes);
    this.#start = Buffer.concat([this.#start, bytes]);
    const named = START.exec(this.#start.toString('latin1', 0, LONGEST_START))?.[1];
    const host = named === undefined ? undefined : this.#door.hostOf(named);
    if (host !== undefined) this.#enter(host);
    else if (named !== undefined || this.#start.length > LONGEST_START) this.onTimer();
  }

  #enter(host: Host): void {
    this.#limit.cancel();
    this.#user = host(this.#carrier);
    this.#user.onData(this.#start);
    this.#start = Buffer.alloc(0);
  }

  onDrain(): void {
    this.#user?.onDrain();
  }

  onClosed(reason: string): void {
    this.#limit.cancel();
    this.#user?.onClosed(reason);
  }

  /** It named nobody here, or nobody in time. */
  onTimer(): void {
    this.#door.strangers++;
    this.#limit.cancel();
    this.#carrier.close(false);
  }
}
