/**
 * SIP over TCP for sip.js in Node, which has only a WebSocket transport for browsers. It fits sip.js's `UserAgent`
 * (`transportConstructor`, `transportOptions`) and, since that is a part of it, a bare `UserAgentCore`.
 *
 * A sip.js core has one transport for all its peers and hands it text. So the transport keeps a connection for each peer
 * and chooses by the message: a response goes back over the connection its request came on, or where its Via says once
 * that has closed; a request goes to `peer` where there is one, else to its first Route or its Request-URI, over a
 * connection to that place that is open already, whoever opened it (RFC 5923), or a new one. Names are looked up as
 * addresses only: no NAPTR, no SRV.
 */
import { connect, createServer, isIPv4, type Server, type Socket } from 'node:net';
import { EmitterImpl } from 'sip.js/lib/api/emitter.js';
import type { Transport } from 'sip.js/lib/api/transport.js';
import { TransportState } from 'sip.js/lib/api/transport-state.js';
import { type Logger, TransportError } from 'sip.js/lib/core/index.js';
import { parseMessage } from '../sip/message/parse.ts';
import { DEFAULT_TRANSPORT_LIMITS } from '../sip/transport/limits.ts';
import { bytesOfText, textOf, textOfBytes } from './messages.ts';
import { TcpConnection } from './tcp-connection.ts';
import { hostPort, nextHop, noteOrigin, origin, type Place, returnPlace } from './way.ts';

export interface TcpTransportOptions {
  /** Takes connections here; port 0 is a free one. Without it the transport only connects. */
  readonly listen?: Place;
  /** Every request goes here, an outbound proxy. Connected to at once, and the transport lives and dies with it. */
  readonly peer?: Place;
}

export class TcpTransport implements Transport {
  readonly protocol = 'TCP';
  readonly stateChange = new EmitterImpl<TransportState>();
  onConnect: (() => void) | undefined;
  onDisconnect: ((error?: Error) => void) | undefined;
  onMessage: ((message: string) => void) | undefined;
  readonly #logger: Logger;
  readonly #options: TcpTransportOptions;
  readonly #connections = new Map<string, TcpConnection>();
  #state = TransportState.Disconnected;
  #server: Server | undefined;
  #listening: Place | undefined;
  #connecting: Promise<void> | undefined;

  constructor(logger: Logger, options: TcpTransportOptions) {
    this.#logger = logger;
    this.#options = options;
  }

  get state(): TransportState {
    return this.#state;
  }

  isConnected(): boolean {
    return this.#state === TransportState.Connected;
  }

  /** Where it listens, with the port it got; undefined where it does not. */
  get listening(): Place | undefined {
    return this.#listening;
  }

  /** Listens, and connects to `peer`. */
  connect(): Promise<void> {
    if (this.isConnected()) return Promise.resolve();
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #open(): Promise<void> {
    this.#become(TransportState.Connecting);
    try {
      const { listen, peer } = this.#options;
      if (listen !== undefined) await this.#listen(listen);
      if (peer !== undefined) await this.#dial(peer).opened;
    } catch (error) {
      await this.#shut();
      this.#become(TransportState.Disconnected);
      throw error;
    }
    this.#become(TransportState.Connected);
    this.onConnect?.();
  }

  async #listen({ host, port }: Place): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    server.maxConnections = DEFAULT_TRANSPORT_LIMITS.connections;
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', (error) => this.#logger.warn(`listening: ${error.message}`));
    const bound = server.address();
    this.#listening = { host, port: typeof bound === 'object' && bound !== null ? bound.port : port };
  }

  #accept(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    // The peer may be gone before it is looked at.
    if (remoteAddress === undefined || remotePort === undefined) socket.destroy();
    else this.#keep(socket, { host: plainAddress(remoteAddress), port: remotePort });
  }

  #dial(place: Place): { readonly connection: TcpConnection; readonly opened: Promise<void> } {
    const socket = connect({ host: place.host, port: place.port });
    const tooLong = (): void => void socket.destroy(new Error('no answer to the connection attempt'));
    const limit = setTimeout(tooLong, DEFAULT_TRANSPORT_LIMITS.connectMs);
    socket.once('connect', () => clearTimeout(limit));
    socket.once('close', () => clearTimeout(limit));
    const opened = new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error) => reject(new TransportError(`${hostPort(place)}: ${error.message}`)));
    });
    // Whoever sends hears of a failure by its own message; only `connect` waits for this.
    opened.catch(() => {});
    return { connection: this.#keep(socket, place), opened };
  }

  #keep(socket: Socket, remote: Place): TcpConnection {
    const connection = new TcpConnection(socket, remote, {
      onMessage: (bytes, from) => this.#receive(bytes, from),
      onClose: (closed, error) => this.#forget(closed, error),
    });
    this.#connections.set(hostPort(remote), connection);
    return connection;
  }

  #receive(bytes: Uint8Array, from: Place): void {
    const { message } = parseMessage(bytes);
    if (message === undefined) {
      this.onMessage?.(textOfBytes(bytes));
      return;
    }
    noteOrigin(message, from);
    this.onMessage?.(textOf(message));
  }

  #forget(connection: TcpConnection, error: Error | undefined): void {
    const key = hostPort(connection.remote);
    if (this.#connections.get(key) === connection) this.#connections.delete(key);
    const { peer } = this.#options;
    if (peer === undefined || key !== hostPort(peer) || !this.isConnected()) return;
    const cause = error ?? new Error(`${key} has closed the connection`);
    void this.#shut();
    this.#become(TransportState.Disconnected);
    this.onDisconnect?.(cause);
  }

  send(message: string): Promise<void> {
    if (!this.isConnected()) return Promise.reject(new TransportError('not connected'));
    const bytes = bytesOfText(message);
    const connection = this.#connectionFor(bytes);
    if (connection === undefined) return Promise.reject(new TransportError('no way to where the message should go'));
    return connection.send(bytes);
  }

  #connectionFor(bytes: Uint8Array): TcpConnection | undefined {
    const { message } = parseMessage(bytes);
    if (message === undefined) return undefined;
    const place = message.kind === 'response' ? origin(message) : (this.#options.peer ?? nextHop(message));
    const open = place === undefined ? undefined : this.#connections.get(hostPort(place));
    if (open !== undefined) return open;
    const target = message.kind === 'response' ? returnPlace(message) : place;
    if (target === undefined) return undefined;
    return this.#connections.get(hostPort(target)) ?? this.#dial(target).connection;
  }

  /** Stops listening and closes every connection. */
  async disconnect(): Promise<void> {
    if (this.#state === TransportState.Disconnected) return;
    this.#become(TransportState.Disconnecting);
    await this.#shut();
    this.#become(TransportState.Disconnected);
    this.onDisconnect?.();
  }

  async #shut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#listening = undefined;
    const closed = new Promise<void>((resolve) => {
      if (server === undefined) resolve();
      else server.close(() => resolve());
    });
    for (const connection of [...this.#connections.values()]) connection.close();
    await closed;
  }

  async dispose(): Promise<void> {
    await this.disconnect();
    this.stateChange.removeAllListeners();
  }

  #become(state: TransportState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.stateChange.emit(state);
  }
}

/** An IPv4 peer of a socket that listens for both kinds. */
function plainAddress(address: string): string {
  const inner = address.replace(/^::ffff:/i, '');
  return isIPv4(inner) ? inner : address;
}
