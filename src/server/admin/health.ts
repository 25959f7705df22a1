/** Whether the server takes sessions, and what about it is not as it should be. */
import type { Server } from '../server.ts';
import { version } from '../version.ts';

export interface Health {
  /** New sessions are taken. */
  readonly ready: boolean;
  readonly status: 'ready' | 'degraded' | 'refusing';
  /** What is wrong, in words; empty while all is well. */
  readonly problems: readonly string[];
}

/** This much waiting says the same; a burst of calls ends below it. */
const DEEP_OUTBOX = 10_000;
/** Work that has waited this long says that the store is not keeping up. */
const OLD_WORK_MS = 10_000;

export function healthOf(server: Server): Health {
  const { engine, outbox } = server.cpm;
  const problems: string[] = [];
  if ('failing' in server.sessions && server.sessions.failing > 0) {
    problems.push('sessions can not be stored: a restart would lose them');
  }
  if ('behind' in server.sessions && server.sessions.behind !== undefined) {
    problems.push(`stored sessions stay in the journal, which grows: ${server.sessions.behind}`);
  }
  if (outbox?.lastError != null) problems.push(`history can not be stored: ${outbox.lastError}`);
  const oldest = outbox?.oldest;
  if (oldest !== undefined && server.clock.now() - oldest > OLD_WORK_MS) {
    problems.push(`history work waits since ${Math.round((server.clock.now() - oldest) / 1000)} s`);
  }
  if (outbox !== undefined && outbox.depth > DEEP_OUTBOX) problems.push(`history work waits: ${outbox.depth} pieces`);
  const { preferences } = server;
  if (preferences?.documents.lastError != null) {
    problems.push(`preferences can not be had: ${preferences.documents.lastError}`);
  }
  const refused = server.reloads.last?.error;
  if (refused != null) {
    problems.push(`the configuration could not be read again, and the one before stays in force: ${refused}`);
  }
  const { queues } = engine.messages;
  if (queues.size > 0 && queues.size >= engine.policy.messages.deferred.total) {
    problems.push(`no room for more messages to users who are not there: ${queues.size} are kept`);
  }
  const overloaded = server.overload.retryAfter() !== undefined;
  if (overloaded) problems.push('overloaded: new sessions get 503');
  if (engine.refusing) problems.push('shutting down');
  const ready = !engine.refusing && !overloaded;
  return { ready, status: ready ? (problems.length === 0 ? 'ready' : 'degraded') : 'refusing', problems };
}

/** The numbers behind it, for a person. Ages and lags are ms. */
export function healthReport(server: Server) {
  const { engine, outbox } = server.cpm;
  const { config, clock, stack, network } = server;
  return {
    ...healthOf(server),
    version: version(),
    listening: server.listening,
    engine: { ...engine.counters, live: engine.sessions.size, traced: server.traces.size },
    outbox: {
      depth: outbox?.depth ?? 0,
      oldestMs: outbox?.oldest === undefined ? null : Math.max(0, clock.now() - outbox.oldest),
      failures: outbox?.failures ?? 0,
      lastError: outbox?.lastError ?? null,
    },
    stores: { sessions: config.sessions.driver, history: config.history.driver },
    overload: { lagMs: server.overload.lagMs, ...config.sip.overload },
    sip: { ...stack.counters, internalErrors: server.door.failures, connections: network.connections },
    process: { heapBytes: process.memoryUsage().heapUsed, uptimeMs: Math.round(process.uptime() * 1000) },
    registrations: server.registrations.size,
    timers: clock.size,
  };
}
