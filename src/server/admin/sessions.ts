/** Sessions over HTTP: those that live, those that have ended lately, one of them whole, and its end by order. */
import type { FastifyInstance } from 'fastify';
import { ladderText } from '../../inspect/ladder-text.ts';
import type { Binding } from '../../msrp/relay/binding.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Server } from '../server.ts';
import { notFound } from './answers.ts';
import { sessionFileOf } from './export.ts';
import { type Range, type RangeQuery, rangeOf } from './range.ts';
import { traceOf } from './trace-views.ts';
import { detailsOf, endedOf, type SessionSummary, summaryOf } from './views.ts';

interface Filters extends RangeQuery {
  /** Beginning of the state, such as `tearingDown`. */
  readonly state?: string;
  /** Part of the served user's address. */
  readonly user?: string;
  readonly reason?: string;
  /** `newest` turns the order round. */
  readonly order?: string;
}

export function sessionRoutes(app: FastifyInstance, server: Server, redact: boolean): void {
  const { engine } = server.cpm;
  const bindings = (id: string): readonly Binding[] | undefined => server.media?.relay.bindingsOf(id);
  app.get<{ Querystring: Filters }>('/api/sessions', async (request, reply) => {
    const range = rangeOf(request.query, reply);
    return range === undefined
      ? reply
      : { total: engine.sessions.size, ...found(server, request.query, range, redact) };
  });
  app.get<{ Querystring: Filters }>('/api/sessions/ended', async (request, reply) => {
    const range = rangeOf(request.query, reply);
    if (range === undefined) return reply;
    const { user, reason } = request.query;
    const all = server.ended.list();
    const matching = all.filter(
      (session) =>
        (user === undefined || session.user.includes(user)) && (reason === undefined || session.reason === reason),
    );
    const shown = matching.slice(range.offset, range.offset + range.limit).map((session) => endedOf(session, redact));
    return { total: all.length, matched: matching.length, sessions: shown };
  });
  app.get<{ Params: { id: string } }>('/api/sessions/:id', async (request, reply) => {
    const session = engine.sessions.get(request.params.id);
    return session === undefined
      ? notFound(reply, noSession(request.params.id))
      : detailsOf(session, redact, bindings(session.id));
  });
  app.get<{ Params: { id: string } }>('/api/sessions/:id/ladder', async (request, reply) => {
    const entries = server.ladders.of(request.params.id);
    if (entries === undefined) return notFound(reply, `${noSession(request.params.id)}, nor lately`);
    return { entries, text: ladderText(entries, 'inviter', 'invited') };
  });
  app.get<{ Params: { id: string }; Querystring: { after?: string } }>(
    '/api/sessions/:id/trace',
    async (request, reply) => {
      const { id } = request.params;
      const trace = traceFor(server, id);
      if (trace === undefined) return notFound(reply, `${noSession(id)}, nor is a trace of it kept`);
      const after = Number(request.query.after ?? -1);
      if (!Number.isInteger(after)) return reply.code(400).send({ error: 'after: expected a whole number' });
      return traceOf(trace, after, redact, bindings(id));
    },
  );
  app.get<{ Params: { id: string } }>('/api/sessions/:id/export', async (request, reply) => {
    const { id } = request.params;
    const trace = traceFor(server, id);
    if (trace === undefined) return notFound(reply, `${noSession(id)}, nor is a trace of it kept`);
    const name = `session-${id.replace(/[^\w.-]/g, '_')}.json`;
    return reply
      .header('content-disposition', `attachment; filename="${name}"`)
      .send(await sessionFileOf(server, trace, redact));
  });
  app.post<{ Params: { id: string } }>('/api/sessions/:id/end', async (request, reply) => {
    return engine.end(request.params.id, 'operator')
      ? { ending: request.params.id }
      : notFound(reply, noSession(request.params.id));
  });
}

/** Whoever looks at a session that had no trace gets one from here on. */
function traceFor({ cpm, traces }: Server, id: string): Trace | undefined {
  const session = cpm.engine.sessions.get(id);
  return session === undefined ? traces.of(id) : traces.follow(session);
}

function found(
  server: Server,
  { state, user, reason, order }: Filters,
  { offset, limit }: Range,
  redact: boolean,
): { matched: number; sessions: SessionSummary[] } {
  const all = [...server.cpm.engine.sessions.values()];
  if (order === 'newest') all.reverse();
  let matched = 0;
  const sessions: SessionSummary[] = [];
  for (const session of all) {
    if (state !== undefined && !session.state.startsWith(state)) continue;
    if (user !== undefined && !session.dossier.served.includes(user)) continue;
    if (reason !== undefined && session.context.ending?.reason !== reason) continue;
    if (matched++ >= offset && sessions.length < limit) sessions.push(summaryOf(session, redact));
  }
  return { matched, sessions };
}

function noSession(id: string): string {
  return `no session ${id} lives here (GET /api/sessions lists those that do)`;
}
