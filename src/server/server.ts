/** A Participating Function as a server: everything the configuration names, put together, started and stopped. */

import type { OwnGuards } from '../../machines/session/own-guards.ts';
import type { KeeperHost } from '../deferral/keeper.ts';
import type { Session } from '../engine/session.ts';
import type { HistoryDriver, HistoryReader } from '../history/driver.ts';
import { NodeClock } from '../host/node-clock.ts';
import { nodeIdentifiers } from '../host/node-identifiers.ts';
import { nodeResolver } from '../host/node-resolver.ts';
import {
  type CpmEngine,
  createEngine,
  memorySessions,
  type Sessions,
  type SqliteSessions,
  sqliteSessions,
} from '../index.ts';
import { Inspector } from '../inspect/inspector.ts';
import { Ladders } from '../inspect/ladder.ts';
import type { MsrpRelay } from '../msrp/relay/relay.ts';
import type { MsrpNetwork } from '../msrp/transport/network.ts';
import { profiles } from '../policy/profiles.ts';
import type { UserDirectory } from '../preferences/users.ts';
import type { XcapPreferences } from '../preferences/xcap/xcap.ts';
import type { Recorder } from '../recorder/recorder.ts';
import { RegEvents } from '../registrar/reg-event.ts';
import { Registrations } from '../registrar/registrations.ts';
import { type SentTap, transportParam } from '../sip/flow.ts';
import { headerField } from '../sip/message/header.ts';
import { DEFAULT_LIMITS, type MessageLimits } from '../sip/message/parse.ts';
import { SipStack } from '../sip/stack.ts';
import { DEFAULT_TIMERS } from '../sip/transaction/timers.ts';
import { type NetworkUser, NodeNetwork } from '../sip/transport/node-network.ts';
import { Traces } from '../trace/traces.ts';
import { EndedSessions } from './admin/ended.ts';
import { ConferenceWatch } from './conference-watch.ts';
import type { Config } from './config/schema.ts';
import { contactKey } from './contact-key.ts';
import { type Deferral, openDeferral } from './deferral.ts';
import { engineSettings } from './engine-settings.ts';
import { type Guarded, guarded } from './guarded.ts';
import { historyOf } from './history-store.ts';
import { engineLog, type Logger, maskNumbers } from './log.ts';
import { mediaNetwork, mediaRelay } from './media.ts';
import { type OverloadControl, overloadControl } from './overload.ts';
import { policiesOf } from './policies.ts';
import { preferencesBy } from './preferences.ts';
import { recordingFor, sweepSpool } from './recording.ts';
import { registering } from './registering.ts';
import { type Reload, Reloads } from './reload.ts';
import { sessionLog } from './session-log.ts';
import { listenAddresses, tlsOf } from './sip-addresses.ts';
import { stop } from './stopping.ts';
import { type Served, servedBy, subscribers } from './subscribers.ts';
import { trustOf } from './trust.ts';

export interface Server {
  readonly config: Config;
  readonly cpm: CpmEngine;
  readonly stack: SipStack;
  /** Where messages come in. */
  readonly door: Guarded;
  readonly network: NodeNetwork;
  readonly ladders: Ladders;
  readonly traces: Traces;
  /** Sessions that have ended lately. */
  readonly ended: EndedSessions;
  /** Whoever wants to hear of each step of each session, and each message of a traced one; free while nobody does. */
  readonly observers: Set<(session: Session) => void>;
  readonly inspector: Inspector;
  readonly registrations: Registrations;
  /** Undefined where preferences stand beside the users. */
  readonly preferences: XcapPreferences | undefined;
  /** Undefined where the core is not asked who is registered. */
  readonly regEvents: RegEvents | undefined;
  readonly sessions: Sessions | SqliteSessions;
  readonly history: (HistoryDriver & HistoryReader) | undefined;
  readonly overload: OverloadControl;
  readonly clock: NodeClock;
  /** Undefined where media pass through. */
  readonly media: { readonly relay: MsrpRelay; readonly network: MsrpNetwork } | undefined;
  /** Undefined where no messages are recorded. */
  readonly recorder: Recorder | undefined;
  /** Undefined where sessions for users who are away are not taken. */
  readonly deferral: Deferral | undefined;
  readonly users: UserDirectory | undefined;
  /** `udp:127.0.0.1:5060` for each address heard on. */
  readonly listening: readonly string[];
  readonly reloads: Reloads;
  /**
   * Takes policy and users of a new configuration, at once; live sessions keep the policy they began with. Throws a
   * ConfigError, and then changes nothing.
   */
  reload(config: Config): Reload;
  /** Refuses new sessions, ends or keeps the live ones, flushes the outbox, closes everything. */
  stop(sessions?: Config['shutdown']['sessions']): Promise<void>;
}

/** Opens the stores, then the sockets, takes up what the stores hold, and only then hears what comes. */
export async function startServer(config: Config, log: Logger, guards?: OwnGuards): Promise<Server> {
  const clock = new NodeClock();
  const traces = new Traces(() => clock.now(), config.admin.traces, guards);
  const sent: SentTap = (bytes, flow) => traces.sent(bytes, flow);
  const network = new NodeNetwork({ clock, messages: messageLimits(config), sent });
  const closing: (() => unknown)[] = [() => network.close()];
  try {
    const served = servedBy(config);
    const key = contactKey(config.sip.contactKey);
    const history = historyOf(config.history);
    const preferences = preferencesBy(config, served, clock, log);
    closing.push(() => history?.close());
    const stored = config.sessions.driver === 'sqlite' ? sqliteSessions(config.sessions) : undefined;
    closing.push(() => stored?.close());
    const media = await mediaNetwork(config, clock);
    closing.push(() => media?.close());
    await listen(config, network);
    const sessions = stored ?? memorySessions();
    const deferral = await openDeferral(config, { clock, network, log, host: keeperHost(config, () => server) });
    closing.push(() => deferral?.close());
    const parts = { clock, network, traces, guards, media, served, key, preferences, history, sessions, deferral };
    const server = assembled(config, log, parts);
    return server;
  } catch (error) {
    for (const close of closing.reverse()) await close();
    clock.stop();
    throw error;
  }
}

interface Parts {
  readonly clock: NodeClock;
  readonly network: NodeNetwork;
  readonly traces: Traces;
  readonly guards: OwnGuards | undefined;
  readonly media: MsrpNetwork | undefined;
  readonly served: Served;
  readonly key: string;
  readonly preferences: XcapPreferences | undefined;
  readonly history: (HistoryDriver & HistoryReader) | undefined;
  readonly sessions: Sessions | SqliteSessions;
  readonly deferral: Deferral | undefined;
}

function keeperHost({ sip }: Config, server: () => Server): KeeperHost {
  const routeSets = [sip.core === undefined ? [] : [`<${sip.core}>`]];
  return {
    keep: (id, said) => server().cpm.engine.messages.keep(id, said),
    said: (id, status) => server().cpm.engine.messages.said(id, status),
    send(id, request) {
      request.headers.push(headerField('Call-ID', id));
      server().stack.execute({ type: 'sendOutside', exchange: id, branch: id, request, routeSets });
    },
  };
}

async function listen(config: Config, network: NodeNetwork): Promise<void> {
  const tls = tlsOf(config);
  for (const address of listenAddresses(config)) {
    await network.listen(address, {
      ...(config.sip.advertise === undefined ? {} : { advertise: config.sip.advertise }),
      ...(tls === undefined ? {} : { tls }),
    });
  }
}

function assembled(config: Config, log: Logger, parts: Parts): Server {
  const { clock, network, traces, guards, served, preferences, history, sessions, deferral } = parts;
  const recording = recordingFor(config, () => cpm.engine);
  if (recording !== undefined) sweepSpool(recording, sessions);
  const relay =
    parts.media === undefined
      ? undefined
      : mediaRelay(
          config,
          clock,
          parts.media,
          parts.key,
          (session, leg) => cpm.engine.mediaFailed(session, leg),
          recording?.recorder.observe,
        );
  const overload = overloadControl(config.sip.overload, clock, () => cpm.engine.sessions.size);
  const stack = sipStack(config, clock, network, overload);
  const registrations = new Registrations({
    clock,
    maxUsers: config.registrar.maxUsers,
    ...('registrations' in sessions ? { keeper: sessions.registrations } : {}),
  });
  const regEvents = regEventsBy(config, { clock, stack, network, registrations });
  const conferences = conferencesBy(config, stack, network, (session, body) =>
    cpm.engine.conferenceTold(session, body),
  );
  const ladders = new Ladders(clock);
  const inspector = new Inspector(config.log.redact ? maskNumbers : (text) => text);
  const told = sessionLog(log, config.log.redact);
  const ended = new EndedSessions();
  const observers = new Set<(session: Session) => void>();
  const tellObservers = (session: Session): void => {
    if (observers.size > 0) for (const observer of observers) observer(session);
  };
  traces.onMessage = tellObservers;
  const cpm: CpmEngine = createEngine({
    ...engineSettings(config),
    policy: policiesOf(config, served),
    ...(guards === undefined ? {} : { guards }),
    sip: traces.watch(ladders.watch(stack)),
    clock,
    contact: contactOf(network),
    isOwn: (host, port) => network.isOwn(host, port),
    contactKey: parts.key,
    profiles: profiles({
      ...subscribers(config, served, regEvents ?? registrations, preferences),
      instanceOf: (user, contributionId) => cpm.engine.instances.get(user, contributionId),
    }),
    ...(history === undefined ? {} : { history }),
    ...(relay === undefined ? {} : { media: relay }),
    ...(recording === undefined ? {} : { spool: recording.spool }),
    sessions,
    ...(deferral === undefined ? {} : { deferral }),
    outside: registering(stack, registrations, config.registrar.driver, regEvents),
    log: engineLog(log, config.log.redact),
    observe(session, event) {
      told.observe(session, event);
      inspector.observe(session, event);
      traces.observe(session, event);
      conferences?.observe(session);
      tellObservers(session);
    },
    ended: (session) => {
      ladders.end(session.id);
      recording?.recorder.end(session.id);
      conferences?.end(session.id);
      inspector.ended(session);
      traces.ended(session);
      ended.note(session);
      told.ended(session);
      tellObservers(session);
    },
  });
  const reloads = new Reloads({ config, users: served.users }, () => clock.now());
  registrations.onRegistered = (addresses) => cpm.engine.messages.registered(addresses);
  const door = guarded(stack, log);
  const server: Server = {
    config,
    cpm,
    door,
    stack,
    network,
    ladders,
    traces,
    ended,
    observers,
    inspector,
    registrations,
    preferences,
    regEvents,
    sessions,
    history,
    overload,
    clock,
    media: relay === undefined || parts.media === undefined ? undefined : { relay, network: parts.media },
    recorder: recording?.recorder,
    deferral,
    reloads,
    get users() {
      return served.users;
    },
    listening: network.listening.map(
      ({ transport, address, port }) => `${transport.toLowerCase()}:${bracketed(address)}:${port}`,
    ),
    reload(next) {
      Object.assign(served, servedBy(next));
      cpm.engine.policies = policiesOf({ ...config, policy: next.policy, compat: next.compat }, served);
      // Clients that stand beside the users may be there now.
      cpm.engine.messages.registered(cpm.engine.messages.queues.users);
      return reloads.taken({ config: next, users: served.users });
    },
    stop: (how = config.shutdown.sessions) => stop(server, how),
  };
  // Not before every stored session is known again: a BYE for one of them would get a 481.
  network.attach(traced(door, traces));
  regEvents?.resume();
  return server;
}

/** Tells the traces of what comes in, and hands it on. */
function traced(user: NetworkUser, traces: Traces): NetworkUser {
  return {
    receive: (bytes, flow) => traces.received(bytes, flow, () => user.receive(bytes, flow)),
    receiveFrame: (frame, flow) =>
      frame.kind === 'message'
        ? traces.received(frame.bytes, flow, () => user.receiveFrame(frame, flow))
        : user.receiveFrame(frame, flow),
  };
}

function sipStack(config: Config, clock: NodeClock, network: NodeNetwork, overload: OverloadControl): SipStack {
  const { t1, t2, t4, timerC } = config.timers;
  return new SipStack({
    clock,
    identifiers: nodeIdentifiers(),
    network,
    resolver: nodeResolver(),
    random: Math.random,
    timers: { ...DEFAULT_TIMERS, t1, t2, t4, timerC },
    limits: messageLimits(config),
    trusts: trustOf(config.sip.trusted),
    overload: () => overload.retryAfter(),
  });
}

interface RegEventParts {
  readonly clock: NodeClock;
  readonly stack: SipStack;
  readonly network: NodeNetwork;
  readonly registrations: Registrations;
}

function regEventsBy({ registrar, sip }: Config, parts: RegEventParts): RegEvents | undefined {
  if (registrar.driver !== 'regEvent') return undefined;
  const contact = `sip:${contactOf(parts.network)}`;
  const identifiers = nodeIdentifiers();
  return new RegEvents({
    ...parts,
    sip: parts.stack,
    token: () => identifiers.token(),
    from: contact,
    contact,
    routes: sip.core === undefined ? [] : [`<${sip.core}>`],
    expiresSeconds: registrar.regEvent.expires,
    atOnce: registrar.regEvent.atOnce,
    maxUsers: registrar.maxUsers,
  });
}

/** RFC 4575: where we ask the focus ourselves. */
function conferencesBy(
  { recording, sip }: Config,
  stack: SipStack,
  network: NodeNetwork,
  told: (session: string, body: Uint8Array) => boolean,
): ConferenceWatch | undefined {
  if (recording.conferenceEvents !== 'subscribe') return undefined;
  const identifiers = nodeIdentifiers();
  return new ConferenceWatch({
    sip: stack,
    token: () => identifiers.token(),
    contact: `sip:${contactOf(network)}`,
    routes: sip.core === undefined ? [] : [`<${sip.core}>`],
    told,
  });
}

/** One number in the configuration; heads never need more than a datagram holds. */
function messageLimits({ sip }: Config): MessageLimits {
  const headBytes = Math.min(65_535, sip.maxMessageBytes);
  return { ...DEFAULT_LIMITS, headBytes, bodyBytes: sip.maxMessageBytes - headBytes };
}

/** Our Contact: the address peers know us by; a transport parameter where UDP is not spoken. */
function contactOf(network: NodeNetwork): string {
  for (const transport of ['UDP', 'TCP', 'TLS', 'WS', 'WSS'] as const) {
    if (!network.speaks(transport)) continue;
    return network.sentBy(transport) + transportParam(transport);
  }
  throw new Error('sip.listen names no address');
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
