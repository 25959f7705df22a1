/** A network without sockets: what is sent arrives after a delay, or twice, or never, as the weather has it. */
import type { Flow, SendFailure, Target, TransportName } from '../sip/flow.ts';
import { wireOfBytes } from '../sip/message/bytes.ts';
import type { Network } from '../sip/network.ts';
import type { Clock, Timer } from '../time/clock.ts';

/** One message on its way. */
export interface Passage {
  /** ms since the epoch, when it was sent. */
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly transport: TransportName;
  /** The message as a wire string. */
  readonly message: string;
}

/** When the copies of a message arrive, in ms after it was sent: `[1]` is fine, `[]` is lost, `[1, 1]` comes twice. */
export type Weather = (passage: Passage) => readonly number[];

/** Sees every message when it is sent, and again each time a copy of it arrives where somebody listens. */
export interface NetworkWatcher {
  sent(passage: Passage): void;
  arrived(passage: Passage): void;
}

/** A copy of a message that is under way. */
export interface Flight {
  /** Copies are numbered from 1 in the order in which they set out. */
  readonly id: number;
  readonly passage: Passage;
  /** ms since the epoch. */
  readonly arrivesAt: number;
}

interface UnderWay extends Flight {
  readonly bytes: Uint8Array;
  readonly timer: Timer;
}

type Receiver = (bytes: Uint8Array, flow: Flow) => void;

const FAIR: Weather = () => [1];

export class VirtualNetwork {
  readonly #clock: Clock;
  readonly #receivers = new Map<string, { node: VirtualNode; receive: Receiver }>();
  readonly #flights = new Map<number, UnderWay>();
  #copies = 0;
  /** Everything that was sent, lost messages included. */
  readonly transcript: Passage[] = [];
  weather: Weather = FAIR;
  watcher: NetworkWatcher | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Puts somebody at an address, `10.0.0.1:5060`. */
  attach(address: string, receive: Receiver): VirtualNode {
    const node = new VirtualNode(this, address);
    this.#receivers.set(address, { node, receive });
    return node;
  }

  detach(address: string): void {
    this.#receivers.delete(address);
  }

  transmit(from: string, to: string, transport: TransportName, bytes: Uint8Array, failure?: SendFailure): void {
    const passage: Passage = { at: this.#clock.now(), from, to, transport, message: wireOfBytes(bytes) };
    this.transcript.push(passage);
    this.watcher?.sent(passage);
    // Over a connection, nobody listening is noticed; a datagram is just gone.
    if (transport !== 'UDP' && !this.#receivers.has(to)) {
      this.#clock.schedule(1, { onTimer: () => failure?.onTransportError('connection refused') }, 'refused');
      return;
    }
    for (const delay of this.weather(passage)) this.#setOut(passage, bytes, delay);
  }

  #setOut(passage: Passage, bytes: Uint8Array, delay: number, id = ++this.#copies): void {
    const timer = this.#clock.schedule(delay, { onTimer: () => this.#arrive(id, passage, bytes) }, 'arrival');
    this.#flights.set(id, { id, passage, arrivesAt: timer.dueAt, bytes, timer });
  }

  // --- what is under way ---------------------------------------------------------------------------------------

  /** Copies that have set out and not arrived, the oldest first. */
  get flights(): readonly Flight[] {
    return [...this.#flights.values()];
  }

  /** This copy never arrives. False where it is not under way. */
  drop(id: number): boolean {
    this.#flights.get(id)?.timer.cancel();
    return this.#flights.delete(id);
  }

  /** This copy takes so much longer, ms. */
  delay(id: number, ms: number): boolean {
    const flight = this.#flights.get(id);
    if (flight === undefined) return false;
    flight.timer.cancel();
    this.#setOut(flight.passage, flight.bytes, flight.arrivesAt + ms - this.#clock.now(), id);
    return true;
  }

  /** A second copy arrives so much after this one, ms. */
  double(id: number, ms: number): boolean {
    const flight = this.#flights.get(id);
    if (flight !== undefined) {
      this.#setOut(flight.passage, flight.bytes, flight.arrivesAt + ms - this.#clock.now());
    }
    return flight !== undefined;
  }

  #arrive(id: number, passage: Passage, bytes: Uint8Array): void {
    this.#flights.delete(id);
    const receiver = this.#receivers.get(passage.to);
    if (receiver === undefined) return;
    this.watcher?.arrived(passage);
    receiver.receive(bytes, new VirtualFlow(receiver.node, passage.from, passage.transport));
  }
}

/** The network as one host sees it. */
export class VirtualNode implements Network {
  readonly address: string;
  readonly #network: VirtualNetwork;
  /** True once its process is gone: it sends nothing any more. */
  dead = false;

  constructor(network: VirtualNetwork, address: string) {
    this.#network = network;
    this.address = address;
  }

  connect(target: Target): Flow | undefined {
    return new VirtualFlow(this, `${target.address}:${target.port}`, target.transport);
  }

  transmit(to: string, transport: TransportName, bytes: Uint8Array, failure?: SendFailure): void {
    if (!this.dead) this.#network.transmit(this.address, to, transport, bytes, failure);
  }

  speaks(transport: TransportName): boolean {
    return transport === 'UDP' || transport === 'TCP';
  }

  sentBy(): string {
    return this.address;
  }

  isOwn(host: string, port: number | undefined): boolean {
    return `${host}:${port ?? 5060}` === this.address;
  }

  maxDatagram(): number {
    return 65_000;
  }
}

class VirtualFlow implements Flow {
  readonly transport: TransportName;
  readonly reliable: boolean;
  readonly open = true;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #node: VirtualNode;

  constructor(node: VirtualNode, remote: string, transport: TransportName) {
    const colon = remote.lastIndexOf(':');
    this.#node = node;
    this.transport = transport;
    this.reliable = transport !== 'UDP';
    this.remoteAddress = remote.slice(0, colon);
    this.remotePort = Number(remote.slice(colon + 1));
  }

  send(bytes: Uint8Array, failure?: SendFailure): void {
    this.#node.transmit(`${this.remoteAddress}:${this.remotePort}`, this.transport, bytes, failure);
  }

  redirect(address: string, port: number): Flow {
    return new VirtualFlow(this.#node, `${address}:${port}`, this.transport);
  }
}
