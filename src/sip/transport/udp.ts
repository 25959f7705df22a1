/** SIP over UDP (RFC 3261 18). One socket, any number of peers. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { type Departing, leaveAtEndOfTurn } from '../../host/end-of-turn.ts';
import type { Flow, SendFailure, SentTap } from '../flow.ts';
import type { TransportCounters } from './counters.ts';
import type { Listener } from './listener.ts';

/** Datagrams that wait for the end of a turn before they leave all the same: each is memory. */
const MOST_WAITING = 256;

interface Datagram {
  readonly bytes: Uint8Array;
  readonly flow: UdpFlow;
  readonly failure: SendFailure | undefined;
}

/** What is sent through one socket: it leaves together, at the end of the turn. */
class Departures implements Departing {
  readonly #socket: Socket;
  #waiting: Datagram[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  add(datagram: Datagram): void {
    if (this.#waiting.push(datagram) === 1) leaveAtEndOfTurn(this);
    else if (this.#waiting.length > MOST_WAITING) this.leave();
  }

  leave(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const datagram of waiting) this.#send(datagram);
  }

  #send({ bytes, flow, failure }: Datagram): void {
    try {
      if (failure === undefined) this.#socket.send(bytes, flow.remotePort, flow.remoteAddress);
      else {
        this.#socket.send(bytes, flow.remotePort, flow.remoteAddress, (error) => {
          if (error !== null) failure.onTransportError(error.message);
        });
      }
    } catch (error) {
      // A port of 0, or a socket that has been closed. Told later: whoever sends may be in the middle of its own change.
      if (failure !== undefined) queueMicrotask(() => failure.onTransportError((error as Error).message));
    }
  }
}

/** A peer reached through a UDP socket. */
class UdpFlow implements Flow {
  readonly transport = 'UDP';
  readonly reliable = false;
  readonly open = true;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #departures: Departures;
  readonly #sent: SentTap;

  constructor(departures: Departures, address: string, port: number, sent: SentTap) {
    this.#departures = departures;
    this.#sent = sent;
    this.remoteAddress = address;
    this.remotePort = port;
  }

  send(bytes: Uint8Array, failure?: SendFailure): void {
    this.#sent(bytes, this);
    this.#departures.add({ bytes, flow: this, failure });
  }

  redirect(address: string, port: number): Flow {
    return new UdpFlow(this.#departures, address, port, this.#sent);
  }
}

/**
 * The flows of the peers that spoke last, so that one which speaks often, as a proxy does, has the same for every message.
 * A place for each remainder of a port: whoever sends from many takes no more.
 */
class RecentFlows {
  readonly #flows: (UdpFlow | undefined)[] = new Array(PLACES).fill(undefined);
  readonly #departures: Departures;
  readonly #sent: SentTap;

  constructor(departures: Departures, sent: SentTap) {
    this.#departures = departures;
    this.#sent = sent;
  }

  flowTo(address: string, port: number): UdpFlow {
    const place = port % PLACES;
    const known = this.#flows[place];
    if (known !== undefined && known.remotePort === port && known.remoteAddress === address) return known;
    const flow = new UdpFlow(this.#departures, address, port, this.#sent);
    this.#flows[place] = flow;
    return flow;
  }
}

/** A power of two. */
const PLACES = 64;

export interface UdpListener extends Listener {
  flowTo(address: string, port: number): Flow;
}

/** Opens a UDP socket. Port 0 takes a free one. */
export async function listenUdp(
  address: string,
  port: number,
  counters: TransportCounters,
  receive: (bytes: Uint8Array, flow: Flow) => void,
  sent: SentTap = () => {},
): Promise<UdpListener> {
  const six = isIPv6(address);
  const socket = createSocket({
    type: six ? 'udp6' : 'udp4',
    // So that `0.0.0.0` and `::` can have the same port, and no peer appears under a mapped address.
    ...(six ? { ipv6Only: true } : {}),
    // Bursts of a few thousand messages must survive until the loop comes round.
    recvBufferSize: 4_194_304,
    sendBufferSize: 4_194_304,
    // Addresses are literal here; the default would ask the operating system for each datagram.
    lookup: (host, _options, done) => done(null, host, six ? 6 : 4),
  });
  try {
    await bind(socket, address, port);
  } catch (error) {
    socket.close();
    throw error;
  }
  const departures = new Departures(socket);
  const flows = new RecentFlows(departures, sent);
  // Errors of single sends come to their callback; what is left belongs to nobody.
  socket.on('error', () => {});
  socket.on('message', (bytes, peer) => {
    // A SIP message begins with a letter; only what does not is looked at more closely.
    if ((bytes[0] as number) < 0x40 && isKeepAlive(bytes, counters)) return;
    receive(bytes, flows.flowTo(peer.address, peer.port));
  });
  return {
    address,
    port: socket.address().port,
    flowTo: (peer, peerPort) => flows.flowTo(peer, peerPort),
    close: () => {
      departures.leave();
      return new Promise((resolve) => socket.close(() => resolve()));
    },
  };
}

function bind(socket: Socket, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}

/** RFC 5626 3.5: CRLFs or STUN from a peer that keeps its way through a NAT open. Neither is SIP, neither is answered. */
function isKeepAlive(bytes: Uint8Array, counters: TransportCounters): boolean {
  if (isStun(bytes)) counters.datagramStun++;
  else if (bytes.every((byte) => byte === 0x0d || byte === 0x0a)) counters.datagramKeepAlives++;
  else return false;
  return true;
}

/** RFC 5389 6: two zero bits, and the magic cookie behind type and length. */
function isStun(bytes: Uint8Array): boolean {
  return bytes.length >= 20 && bytes[4] === 0x21 && bytes[5] === 0x12 && bytes[6] === 0xa4 && bytes[7] === 0x42;
}
