/** A Participating Function as a server: everything the configuration names, put together, started and stopped. */

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
import { Ladders } from '../inspect/ladder.ts';
import { profiles } from '../policy/profiles.ts';
import type { UserDirectory } from '../preferences/users.ts';
import { Registrations } from '../registrar/registrations.ts';
import { transportParam } from '../sip/flow.ts';
import { DEFAULT_LIMITS, type MessageLimits } from '../sip/message/parse.ts';
import { SipStack } from '../sip/stack.ts';
import { DEFAULT_TIMERS } from '../sip/transaction/timers.ts';
import { NodeNetwork } from '../sip/transport/node-network.ts';
import { policyOf } from './config/policy.ts';
import type { Config } from './config/schema.ts';
import { contactKey } from './contact-key.ts';
import { engineSettings } from './engine-settings.ts';
import { type Guarded, guarded } from './guarded.ts';
import { historyOf } from './history-store.ts';
import { engineLog, type Logger } from './log.ts';
import { type OverloadControl, overloadControl } from './overload.ts';
import { registering } from './registering.ts';
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
  readonly registrations: Registrations;
  readonly sessions: Sessions | SqliteSessions;
  readonly history: (HistoryDriver & HistoryReader) | undefined;
  readonly overload: OverloadControl;
  readonly clock: NodeClock;
  readonly users: UserDirectory | undefined;
  /** `udp:127.0.0.1:5060` for each address heard on. */
  readonly listening: readonly string[];
  /** Takes policy and users of a new configuration, at once; live sessions keep the policy they began with. */
  reload(config: Config): void;
  /** Refuses new sessions, ends or keeps the live ones, flushes the outbox, closes everything. */
  stop(sessions?: Config['shutdown']['sessions']): Promise<void>;
}

/** Opens the stores, then the sockets, takes up what the stores hold, and only then hears what comes. */
export async function startServer(config: Config, log: Logger): Promise<Server> {
  const clock = new NodeClock();
  const network = new NodeNetwork({ clock, messages: messageLimits(config) });
  const closing: (() => unknown)[] = [() => network.close()];
  try {
    const served = servedBy(config);
    const key = contactKey(config.sip.contactKey);
    const history = historyOf(config.history);
    closing.push(() => history?.close());
    const stored = config.sessions.driver === 'sqlite' ? sqliteSessions(config.sessions) : undefined;
    closing.push(() => stored?.close());
    await listen(config, network);
    return assembled(config, log, { clock, network, served, key, history, sessions: stored ?? memorySessions() });
  } catch (error) {
    for (const close of closing.reverse()) await close();
    clock.stop();
    throw error;
  }
}

interface Parts {
  readonly clock: NodeClock;
  readonly network: NodeNetwork;
  readonly served: Served;
  readonly key: string;
  readonly history: (HistoryDriver & HistoryReader) | undefined;
  readonly sessions: Sessions | SqliteSessions;
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
  const { clock, network, served, history, sessions } = parts;
  const overload = overloadControl(config.sip.overload, () => cpm.engine.sessions.size);
  const stack = sipStack(config, clock, network, overload);
  const registrations = new Registrations({
    clock,
    maxUsers: config.registrar.maxUsers,
    ...('registrations' in sessions ? { keeper: sessions.registrations } : {}),
  });
  const ladders = new Ladders(clock);
  const told = sessionLog(log, config.log.redact);
  const cpm: CpmEngine = createEngine({
    ...engineSettings(config),
    sip: ladders.watch(stack),
    clock,
    contact: contactOf(network),
    isOwn: (host, port) => network.isOwn(host, port),
    contactKey: parts.key,
    profiles: profiles({
      ...subscribers(config, served, registrations),
      instanceOf: (user, contributionId) => cpm.engine.instances.get(user, contributionId),
    }),
    ...(history === undefined ? {} : { history }),
    sessions,
    outside: registering(stack, registrations, config.registrar.driver),
    log: engineLog(log, config.log.redact),
    observe: told.observe,
    ended: (session) => {
      ladders.end(session.id);
      told.ended(session);
    },
  });
  const door = guarded(stack, log);
  const server: Server = {
    config,
    cpm,
    door,
    stack,
    network,
    ladders,
    registrations,
    sessions,
    history,
    overload,
    clock,
    get users() {
      return served.users;
    },
    listening: network.listening.map(
      ({ transport, address, port }) => `${transport.toLowerCase()}:${bracketed(address)}:${port}`,
    ),
    reload(next) {
      Object.assign(served, servedBy(next));
      cpm.engine.policy = policyOf({ ...config, policy: next.policy, compat: next.compat });
    },
    stop: (how = config.shutdown.sessions) => stop(server, how),
  };
  // Not before every stored session is known again: a BYE for one of them would get a 481.
  network.attach(door);
  return server;
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
