/** What Prometheus scrapes: names begin with `cpm_`. Values are read when asked for; nothing is counted twice. */
import { Gauge, Registry } from 'prom-client';
import type { Server } from '../server.ts';

export function metricsOf(server: Server): Registry {
  const registry = new Registry();
  const { engine, outbox } = server.cpm;
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name: `cpm_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  const labelled = (name: string, help: string, label: string, read: () => Record<string, number>): void => {
    new Gauge({
      name: `cpm_${name}`,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [value, number] of Object.entries(read())) this.set({ [label]: value }, number);
      },
    });
  };
  gauge('sessions', 'Sessions alive', () => engine.sessions.size);
  gauge('sessions_started_total', 'Sessions begun', () => engine.counters.started);
  gauge('sessions_restored_total', 'Sessions taken up after a restart', () => engine.counters.restored);
  labelled('sessions_ended_total', 'Sessions ended, by reason', 'reason', () => ({ ...engine.counters.byReason }));
  labelled('sip_messages_total', 'SIP messages, by what became of them', 'outcome', () => ({
    ...server.stack.counters,
  }));
  labelled('sip_held', 'Transactions, legs and proxied sessions held', 'kind', () => ({ ...server.stack.held }));
  gauge('store_failures_total', 'Times sessions could not be stored', () => engine.counters.storeFailures);
  gauge('outbox_depth', 'History work waiting', () => outbox?.depth ?? 0);
  gauge('outbox_age_seconds', 'Age of the oldest history work', () => ageOf(outbox?.oldest, server));
  gauge('outbox_failures_total', 'History operations that failed', () => outbox?.failures ?? 0);
  gauge('registrations', 'Addresses registered', () => server.registrations.size);
  gauge('timers', 'Timers waiting', () => server.clock.size);
  gauge('event_loop_lag_seconds', 'How late the event loop runs', () => server.overload.lagMs / 1000);
  gauge('heap_bytes', 'Heap in use', () => process.memoryUsage().heapUsed);
  return registry;
}

function ageOf(oldest: number | undefined, server: Server): number {
  return oldest === undefined ? 0 : Math.max(0, (server.clock.now() - oldest) / 1000);
}
