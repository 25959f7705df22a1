/** The admin interface (contract): health, metrics, sessions, ladders, history, policy. */
import { type FastifyError, type FastifyInstance, fastify } from 'fastify';
import type { Server } from '../server.ts';
import { bears, isFromHere, NOT_FROM_HERE } from './access.ts';
import { notFound } from './answers.ts';
import { deferredRoutes } from './deferred.ts';
import { feedRoute } from './feed.ts';
import { healthOf, healthReport } from './health.ts';
import { historyRoutes } from './history.ts';
import { inspectRoutes } from './inspect.ts';
import { metricsOf } from './metrics.ts';
import { isPage, pageRoutes } from './page.ts';
import { policyRoutes } from './policy.ts';
import { sessionRoutes } from './sessions.ts';

export interface AdminOptions {
  /** Bearer token; undefined where none is asked for. */
  readonly token: string | undefined;
  readonly redact: boolean;
  /** Origins of pages elsewhere that may open `/inspect`. */
  readonly origins?: readonly string[];
}

const MAX_BODY_BYTES = 262_144;

export function adminServer(server: Server, options: AdminOptions): FastifyInstance {
  const app = fastify({ bodyLimit: MAX_BODY_BYTES, forceCloseConnections: true });
  const metrics = metricsOf(server);
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.addHook('onRequest', async (request, reply) => {
    if (request.url === '/healthz') return;
    if (options.token === undefined) {
      if (!isFromHere(request.headers)) return reply.code(403).send({ error: NOT_FROM_HERE });
    } else if (!isPage(request.url) && !bears(request.headers.authorization, options.token)) {
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
  app.get('/api/health', async () => healthReport(server));
  sessionRoutes(app, server, options.redact);
  deferredRoutes(app, server, options.redact);
  historyRoutes(app, server.history);
  policyRoutes(app, server);
  feedRoute(app, server);
  inspectRoutes(app, server, { token: options.token, origins: options.origins ?? [] });
  pageRoutes(app);
  return app;
}
