/** What Prometheus scrapes: names begin with `cpm_`. Values are read when asked for; nothing is counted twice. */
import { Counter, Gauge, Registry } from 'prom-client';
import { ImapHistory } from '../../history/imap/imap-history.ts';
import type { Server } from '../server.ts';

export function metricsOf(server: Server): Registry {
  const registry = new Registry();
  const { engine, outbox } = server.cpm;
  const gauge = (name: string, help: string, read: () => number): void => {
    const collect = function (this: Gauge): void {
      this.set(read());
    };
    new Gauge({ name: `cpm_${name}`, help, registers: [registry], collect });
  };
  /** What only grows; with a label, one series for each value of it. */
  const counter = (name: string, help: string, read: () => number): void => {
    const collect = function (this: Counter): void {
      this.reset();
      this.inc(read());
    };
    new Counter({ name: `cpm_${name}_total`, help, registers: [registry], collect });
  };
  const counters = (name: string, help: string, label: string, read: () => Readonly<Record<string, number>>): void => {
    const collect = function (this: Counter): void {
      this.reset();
      for (const [value, number] of Object.entries(read())) this.inc({ [label]: value }, number);
    };
    new Counter({ name: `cpm_${name}_total`, help, labelNames: [label], registers: [registry], collect });
  };
  gauge('sessions', 'Sessions alive', () => engine.sessions.size);
  counter('sessions_started', 'Sessions begun', () => engine.counters.started);
  counter('sessions_restored', 'Sessions taken up after a restart', () => engine.counters.restored);
  counters('sessions_ended', 'Sessions ended, by reason', 'reason', () => engine.counters.byReason);
  counters('sip_messages', 'SIP messages, by what became of them', 'outcome', () => server.stack.counters);
  counter('internal_errors', 'Messages that made our own code fail', () => server.door.failures);
  counters('transport_events', 'Connections and what befell them', 'event', () => server.network.counters);
  new Gauge({
    name: 'cpm_sip_held',
    help: 'Transactions, legs and proxied sessions held',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      for (const [kind, number] of Object.entries(server.stack.held)) this.set({ kind }, number);
    },
  });
  gauge('connections', 'Connections open', () => server.network.connections);
  counter('store_failures', 'Times sessions could not be stored', () => engine.counters.storeFailures);
  gauge('outbox_depth', 'History work waiting', () => outbox?.depth ?? 0);
  gauge('outbox_age_seconds', 'Age of the oldest history work', () => ageOf(outbox?.oldest, server));
  gauge('outbox_paused_folders', 'Folders whose history work failed and waits', () => outbox?.paused ?? 0);
  counter('outbox_done', 'History work done', () => outbox?.done ?? 0);
  counter('outbox_failures', 'History operations that failed', () => outbox?.failures ?? 0);
  const { history } = server;
  if (history instanceof ImapHistory) connectionsOf(history, registry);
  gauge('registrations', 'Addresses registered', () => server.registrations.size);
  gauge('timers', 'Timers waiting', () => server.clock.size);
  gauge('event_loop_lag_seconds', 'How late the event loop runs', () => server.overload.lagMs / 1000);
  gauge('heap_bytes', 'Heap in use', () => process.memoryUsage().heapUsed);
  return registry;
}

function connectionsOf(history: ImapHistory, registry: Registry): void {
  new Gauge({
    name: 'cpm_history_connections',
    help: 'Connections to the IMAP store',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const [state, number] of Object.entries(history.connections)) this.set({ state }, number);
    },
  });
}

function ageOf(oldest: number | undefined, server: Server): number {
  return oldest === undefined ? 0 : Math.max(0, (server.clock.now() - oldest) / 1000);
}
