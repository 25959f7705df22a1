/**
 * `WS /inspect`: sessions live, in the wire format of `@statelyai/inspect`. Query: `session` (an id, several times for
 * several), `state`, `user`, `reason`, `sample`, `limit`, and `ticket` from `POST /api/inspect/ticket` for whoever can't
 * send the token as a header.
 */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Choice, Sink } from '../../inspect/viewer.ts';
import type { Server } from '../server.ts';
import { bears, isFromHere, isOwnOrigin, NOT_FROM_HERE } from './access.ts';
import { choiceOf } from './inspect-choice.ts';
import { TICKET_MS, Tickets } from './inspect-tickets.ts';

export interface InspectOptions {
  readonly token: string | undefined;
  /** Origins of pages elsewhere that may look, such as `https://stately.ai`. */
  readonly origins: readonly string[];
}

const PATH = '/inspect';
/** At the same time; each may cost what `Viewer` lets wait for it. */
const MAX_VIEWERS = 16;
/** Nothing is read from a viewer. */
const MAX_PAYLOAD = 1024;
/** A viewer that answers no ping for this long is gone. */
const PING_MS = 30_000;

export function inspectRoutes(app: FastifyInstance, server: Server, options: InspectOptions): void {
  const tickets = new Tickets(() => server.clock.now());
  const upgrades = new WebSocketServer({ noServer: true, maxPayload: MAX_PAYLOAD, perMessageDeflate: false });
  app.post('/api/inspect/ticket', async () => ({ ticket: tickets.issue(), validMs: TICKET_MS }));
  app.get(PATH, async (_request, reply) =>
    reply.code(426).header('upgrade', 'websocket').send({ error: 'this is a WebSocket' }),
  );
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const url = new URL(request.url ?? '', 'http://here');
    const refusal = refusalOf(request, url, tickets, options);
    if (refusal !== undefined) return refuse(socket, ...refusal);
    if (server.inspector.viewers >= MAX_VIEWERS) return refuse(socket, 503, `${MAX_VIEWERS} viewers are looking`);
    let choice: Choice;
    try {
      choice = choiceOf(url.searchParams);
    } catch (error) {
      return refuse(socket, 400, (error as Error).message);
    }
    upgrades.handleUpgrade(request, socket, head, (webSocket) => show(webSocket, choice, server));
  });
  app.addHook('preClose', async () => {
    for (const webSocket of upgrades.clients) webSocket.terminate();
    upgrades.close();
  });
}

type Refusal = [status: number, error: string];

function refusalOf(request: IncomingMessage, url: URL, tickets: Tickets, options: InspectOptions): Refusal | undefined {
  const { headers } = request;
  const { token, origins } = options;
  if (token === undefined) {
    const named = headers.origin !== undefined && origins.includes(headers.origin);
    const { origin: _, ...withoutOrigin } = headers;
    if (!isFromHere(named ? withoutOrigin : headers)) return [403, NOT_FROM_HERE];
  } else if (!isOwnOrigin(headers, origins)) return [403, `pages of ${headers.origin} may not look: see admin.origins`];
  else if (!bears(headers.authorization, token) && !tickets.take(url.searchParams.get('ticket') ?? '')) {
    return [401, 'a bearer token is needed, or a ticket of POST /api/inspect/ticket'];
  }
  return url.pathname === PATH ? undefined : [404, `no such path: ${url.pathname}`];
}

function refuse(socket: Duplex, status: number, error: string): void {
  const body = JSON.stringify({ error });
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    ...(status === 401 ? ['www-authenticate: Bearer'] : []),
    'connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

function show(webSocket: WebSocket, choice: Choice, server: Server): void {
  const sink: Sink = {
    get waiting() {
      return webSocket.bufferedAmount;
    },
    send: (frame, sent) => webSocket.send(frame, sent),
  };
  const watching = server.inspector.attach(sink, choice, server.cpm.engine.sessions.values());
  let answered = true;
  const pinging = setInterval(() => {
    if (!answered) return webSocket.terminate();
    answered = false;
    webSocket.ping();
  }, PING_MS);
  pinging.unref();
  webSocket.on('pong', () => {
    answered = true;
  });
  webSocket.on('error', () => webSocket.terminate());
  webSocket.on('close', () => {
    clearInterval(pinging);
    watching.stop();
  });
}
