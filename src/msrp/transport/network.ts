/** MSRP over TCP and TLS: a port or a range of them to hear on, and connections to peers. */
import { X509Certificate } from 'node:crypto';
import { connect as connectTcp, createServer as createTcpServer, isIP, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { bindServer, closeServer } from '../../sip/transport/listener.ts';
import type { Clock } from '../../time/clock.ts';
import type { Carrier, CarrierTarget, CarrierUser } from '../carrier.ts';
import { type MsrpCounters, msrpCounters } from '../counters.ts';
import type { MsrpLimits } from '../limits.ts';
import type { MediaNetwork } from '../relay/relay.ts';
import { MsrpConnection } from './connection.ts';
import { READ_SHARED, readingShared } from './reading.ts';

/** First and last port; the same twice for one, 0 for a free one. */
export type PortRange = readonly [number, number];

export interface MsrpNetworkOptions {
  readonly clock: Clock;
  readonly limits: MsrpLimits;
  /** IP address to hear on. */
  readonly address: string;
  /** Host in our descriptions; by default the address. */
  readonly advertise?: string;
  readonly ports: PortRange;
  readonly tls?: MsrpTls;
}

/** Certificates as PEM text. */
export interface MsrpTls {
  readonly ports: PortRange;
  readonly cert: string;
  readonly key: string;
  /** Authorities for peers whose descriptions name no fingerprint; absent: those Node comes with. */
  readonly ca?: string;
}

/** Lone small messages leave at once; a vanished peer is noticed after a while. */
const SOCKET_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 } as const;
/** RFC 7525 3.1.1 */
const MIN_VERSION = 'TLSv1.2';

export class MsrpNetwork implements MediaNetwork {
  readonly host: string;
  readonly ports: readonly number[];
  readonly securePorts: readonly number[];
  readonly fingerprint: string | null;
  /** Of the relay above, once there is one. */
  counters: MsrpCounters = msrpCounters();
  onConnection!: (carrier: Carrier) => CarrierUser;
  readonly #options: MsrpNetworkOptions;
  readonly #servers: readonly Server[];
  readonly #open = new Set<MsrpConnection>();

  private constructor(options: MsrpNetworkOptions, heard: Heard, secure: Heard) {
    this.#options = options;
    this.host = options.advertise ?? options.address;
    this.ports = heard.ports;
    this.securePorts = secure.ports;
    this.fingerprint = options.tls === undefined ? null : new X509Certificate(options.tls.cert).fingerprint256;
    this.#servers = [...heard.servers, ...secure.servers];
  }

  /**
   * Hears on every port of the ranges that is free. Throws where none is: paths name ports, so a relay without one
   * could not be reached.
   */
  static async listen(options: MsrpNetworkOptions): Promise<MsrpNetwork> {
    let network: MsrpNetwork | undefined;
    const take = (socket: Socket): void => {
      if (network === undefined) socket.destroy();
      else network.#accept(socket);
    };
    const { tls } = options;
    const heard = await hear(options.address, options.ports, () =>
      createTcpServer(SOCKET_OPTIONS, (socket) => take(readingShared(socket))),
    );
    const secure =
      tls === undefined
        ? NOTHING
        : await hear(options.address, tls.ports, () => tlsServer(tls, options, take)).catch(async (error) => {
            await Promise.all(heard.servers.map(closeServer));
            throw error;
          });
    network = new MsrpNetwork(options, heard, secure);
    return network;
  }

  get connections(): number {
    return this.#open.size;
  }

  #accept(socket: Socket): void {
    if (this.#open.size >= this.#options.limits.connections || socket.remoteAddress === undefined) {
      this.counters.refused++;
      socket.destroy();
      return;
    }
    this.counters.accepted++;
    const connection = this.#carry(socket, false);
    connection.use(this.onConnection(connection));
  }

  dial(target: CarrierTarget, user: (carrier: Carrier) => CarrierUser): void {
    const { host, port } = target;
    const socket = target.secure
      ? this.#dialTls(target)
      : connectTcp({ host, port, ...SOCKET_OPTIONS, ...READ_SHARED });
    const connection = this.#carry(socket, true);
    connection.use(user(connection));
  }

  /** RFC 4975 14.4: a certificate that the description names by fingerprint needs no authority. */
  #dialTls({ host, port, fingerprint }: CarrierTarget): TLSSocket {
    const { tls } = this.#options;
    const own = tls === undefined ? {} : { cert: tls.cert, key: tls.key };
    const ca = tls?.ca === undefined ? {} : { ca: tls.ca };
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = connectTls({
      host,
      port,
      ...own,
      ...ca,
      ...name,
      minVersion: MIN_VERSION,
      rejectUnauthorized: fingerprint === undefined,
    });
    socket.setNoDelay(true);
    if (fingerprint !== undefined) {
      socket.prependOnceListener('secureConnect', () => {
        if (socket.getPeerCertificate().fingerprint256 !== fingerprint) {
          socket.destroy(new Error('the certificate is not the one of the description'));
        }
      });
    }
    return socket;
  }

  #carry(socket: Socket, dialled: boolean): MsrpConnection {
    const { clock, limits } = this.#options;
    const connection = new MsrpConnection(socket, {
      clock,
      limits,
      counters: () => this.counters,
      dialled,
      gone: (gone) => this.#open.delete(gone),
    });
    this.#open.add(connection);
    return connection;
  }

  async close(): Promise<void> {
    for (const connection of [...this.#open]) connection.close(false);
    await Promise.all(this.#servers.map(closeServer));
  }
}

interface Heard {
  readonly servers: readonly Server[];
  readonly ports: readonly number[];
}

const NOTHING: Heard = { servers: [], ports: [] };

function tlsServer(tls: MsrpTls, { limits }: MsrpNetworkOptions, take: (socket: Socket) => void): Server {
  const { cert, key } = tls;
  const server = createTlsServer(
    // The certificate is asked for, and compared with the peer's description once it is known whose it is.
    {
      ...SOCKET_OPTIONS,
      cert,
      key,
      minVersion: MIN_VERSION,
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: limits.connectMs,
    },
    take,
  );
  // A failed handshake is the peer's matter; its socket is closed.
  server.on('tlsClientError', () => {});
  return server;
}

async function hear(address: string, [first, last]: PortRange, create: () => Server): Promise<Heard> {
  const servers: Server[] = [];
  const ports: number[] = [];
  let problem: unknown;
  for (let port = first; port <= last; port++) {
    const server = create();
    try {
      ports.push(await bindServer(server, address, port));
      // Out of file descriptors, or the like: the peer will try again.
      server.on('error', () => {});
      servers.push(server);
    } catch (error) {
      problem = error;
    }
  }
  if (servers.length > 0) return { servers, ports };
  const { message } = problem as Error;
  throw new Error(
    `cannot listen for MSRP on ${address}, ports ${first} to ${last} (${message}); choose others, 0 takes a free one`,
  );
}
