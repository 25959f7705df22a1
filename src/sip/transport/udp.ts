/** SIP over UDP (RFC 3261 18). One socket, any number of peers. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Flow, SendFailure } from '../flow.ts';

/** A peer reached through a UDP socket. */
class UdpFlow implements Flow {
  readonly transport = 'UDP';
  readonly reliable = false;
  readonly open = true;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #socket: Socket;

  constructor(socket: Socket, address: string, port: number) {
    this.#socket = socket;
    this.remoteAddress = address;
    this.remotePort = port;
  }

  send(bytes: Uint8Array, failure?: SendFailure): void {
    try {
      if (failure === undefined) this.#socket.send(bytes, 0, bytes.length, this.remotePort, this.remoteAddress);
      else {
        this.#socket.send(bytes, 0, bytes.length, this.remotePort, this.remoteAddress, (error) => {
          if (error !== null) failure.onTransportError(error.message);
        });
      }
    } catch (error) {
      failure?.onTransportError((error as Error).message);
    }
  }

  redirect(address: string, port: number): Flow {
    return new UdpFlow(this.#socket, address, port);
  }
}

export interface UdpListener {
  readonly port: number;
  flowTo(address: string, port: number): Flow;
  close(): Promise<void>;
}

/** Opens a UDP socket. Port 0 takes a free one. */
export async function listenUdp(
  address: string,
  port: number,
  receive: (bytes: Uint8Array, flow: Flow) => void,
): Promise<UdpListener> {
  const socket = createSocket({
    type: isIPv6(address) ? 'udp6' : 'udp4',
    // Bursts of a few thousand messages must survive until the loop comes round.
    recvBufferSize: 4_194_304,
    sendBufferSize: 4_194_304,
    // Addresses are literal here; the default would ask the operating system for each datagram.
    lookup: (host, _options, done) => done(null, host, isIPv6(host) ? 6 : 4),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  // Errors of single sends come to their callback; what is left belongs to nobody.
  socket.on('error', () => {});
  socket.on('message', (bytes, peer) => receive(bytes, new UdpFlow(socket, peer.address, peer.port)));
  return {
    port: socket.address().port,
    flowTo: (peer, peerPort) => new UdpFlow(socket, peer, peerPort),
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
