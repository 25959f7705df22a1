/** SIP over TLS (RFC 3261 26.2, certificates RFC 5922, connection reuse RFC 5923). */
import { isIP } from 'node:net';
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  createServer,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { Target } from '../flow.ts';
import { paramOf } from '../message/params.ts';
import { parseMessage } from '../message/parse.ts';
import { defaultPort } from '../message/via.ts';
import type { Connection } from './connection.ts';
import type { ConnectionTable } from './connection-table.ts';
import { Handshakes } from './handshakes.ts';
import { bindServer, closeServer, type Listener } from './listener.ts';
import { StreamConnection } from './stream.ts';
import { SOCKET_OPTIONS } from './tcp.ts';

/** Certificates as PEM text. */
export interface TlsMaterial {
  /** Our certificate chain; shown to peers that connect and to those we connect to. */
  readonly cert: string;
  readonly key: string;
  /** Authorities whose certificates are believed; absent: those Node comes with. */
  readonly ca?: string;
  /** Peers that connect must show a certificate of those authorities; without one they are refused. */
  readonly requestCert?: boolean;
}

/** RFC 7525 3.1.1: nothing older is safe. */
const MIN_VERSION = 'TLSv1.2';

/** Reads the PEM texts; throws an Error that says which of them is no good. */
export function secureContextOf(material: TlsMaterial): SecureContext {
  const { cert, key, ca } = material;
  try {
    return createSecureContext({ cert, key, minVersion: MIN_VERSION, ...(ca === undefined ? {} : { ca }) });
  } catch (error) {
    const detail = (error as Error).message;
    throw new Error(`tls: cert, key or ca can't be used (${detail}). Give PEM text, and the key of the certificate.`, {
      cause: error,
    });
  }
}

/** Options every server of ours has, TLS and WSS alike. */
export function serverOptions(table: ConnectionTable, material: TlsMaterial) {
  const { cert, key, ca, requestCert = false } = material;
  return {
    ...SOCKET_OPTIONS,
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    requestCert,
    rejectUnauthorized: requestCert,
    minVersion: MIN_VERSION,
    handshakeTimeout: table.limits.connectMs,
  } as const;
}

export async function listenTls(
  table: ConnectionTable,
  address: string,
  port: number,
  material: TlsMaterial,
): Promise<Listener> {
  secureContextOf(material);
  const handshakes = new Handshakes(table.clock, table.limits, table.counters);
  const server = createServer(serverOptions(table, material), (socket) => {
    handshakes.done(socket);
    accept(table, socket);
  });
  const bound = await bindServer(server, address, port);
  server.on('connection', (socket) => handshakes.begin(socket));
  // A failed handshake has been counted when its socket closed.
  server.on('tlsClientError', () => {});
  server.on('error', () => table.counters.refused++);
  return {
    address,
    port: bound,
    close: () => {
      handshakes.close();
      return closeServer(server);
    },
  };
}

function accept(table: ConnectionTable, socket: TLSSocket): void {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) {
    socket.destroy();
    return;
  }
  table.counters.accepted++;
  const options = { transport: 'TLS', address: remoteAddress, port: remotePort } as const;
  if (!socket.authorized) {
    new StreamConnection(table, socket, options);
    return;
  }
  const certificate = socket.getPeerCertificate();
  const connection = new StreamConnection(table, socket, { ...options, learn: learnAlias });
  connection.proves = (name) => identityFault(name, certificate) === undefined;
}

/**
 * RFC 5923 5 and 8.2: a peer that puts `alias` into its Via asks for our requests on this connection. It gets them
 * only for an address whose name its certificate proves; otherwise anybody could draw a neighbour's traffic.
 */
function learnAlias(bytes: Uint8Array, connection: Connection): boolean {
  const { message } = parseMessage(bytes);
  const via = message?.kind === 'request' ? message.via : undefined;
  if (via === undefined || paramOf(via.params, 'alias') === undefined) return false;
  if (connection.proves?.(via.host.replace(/^\[|\]$/g, '')) !== true) return false;
  connection.table.claim(aliasName(connection.remoteAddress, via.port ?? defaultPort('TLS')), connection);
  return true;
}

/** What a connection is found by whose peer asked for our requests to this address. */
export function aliasName(address: string, port: number): string {
  return `alias ${address} ${port}`;
}

/**
 * Dials, and checks the certificate against the name that was looked up, or the address where there was none.
 * Throws where the target can't even be tried.
 */
export function dialTls(
  table: ConnectionTable,
  target: Target,
  from: string | undefined,
  secureContext: SecureContext,
): Connection {
  const { address, port, serverName } = target;
  const name = serverName ?? address;
  const socket = connect({
    host: address,
    port,
    ...SOCKET_OPTIONS,
    ...(from === undefined ? {} : { localAddress: from }),
    // RFC 6066 3: the extension carries names, not addresses.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    secureContext,
    rejectUnauthorized: true,
    checkServerIdentity: (_, certificate) => identityFault(name, certificate),
  });
  return new StreamConnection(table, socket, { transport: 'TLS', address, port, target });
}

/** RFC 5922 7.1: a certificate proves a domain by a SIP URI or a DNS name in its subjectAltName. */
export function identityFault(name: string, certificate: PeerCertificate): Error | undefined {
  const uri = `URI:sip:${name.toLowerCase()}`;
  const alternatives = (certificate.subjectaltname ?? '').split(', ');
  if (alternatives.some((alternative) => alternative.toLowerCase() === uri.toLowerCase())) return undefined;
  return checkServerIdentity(name, certificate);
}
