/** What the reference ISF tells of itself: health and metrics, on loopback. */
import { type FastifyInstance, fastify } from 'fastify';
import { Counter, Gauge, Registry } from 'prom-client';
import type { Reference } from '../../isf/reference/start.ts';
import { isFromHere, NOT_FROM_HERE } from './access.ts';

export function isfAdmin(reference: Reference): FastifyInstance {
  const app = fastify({ forceCloseConnections: true });
  const metrics = metricsOf(reference);
  app.addHook('onRequest', async (request, reply) => {
    if (!isFromHere(request.headers)) return reply.code(403).send({ error: NOT_FROM_HERE });
  });
  app.get('/healthz', async () => ({ status: 'alive' }));
  app.get('/readyz', async (_request, reply) => {
    const problems = reference.notReady().map((name) => `${name}: the far side is not connected`);
    const ready = problems.length < reference.iwfs.size;
    const status = problems.length === 0 ? 'ready' : ready ? 'degraded' : 'refusing';
    return reply.code(ready ? 200 : 503).send({ ready, status, problems });
  });
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
  return app;
}

function metricsOf(reference: Reference): Registry {
  const registry = new Registry();
  new Counter({
    name: 'cpm_isf_events_total',
    help: 'What has happened, by what it was',
    labelNames: ['event'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [event, number] of Object.entries(reference.tally.counts)) this.inc({ event }, number);
    },
  });
  new Gauge({
    name: 'cpm_isf_held',
    help: 'Sessions, and what waits at each service',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      for (const [kind, number] of Object.entries(reference.held())) this.set({ kind }, number);
    },
  });
  return registry;
}
