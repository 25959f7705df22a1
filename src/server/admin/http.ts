/** The admin interface (contract): health, metrics, sessions, ladders, history, policy. */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type FastifyError, type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import type { Explanation } from '../../engine/explain.ts';
import { ladderText } from '../../inspect/ladder-text.ts';
import { textOfWire } from '../../sip/message/bytes.ts';
import { parseMessage } from '../../sip/message/parse.ts';
import { validateRequest } from '../../sip/message/validate.ts';
import { isLoopbackHost } from '../config/host-port.ts';
import type { Server } from '../server.ts';
import { commandText, explanationText } from './explain-text.ts';
import { healthOf } from './health.ts';
import { historyRoutes } from './history-routes.ts';
import { metricsOf } from './metrics.ts';
import { detailsOf, summaryOf } from './views.ts';

export interface AdminOptions {
  /** Bearer token; undefined where none is asked for. */
  readonly token: string | undefined;
  readonly redact: boolean;
}

const MAX_BODY_BYTES = 262_144;
const MAX_LISTED = 1000;
const DEFAULT_LISTED = 100;

export function adminServer(server: Server, options: AdminOptions): FastifyInstance {
  const app = fastify({ bodyLimit: MAX_BODY_BYTES, forceCloseConnections: true });
  const metrics = metricsOf(server);
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.addHook('onRequest', async (request, reply) => {
    if (request.url === '/healthz') return;
    if (options.token === undefined) {
      if (!isFromHere(request.headers)) return reply.code(403).send({ error: NOT_FROM_HERE });
    } else if (!bears(request.headers.authorization, options.token)) {
      return reply.code(401).header('www-authenticate', 'Bearer').send({ error: 'a bearer token is needed' });
    }
  });
  app.setNotFoundHandler((request, reply) => notFound(reply, `no such path: ${request.method} ${request.url}`));
  app.setErrorHandler<FastifyError>((error, _request, reply) =>
    reply.code(error.statusCode ?? 500).send({ error: error.message }),
  );
  app.get('/healthz', async () => ({ status: 'alive' }));
  app.get('/readyz', async (_request, reply) => {
    const health = healthOf(server);
    return reply.code(health.ready ? 200 : 503).send(health);
  });
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
  sessionRoutes(app, server, options.redact);
  historyRoutes(app, server.history);
  policyRoutes(app, server);
  return app;
}

const NOT_FROM_HERE = 'without a token only this host is answered: give admin.token, or ask for 127.0.0.1';

/** A page from elsewhere, in a browser on this host, reaches loopback too: its own name or origin gives it away. */
function isFromHere({ host = '', origin }: IncomingHttpHeaders): boolean {
  return isLoopbackHost(hostOf(host)) && (origin === undefined || isLoopbackHost(hostOf(origin)));
}

function hostOf(text: string): string {
  return text
    .replace(/^https?:\/\//, '')
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '');
}

function bears(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function sessionRoutes(app: FastifyInstance, server: Server, redact: boolean): void {
  const { engine } = server.cpm;
  app.get<{ Querystring: { state?: string; user?: string; limit?: string } }>(
    '/api/sessions',
    async (request, reply) => {
      const { state, user } = request.query;
      const limit = Number(request.query.limit ?? DEFAULT_LISTED);
      if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LISTED) {
        return reply.code(400).send({ error: `limit: expected a number from 1 to ${MAX_LISTED}` });
      }
      const found = [];
      for (const session of engine.sessions.values()) {
        if (state !== undefined && !session.state.startsWith(state)) continue;
        if (user !== undefined && !session.dossier.served.includes(user)) continue;
        found.push(summaryOf(session, redact));
        if (found.length >= limit) break;
      }
      return { total: engine.sessions.size, sessions: found };
    },
  );
  app.get<{ Params: { id: string } }>('/api/sessions/:id', async (request, reply) => {
    const session = engine.sessions.get(request.params.id);
    return session === undefined ? notFound(reply, noSession(request.params.id)) : detailsOf(session, redact);
  });
  app.get<{ Params: { id: string } }>('/api/sessions/:id/ladder', async (request, reply) => {
    const entries = server.ladders.of(request.params.id);
    if (entries === undefined) return notFound(reply, `${noSession(request.params.id)}, nor lately`);
    return { entries, text: ladderText(entries, 'inviter', 'invited') };
  });
  app.post<{ Params: { id: string } }>('/api/sessions/:id/end', async (request, reply) => {
    return engine.end(request.params.id, 'operator')
      ? { ending: request.params.id }
      : notFound(reply, noSession(request.params.id));
  });
}

function noSession(id: string): string {
  return `no session ${id} lives here (GET /api/sessions lists those that do)`;
}

function policyRoutes(app: FastifyInstance, server: Server): void {
  app.post('/api/policy/explain', async (request, reply) => {
    const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.from(String(request.body ?? ''), 'utf8');
    const { message, fault } = parseMessage(withWireLines(bytes));
    if (message?.kind !== 'request') return reply.code(400).send({ error: fault?.detail ?? 'not a SIP request' });
    const verdict = validateRequest(message, fault);
    if (verdict.kind !== 'fit') return reply.code(400).send({ error: verdict.detail });
    const source = { address: request.ip, port: 0, transport: 'UDP', trusted: true };
    const explanation = await new Promise<Explanation>((resolve) => {
      server.cpm.engine.explain(message, source, resolve);
    });
    const { commands, ...why } = explanation;
    const sent = commands.map((command) => textOfWire(commandText(command).join('\n')).trim()).filter(Boolean);
    return { ...why, sent, text: explanationText(explanation).map(textOfWire) };
  });
}

/** A file written with an editor has bare line feeds; the wire has CRLF. */
function withWireLines(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  return text.includes('\r\n') ? bytes : Buffer.from(text.replace(/\n/g, '\r\n'), 'latin1');
}

function notFound(reply: FastifyReply, error: string) {
  return reply.code(404).send({ error });
}
