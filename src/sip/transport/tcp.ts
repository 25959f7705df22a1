/** SIP over TCP: listening and dialling. */
import { connect, createServer } from 'node:net';
import type { Target } from '../flow.ts';
import type { Connection } from './connection.ts';
import type { ConnectionTable } from './connection-table.ts';
import { bindServer, closeServer, type Listener } from './listener.ts';
import { KEEP_ALIVE_MS, StreamConnection } from './stream.ts';

/** Small messages leave at once: waiting for more, as Nagle does, costs a round trip and saves nothing. */
export const SOCKET_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS } as const;

export async function listenTcp(table: ConnectionTable, address: string, port: number): Promise<Listener> {
  const server = createServer(SOCKET_OPTIONS, (socket) => {
    const { remoteAddress, remotePort } = socket;
    // The peer may be gone before it is looked at.
    if (remoteAddress === undefined || remotePort === undefined) {
      socket.destroy();
      return;
    }
    table.counters.accepted++;
    new StreamConnection(table, socket, { transport: 'TCP', address: remoteAddress, port: remotePort });
  });
  const bound = await bindServer(server, address, port);
  // The process is out of file descriptors, or the like: the peer will try again, and we go on with the others.
  server.on('error', () => table.counters.refused++);
  return { address, port: bound, close: () => closeServer(server) };
}

/** Dials; throws where the target can't even be tried. `from` is the local address to leave from. */
export function dialTcp(table: ConnectionTable, target: Target, from: string | undefined): Connection {
  const { address, port } = target;
  const source = from === undefined ? {} : { localAddress: from };
  const socket = connect({ host: address, port, ...SOCKET_OPTIONS, ...source });
  return new StreamConnection(table, socket, { transport: 'TCP', address, port, target });
}
