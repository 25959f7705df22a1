/** SIP over WebSocket, the server's side (RFC 7118). Clients connect to us; nobody can be dialled. */
import { isUtf8 } from 'node:buffer';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Timer, TimerOwner } from '../../time/clock.ts';
import { parseNameAddress } from '../message/address.ts';
import { parseMessage } from '../message/parse.ts';
import { isSipUri, parseUri } from '../message/uri.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import type { ConnectionTable } from './connection-table.ts';
import { Handshakes } from './handshakes.ts';
import { bindServer, closeServer, type Listener } from './listener.ts';
import { SOCKET_OPTIONS } from './tcp.ts';
import { secureContextOf, serverOptions, type TlsMaterial } from './tls.ts';

/** RFC 7118 4.1 */
const SUBPROTOCOL = 'sip';
const CR = 0x0d;
const LF = 0x0a;
/** RFC 6455 7.4.1: going away. */
const GOING_AWAY = 1001;

/** Without `material` plain WebSocket, with it WSS. */
export async function listenWebSocket(
  table: ConnectionTable,
  address: string,
  port: number,
  material: TlsMaterial | undefined,
): Promise<Listener> {
  if (material !== undefined) secureContextOf(material);
  const handshakes = new Handshakes(table.clock, table.limits, table.counters);
  const server: Server =
    material === undefined ? createServer(SOCKET_OPTIONS) : createSecureServer(serverOptions(table, material));
  const upgrades = upgradesFor(table);
  server.on('request', (_, response) => {
    response
      .writeHead(426, { Upgrade: 'websocket', Connection: 'close' })
      .end('This port speaks SIP over WebSocket.\n');
  });
  server.on('upgrade', (request, socket, head) => {
    if (!offersSip(request)) return refuse(socket);
    upgrades.handleUpgrade(request, socket, head, (webSocket) => {
      handshakes.done(request.socket);
      accept(table, webSocket, request.socket, material === undefined ? 'WS' : 'WSS');
    });
  });
  const bound = await bindServer(server, address, port);
  server.on('connection', (socket) => handshakes.begin(socket));
  server.on('tlsClientError', () => {});
  server.on('clientError', (_, socket) => socket.destroy());
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

function upgradesFor({ messages }: ConnectionTable): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // Compression would let a small message grow without bound, and costs more than it saves on SIP.
    perMessageDeflate: false,
    maxPayload: messages.headBytes + messages.bodyBytes + 4,
    handleProtocols: () => SUBPROTOCOL,
  });
}

function offersSip(request: IncomingMessage): boolean {
  const offered = request.headers['sec-websocket-protocol'] ?? '';
  return offered.split(',').some((protocol) => protocol.trim().toLowerCase() === SUBPROTOCOL);
}

/** RFC 7118 4.1: both sides must agree on the subprotocol, so without it there is no connection. */
function refuse(socket: Duplex): void {
  const text = 'The WebSocket subprotocol "sip" is required (RFC 7118).\n';
  socket.on('error', () => {});
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
  );
}

function accept(table: ConnectionTable, webSocket: WebSocket, socket: Socket, transport: 'WS' | 'WSS'): void {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) {
    webSocket.terminate();
    return;
  }
  table.counters.accepted++;
  new WebSocketConnection(table, webSocket, socket, { transport, address: remoteAddress, port: remotePort });
}

/** What a connection is found by whose peer goes by this host. */
export function hostName(transport: 'WS' | 'WSS', host: string): string {
  return `${transport} ${host.replace(/^\[|\]$/g, '').toLowerCase()}`;
}

class WebSocketConnection extends Connection implements TimerOwner {
  protected readonly opened = true;
  readonly #webSocket: WebSocket;
  /** Something complete came with the bytes that are being read. */
  #complete = false;
  #messageLimit: Timer | undefined;
  #lingerLimit: Timer | undefined;

  constructor(table: ConnectionTable, webSocket: WebSocket, socket: Socket, options: ConnectionOptions) {
    super(table, options);
    this.#webSocket = webSocket;
    webSocket.on('message', (data) => this.#onMessage(data as Uint8Array));
    webSocket.on('ping', () => this.#onControl());
    webSocket.on('pong', () => this.#onControl());
    webSocket.on('error', (error) => this.close('closedUnreadable', error.message));
    webSocket.on('close', () => this.#onGone());
    // Behind the listener of the WebSocket itself: what a chunk completes has been handled by then.
    socket.on('data', () => this.#onBytes());
    table.add(this);
  }

  protected get waitingBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  protected write(bytes: Uint8Array, done: ((error?: Error | null) => void) | undefined): void {
    // RFC 7118 4.2: text or binary, as the body allows; a text frame must be UTF-8 (RFC 6455 5.6).
    this.#webSocket.send(bytes, { binary: !isUtf8(bytes) }, done);
  }

  protected shut(gently: boolean): void {
    this.#messageLimit?.cancel();
    if (!gently) {
      this.#webSocket.terminate();
      return;
    }
    this.#webSocket.close(GOING_AWAY);
    this.#lingerLimit = this.table.clock.schedule(this.table.limits.lingerMs, this, 'linger');
  }

  onTimer(name: string): void {
    const { messageMs } = this.table.limits;
    if (name === 'message') this.close('closedUnfinished', `a message took more than ${messageMs} ms`);
    else this.#webSocket.terminate();
  }

  #onMessage(bytes: Uint8Array): void {
    this.#complete = true;
    this.#messageLimit?.cancel();
    this.#messageLimit = undefined;
    if (!this.open) return;
    this.heard();
    const keepAlive = keepAliveOf(bytes);
    if (keepAlive !== undefined) this.table.user.receiveFrame({ kind: keepAlive }, this);
    else {
      this.#learnHosts(bytes);
      this.table.user.receive(bytes, this);
    }
  }

  #onControl(): void {
    this.#complete = true;
    if (this.open) this.heard();
  }

  /** Bytes that complete nothing begin a message, which has to end in time. */
  #onBytes(): void {
    if (this.#complete || !this.open) this.#complete = false;
    else this.#messageLimit ??= this.table.clock.schedule(this.table.limits.messageMs, this, 'message');
  }

  /** RFC 7118 B.1: a client has no address of its own, so it is known by the hosts it goes by in Via and Contact. */
  #learnHosts(bytes: Uint8Array): void {
    const { message } = parseMessage(bytes, this.table.messages);
    if (message?.kind === 'request' && message.via !== undefined) this.#claim(message.via.host);
    for (const contact of message?.list('contact') ?? []) {
      const uri = parseUri(parseNameAddress(contact)?.uri ?? '');
      if (uri !== undefined && isSipUri(uri)) this.#claim(uri.host);
    }
  }

  #claim(host: string): void {
    if (this.transport === 'WSS') this.table.claim(hostName('WSS', host), this);
    // `transport=ws` stands for both in a sip URI (RFC 7118 5.2.2).
    this.table.claim(hostName('WS', host), this);
  }

  #onGone(): void {
    this.close('closedByPeer', 'the peer closed the connection');
    this.#messageLimit?.cancel();
    this.#lingerLimit?.cancel();
    this.table.gone(this);
  }
}

/** RFC 7118 6 and RFC 5626 3.5.1: CRLF CRLF asks, CRLF answers. */
function keepAliveOf(bytes: Uint8Array): 'ping' | 'pong' | undefined {
  if (bytes[0] !== CR || bytes[1] !== LF) return undefined;
  if (bytes.length === 2) return 'pong';
  return bytes.length === 4 && bytes[2] === CR && bytes[3] === LF ? 'ping' : undefined;
}
