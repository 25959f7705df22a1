/** What Prometheus scrapes: names begin with `cpm_`. Values are read when asked for; nothing is counted twice. */
import { Counter, Gauge, Registry } from 'prom-client';
import { ImapHistory } from '../../history/imap/imap-history.ts';
import type { Server } from '../server.ts';

type Single = (name: string, help: string, read: () => number) => void;
type Labelled = (name: string, help: string, label: string, read: () => Readonly<Record<string, number>>) => void;

export function metricsOf(server: Server): Registry {
  const registry = new Registry();
  const { engine, outbox } = server.cpm;
  const gauge: Single = (name, help, read) => {
    const collect = function (this: Gauge): void {
      this.set(read());
    };
    new Gauge({ name: `cpm_${name}`, help, registers: [registry], collect });
  };
  /** What only grows; with a label, one series for each value of it. */
  const counter: Single = (name, help, read) => {
    const collect = function (this: Counter): void {
      this.reset();
      this.inc(read());
    };
    new Counter({ name: `cpm_${name}_total`, help, registers: [registry], collect });
  };
  const counters: Labelled = (name, help, label, read) => {
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
  gauge('inspect_viewers', 'Viewers of /inspect', () => server.inspector.viewers);
  counter('inspect_frames_dropped', 'Frames too many for their viewer', () => server.inspector.dropped);
  counter('internal_errors', 'Messages that made our own code fail', () => server.door.failures);
  counters('guard_failures', 'Own guards that gave no answer, by guard', 'guard', () => engine.counters.guardFailures);
  counters('config_reloads', 'Configurations read again, by outcome', 'outcome', () => {
    const { done, failed } = server.reloads;
    return { done, failed };
  });
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
  const { sessions } = server;
  if ('journalBytes' in sessions) {
    gauge('session_journal_bytes', 'Of the session store, and not in its database yet', () => sessions.journalBytes);
  }
  messageMetrics(server, { gauge, counters });
  gauge('outbox_depth', 'History work waiting', () => outbox?.depth ?? 0);
  gauge('outbox_age_seconds', 'Age of the oldest history work', () => ageOf(outbox?.oldest, server));
  gauge('outbox_paused_folders', 'Folders whose history work failed and waits', () => outbox?.paused ?? 0);
  counter('outbox_done', 'History work done', () => outbox?.done ?? 0);
  counter('outbox_failures', 'History operations that failed', () => outbox?.failures ?? 0);
  const { history } = server;
  if (history instanceof ImapHistory) connectionsOf(history, registry);
  mediaMetrics(server, { gauge, counter, counters });
  recorderMetrics(server, { gauge, counter });
  preferencesMetrics(server, { counter, counters, gauge });
  const { regEvents } = server;
  if (regEvents !== undefined) {
    gauge('registrations_watched', 'Users whose registrations the core tells of', () => regEvents.size);
    counters('registration_events', 'Notifications of registrations, by what became of them', 'event', () => ({
      ...regEvents.counters,
    }));
  }
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

interface Makers {
  readonly gauge: (name: string, help: string, read: () => number) => void;
  readonly counter: (name: string, help: string, read: () => number) => void;
  readonly counters: (name: string, help: string, label: string, read: () => Readonly<Record<string, number>>) => void;
}

/** Pager-mode messages, by how they ended; and those that are kept, which have been accepted and have not ended. */
function messageMetrics(server: Server, { gauge, counters }: Pick<Makers, 'gauge' | 'counters'>): void {
  const { messages } = server.cpm.engine;
  const { counters: of } = messages;
  counters('messages', 'Pager-mode messages, by what became of them', 'outcome', () => ({
    ...of.byOutcome,
    deferred: of.deferred,
    notified: of.notified,
  }));
  gauge('deferred_messages', 'Messages kept for users who are not there', () => messages.queues.size);
  gauge('deferred_age_seconds', 'Age of the oldest message kept', () => ageOf(messages.queues.oldest, server));
}

/** Only where they are kept elsewhere. */
function preferencesMetrics({ preferences }: Server, { gauge, counter, counters }: Makers): void {
  if (preferences === undefined) return;
  const { documents } = preferences;
  counters('preferences_answers', 'Preferences, by how good they were', 'how', () => ({ ...preferences.answers }));
  counters('preferences_requests', 'Requests for preferences, by outcome', 'outcome', () => {
    const { failed, ...rest } = documents.counters;
    return { ...rest, ...failed };
  });
  counter('preferences_unfollowed_links', 'Links in lists not followed', () => preferences.unfollowedLinks);
  gauge('preferences_documents', 'Documents of preferences kept', () => documents.size);
  gauge('preferences_cache_bytes', 'Bytes of documents kept', () => documents.bytes);
}

function ageOf(oldest: number | undefined, server: Server): number {
  return oldest === undefined ? 0 : Math.max(0, (server.clock.now() - oldest) / 1000);
}

/** What the recorder takes down; nothing where there is none. */
function recorderMetrics(
  { recorder, cpm }: Server,
  { gauge, counter }: { readonly gauge: Single; readonly counter: Single },
): void {
  if (recorder === undefined) return;
  const { counters: of } = recorder;
  gauge('recorder_under_way', 'Messages that are not complete yet', () => recorder.underWay);
  counter('recorder_messages', 'Messages recorded', () => of.recorded);
  counter('recorder_spooled', 'Recorded messages that went through the spool', () => of.spooled);
  counter('recorder_left_out', 'Messages of kinds that are not recorded', () => of.leftOut);
  counter('recorder_abandoned', 'Messages that were never complete', () => of.abandoned);
  counter('recorder_lost', 'Messages that could not be recorded', () => cpm.engine.counters.messagesLost);
}

/** What the MSRP relay carries; nothing where there is none. */
function mediaMetrics(
  { media }: Server,
  { gauge, counter, counters }: { readonly gauge: Single; readonly counter: Single; readonly counters: Labelled },
): void {
  if (media === undefined) return;
  const { relay } = media;
  const { counters: of } = relay;
  gauge('media_bindings', 'Ends of relayed streams', () => relay.bindings);
  gauge('media_connections', 'MSRP connections open', () => relay.connections);
  counter('media_messages', 'Whole MSRP messages passed on', () => of.messages);
  counter('media_chunks', 'MSRP chunks passed on', () => of.chunks);
  counter('media_reports', 'MSRP reports passed on', () => of.reports);
  counter('media_bytes', 'Bytes of MSRP bodies passed on', () => of.bytes);
  counter('media_failures', 'Connections lost and not back in time', () => of.failures);
  counters('media_refused', 'MSRP requests refused, by status', 'status', () => of.refusedRequests);
  counters('media_events', 'Bindings and connections, and what befell them', 'event', () => {
    const {
      refusedRequests: _byStatus,
      messages: _m,
      chunks: _c,
      reports: _r,
      bytes: _b,
      failures: _f,
      ...events
    } = of;
    return events;
  });
}
