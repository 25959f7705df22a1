/** The network of a peer that is played by hand (`Peer`), on a socket of its own. */
import type { Socket } from 'node:dgram';
import type { PeerNetwork } from '../testing/index.ts';

/** Carries the messages of the one peer that the socket belongs to; whatever address it says it has. */
export function datagramPeers(socket: Socket): PeerNetwork {
  return {
    attach: (_address, receive) => socket.on('message', (bytes) => receive(bytes)),
    transmit: (_from, to, _transport, bytes) => {
      const colon = to.lastIndexOf(':');
      socket.send(bytes, Number(to.slice(colon + 1)), to.slice(0, colon));
    },
  };
}
