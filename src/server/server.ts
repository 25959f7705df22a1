/** A Participating Function as a server: everything the configuration names, put together, started and stopped. */

import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { HistoryDriver, HistoryReader } from '../history/driver.ts';
import { sqliteHistory } from '../history/sqlite.ts';
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
import { type ProfileUser, profiles } from '../policy/profiles.ts';
import type { UserDirectory } from '../preferences/users.ts';
import { Registrations } from '../registrar/registrations.ts';
import { readRegister } from '../registrar/third-party.ts';
import { headerField } from '../sip/message/header.ts';
import { DEFAULT_LIMITS, type MessageLimits } from '../sip/message/parse.ts';
import type { SipEvent } from '../sip/port.ts';
import { SipStack } from '../sip/stack.ts';
import { NodeNetwork } from '../sip/transport/node-network.ts';
import { policyOf } from './config/policy.ts';
import type { Config } from './config/schema.ts';
import { readSecret } from './config/secrets.ts';
import { loadUsers } from './config/users-file.ts';
import { isfRoutes } from './isf-routes.ts';
import { engineLog, type Logger } from './log.ts';
import { type OverloadControl, overloadControl } from './overload.ts';
import { sessionLog } from './session-log.ts';
import { listenAddresses, tlsOf } from './sip-addresses.ts';
import { trustOf } from './trust.ts';

export interface Server {
  readonly config: Config;
  readonly cpm: CpmEngine;
  readonly stack: SipStack;
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
  /** Takes a new configuration: policy and users at once, live sessions keep the policy they began with. */
  reload(config: Config): void;
  /** Refuses new sessions, ends or keeps the live ones, flushes the outbox, closes everything. */
  stop(): Promise<void>;
}

export async function startServer(config: Config, log: Logger): Promise<Server> {
  const clock = new NodeClock();
  const network = new NodeNetwork({ clock, messages: messageLimits(config) });
  const stack = sipStack(config, clock, network, () => overload.retryAfter());
  network.attach(stack);
  const tls = tlsOf(config);
  for (const address of listenAddresses(config)) {
    await network.listen(address, {
      ...(config.sip.advertise === undefined ? {} : { advertise: config.sip.advertise }),
      ...(tls === undefined ? {} : { tls }),
    });
  }
  const registrations = new Registrations({ clock, maxUsers: config.registrar.maxUsers });
  const ladders = new Ladders(clock);
  const history = config.history.driver === 'sqlite' ? sqliteHistory(config.history) : undefined;
  const sessions = config.sessions.driver === 'sqlite' ? sqliteSessions(config.sessions) : memorySessions();
  const directory = { users: usersOf(config) };
  const told = sessionLog(log, config.log.redact);
  const cpm: CpmEngine = createEngine({
    sip: ladders.watch(stack),
    clock,
    contact: contactOf(network),
    isOwn: (host, port) => network.isOwn(host, port),
    contactKey: contactKeyOf(config),
    products: config.sip.productTokens,
    ...(config.sip.warningAgent === undefined ? {} : { warningAgent: config.sip.warningAgent }),
    ...(config.sip.core === undefined ? {} : { core: config.sip.core }),
    policy: policyOf(config),
    profiles: profiles({
      user: (address) => userOf(config, directory.users, address),
      clients: (address) => clientsOf(config, registrations, address),
      instanceOf: (user, contributionId) => cpm.engine.instances.get(user, contributionId),
    }),
    isf: isfRoutes(config.isf.routes, Math.random),
    ...(history === undefined ? {} : { history }),
    rules: { metadata: config.recording.metadata, keepOldGroupState: config.recording.keepOldGroupState },
    retry: config.recording.retry,
    groupState: config.recording.groupState,
    ...(config.history.driver === 'sqlite' ? { folderName: config.history.folderName } : {}),
    sessions,
    otherServices: config.policy.otherServices,
    outside: (event) => register(event, stack, registrations, config),
    log: engineLog(log, config.log.redact),
    observe: told.observe,
    ended: (session) => {
      ladders.end(session.id);
      told.ended(session);
    },
  });
  const overload = overloadControl(config.sip.overload, () => cpm.engine.sessions.size);
  const server: Server = {
    config,
    cpm,
    stack,
    network,
    ladders,
    registrations,
    sessions,
    history,
    overload,
    clock,
    get users() {
      return directory.users;
    },
    listening: network.listening.map(
      ({ transport, address, port }) => `${transport.toLowerCase()}:${bracketed(address)}:${port}`,
    ),
    reload(next) {
      const users = usersOf(next);
      cpm.engine.policy = { ...policyOf(next), isfAvailable: config.isf.routes.length > 0 };
      directory.users = users;
    },
    stop: () => stop(server),
  };
  return server;
}

function sipStack(
  config: Config,
  clock: NodeClock,
  network: NodeNetwork,
  overload: () => number | undefined,
): SipStack {
  return new SipStack({
    clock,
    identifiers: nodeIdentifiers(),
    network,
    resolver: nodeResolver(),
    random: Math.random,
    timers: { t1: config.timers.t1, t2: config.timers.t2, t4: config.timers.t4, timerC: config.timers.timerC },
    limits: messageLimits(config),
    trusts: trustOf(config.sip.trusted),
    overload,
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
    const sentBy = network.sentBy(transport);
    return transport === 'UDP' ? sentBy : `${sentBy};transport=${transport.toLowerCase()}`;
  }
  throw new Error('sip.listen names no address');
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** the key must outlive the process, since clients keep our Contacts. */
function contactKeyOf(config: Config): string {
  if (config.sip.contactKey !== undefined) return readSecret(config.sip.contactKey);
  const file = 'data/contact.key';
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    mkdirSync('data', { recursive: true });
    const key = randomBytes(32).toString('hex');
    writeFileSync(file, `${key}\n`, { mode: 0o600 });
    return key;
  }
}

function usersOf(config: Config): UserDirectory | undefined {
  return config.users.driver === 'file' ? loadUsers(config.users.path) : undefined;
}

function userOf(config: Config, users: UserDirectory | undefined, address: string): ProfileUser | undefined {
  if (users !== undefined) return users.find(address);
  return {
    address,
    services: null,
    allowOfflineStorage: config.policy.defaultAllowOfflineStorage,
    doNotDisturb: false,
    interworking: null,
    blacklist: NOBODY,
    clients: config.registrar.driver === 'none' ? ANY_CLIENT : [],
  };
}

const NOBODY: ReadonlySet<string> = new Set();
/** `registrar.driver: none`: the core knows who is there, so everybody counts as reachable. */
const ANY_CLIENT = [{ instance: '', services: ['session', 'session.group'], media: ['message', 'audio', 'video'] }];

function clientsOf(config: Config, registrations: Registrations, address: string) {
  if (config.registrar.driver === 'thirdParty') return registrations.clientsOf(address);
  return config.registrar.driver === 'none' ? ANY_CLIENT : null;
}

/** A third-party REGISTER of the core (digest 3.5). */
function register(
  event: Extract<SipEvent, { type: 'outside' }>,
  stack: SipStack,
  registrations: Registrations,
  config: Config,
): boolean {
  const { exchange, request, source } = event;
  if (request.method !== 'REGISTER') return false;
  const answer = (status: number, ...headers: ReturnType<typeof headerField>[]): boolean => {
    stack.execute({ type: 'reply', exchange, status, headers });
    return true;
  };
  if (config.registrar.driver !== 'thirdParty') return answer(405);
  if (!source.trusted) return answer(403);
  const registration = readRegister(request);
  if (registration === undefined) return answer(400);
  if (!registrations.register(registration)) return answer(503, headerField('Retry-After', '60'));
  return answer(200, headerField('Expires', String(registration.expiresSeconds)));
}

/** How often a stopping server looks whether everything has ended. */
const LOOK_MS = 20;

async function stop(server: Server): Promise<void> {
  const { config, cpm, stack, network, sessions, history, overload, clock } = server;
  const { engine, outbox } = cpm;
  engine.refusing = true;
  const deadline = clock.now() + config.shutdown.graceMs;
  if (config.shutdown.sessions === 'end') {
    for (const id of [...engine.sessions.keys()]) engine.end(id, 'shutdown');
    while (engine.sessions.size > 0 && clock.now() < deadline) await pause(LOOK_MS);
  }
  outbox?.retryNow();
  while (outbox !== undefined && outbox.depth > 0 && clock.now() < deadline) await pause(LOOK_MS);
  overload.stop();
  engine.flush();
  stack.close();
  await network.close();
  cpm.close();
  if ('close' in sessions) sessions.close();
  history?.close();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
