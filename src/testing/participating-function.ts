/** A Participating Function in the virtual world: the real engine on the real stack, with a disk that survives it. */

import type { SessionMachine } from '../../machines/session/machine.ts';
import type { OwnGuards } from '../../machines/session/own-guards.ts';
import type { Policy, Profile } from '../../machines/session/policy.ts';
import { Engine, type EngineOptions } from '../engine/engine.ts';
import type { ContactCipher } from '../engine/identity.ts';
import type { EngineLog, MediaPort, ProfilePort, ProfileQuery } from '../engine/ports.ts';
import type { Done, HistoryDriver } from '../history/driver.ts';
import { MemoryHistory } from '../history/memory.ts';
import { Outbox } from '../history/outbox.ts';
import type { RecordingRules } from '../history/record.ts';
import { DEFAULT_POLICY, DEFAULT_PROFILE as PLAIN_PROFILE } from '../policy/defaults.ts';
import { RuledPolicy } from '../policy/ruled-policy.ts';
import type { ClassOf, PolicyRule } from '../policy/rules.ts';
import { bytesOfWire, wireOfBytes } from '../sip/message/bytes.ts';
import { SipStack } from '../sip/stack.ts';
import { DEFAULT_TIMERS } from '../sip/transaction/timers.ts';
import type { Clock, Timer, TimerOwner } from '../time/clock.ts';
import type { SeededRandom } from './seeded.ts';
import type { VirtualClock } from './virtual-clock.ts';
import type { VirtualNetwork, VirtualNode } from './virtual-network.ts';
import { VirtualDisk, VirtualStore } from './virtual-store.ts';

export interface FunctionOptions {
  readonly address?: string;
  /** Address of the core; null leaves the way to the request itself. */
  readonly core?: string | null;
  /** Addresses of the ISF, best first; none means that there is no ISF. */
  readonly isf?: readonly string[];
  readonly policy?: Partial<Policy>;
  /** What is different for some sessions. */
  readonly policyRules?: readonly PolicyRule[];
  readonly userClass?: ClassOf;
  readonly guards?: OwnGuards;
  /** What is known of the served user; a function may answer later. */
  readonly profile?: Partial<Profile> | ((query: ProfileQuery, done: (profile: Profile) => void) => void);
  readonly trusts?: (address: string) => boolean;
  readonly history?: HistoryDriver;
  readonly rules?: Partial<RecordingRules>;
  readonly groupState?: 'always' | 'groupOnly';
  readonly otherServices?: 'forward' | 'reject';
  readonly machine?: SessionMachine;
  /** The media plane; without one, descriptions pass through and what is released is noted. */
  readonly media?: MediaPort;
  readonly observe?: EngineOptions['observe'];
  readonly ended?: EngineOptions['ended'];
  readonly overload?: () => number | undefined;
}

export const DEFAULT_PROFILE: Profile = {
  ...PLAIN_PROFILE,
  clients: [
    {
      instance: '<urn:uuid:00000000-0000-1000-8000-000000000001>',
      services: ['session', 'session.group', 'msg'],
      media: ['message'],
    },
  ],
};

export class ParticipatingFunction {
  readonly address: string;
  readonly disk = new VirtualDisk();
  readonly history: HistoryDriver;
  readonly released: string[] = [];
  /** Hears what an operator would read in the log. */
  onProblem: EngineLog['problem'] = () => {};
  policy: Policy;
  profile: FunctionOptions['profile'];
  engine!: Engine;
  stack!: SipStack;
  store!: VirtualStore;
  outbox!: Outbox;
  #process!: Process;
  readonly #clock: VirtualClock;
  readonly #network: VirtualNetwork;
  readonly #random: SeededRandom;
  readonly #options: FunctionOptions;
  #node!: VirtualNode;
  #up = false;

  constructor(clock: VirtualClock, network: VirtualNetwork, random: SeededRandom, options: FunctionOptions = {}) {
    this.#clock = clock;
    this.#network = network;
    this.#random = random;
    this.#options = options;
    this.address = options.address ?? '10.0.0.10:5060';
    this.history = options.history ?? new MemoryHistory();
    this.policy = { ...DEFAULT_POLICY, isfAvailable: (options.isf ?? []).length > 0, ...options.policy };
    this.profile = options.profile;
    this.start();
  }

  /** Boots on what the disk holds. */
  start(): void {
    const options = this.#options;
    const node = this.#network.attach(this.address, (bytes, flow) => this.stack.receive(bytes, flow));
    const clock = new Process(this.#clock);
    this.#process = clock;
    this.#node = node;
    this.store = new VirtualStore(clock, this.disk);
    this.stack = new SipStack({
      clock,
      identifiers: this.#random,
      network: node,
      resolver: { naptr: (_, done) => done([]), srv: (_, done) => done([]), addresses: (_, done) => done([]) },
      random: () => this.#random.next(),
      // A transcript is easier to read where each INVITE has its 100 at once.
      timers: { ...DEFAULT_TIMERS, trying: 0 },
      trusts: options.trusts ?? (() => true),
      ...(options.overload === undefined ? {} : { overload: options.overload }),
    });
    this.outbox = new Outbox({
      driver: clock.connected(this.history),
      rules: { metadata: true, keepOldGroupState: true, ...options.rules },
      clock,
      forget: (ids) => this.store.forgetIntents(ids),
      onOutcome: (intent, outcome) => this.engine.onHistory(intent, outcome),
    });
    this.engine = new Engine({
      sip: this.stack,
      clock,
      defer: (work) => clock.schedule(0, { onTimer: work }, 'turn'),
      store: this.store,
      profiles: this.#profiles(),
      history: this.outbox,
      media: this.#media(),
      isf: { routeSets: () => (options.isf ?? []).map((address) => [`<sip:${address};lr>`]) },
      identity: {
        host: this.address.split(':')[0] ?? '',
        products: 'CPM-serv/OMA2.0 cpm-engine/test',
        contact: this.address,
        mediaAddress: this.address.split(':')[0] ?? '',
        methods: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'PRACK', 'UPDATE', 'INFO', 'REFER', 'NOTIFY', 'MESSAGE'],
      },
      contacts: plainContacts,
      isOwn: (host, port) => node.isOwn(host, port),
      policy: new RuledPolicy(this.policy, options.policyRules, options.userClass),
      coreRouteSets: options.core === null ? [[]] : [[`<sip:${options.core ?? '10.0.0.20:5060'};lr>`]],
      otherServices: options.otherServices ?? 'forward',
      groupState: options.groupState ?? 'always',
      folderName: ['contributionId', 'sessionId', 'callId'],
      log: { session: () => {}, problem: (...problem) => this.onProblem(...problem) },
      ...(options.machine === undefined ? {} : { machine: options.machine }),
      ...(options.guards === undefined ? {} : { guards: options.guards }),
      ...(options.observe === undefined ? {} : { observe: options.observe }),
      ...(options.ended === undefined ? {} : { ended: options.ended }),
    });
    this.#up = true;
    this.engine.restore([...this.disk.intents.values()]);
  }

  #profiles(): ProfilePort {
    return {
      lookUp: (query, done) => {
        const { profile } = this;
        // Whoever asked may be gone by the time the answer comes.
        const asking = this.#process;
        if (typeof profile === 'function') profile(query, (found) => (asking.alive ? done(found) : undefined));
        else done({ ...DEFAULT_PROFILE, ...profile });
      },
    };
  }

  #media(): MediaPort {
    const { media } = this.#options;
    if (media !== undefined) return this.#process.reaching(media);
    return {
      adapt: (_session, _leg, sdp) => sdp,
      release: (session, legs) => this.released.push(...legs.map((leg) => `${session}.${leg}`)),
    };
  }

  /** Timers of this process that have neither fired nor been cancelled. */
  get timers(): number {
    return this.#process.timers;
  }

  /** What it holds of sessions; empty once all is over. */
  get held(): string[] {
    const { engine, stack, disk, outbox } = this;
    const held = stack.held;
    return [
      ...[...engine.sessions.values()].map((session) => `session ${session.id} in ${session.state}`),
      ...[...disk.sessions.keys()].map((id) => `stored session ${id}`),
      ...[...disk.intents.keys()].map((id) => `intent ${id}`),
      ...(outbox.depth > 0 ? [`outbox ${outbox.depth}`] : []),
      ...(held.legs > 0 ? [`${held.legs} legs`] : []),
      ...(held.proxied > 0 ? [`${held.proxied} proxied sessions`] : []),
      ...(held.clients > 0 ? [`${held.clients} client transactions`] : []),
      ...(held.servers > 0 ? [`${held.servers} server transactions`] : []),
    ];
  }

  get up(): boolean {
    return this.#up;
  }

  /** `kill -9`: what was not on the disk is gone, and nobody hears of it. */
  crash(): void {
    this.#up = false;
    this.#process.die();
    this.outbox.close();
    this.#node.dead = true;
    this.store.crash();
    this.#network.detach(this.address);
  }
}

/** What one process sees of the world: after its end nothing fires, nothing is answered, and nothing is done. */
class Process implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();
  #alive = true;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Timers that have neither fired nor been cancelled. */
  get timers(): number {
    return this.#timers.size;
  }

  /** A process that is killed in the middle of its work does nothing more to its media. */
  reaching(media: MediaPort): MediaPort {
    return {
      adapt: (session, leg, sdp, legs) => (this.#alive ? media.adapt(session, leg, sdp, legs) : sdp),
      release: (session, legs) => (this.#alive ? media.release(session, legs) : undefined),
      end: (session) => (this.#alive ? media.end?.(session) : undefined),
      restore: (session, legs) => media.restore?.(session, legs),
    };
  }

  /** What the store was asked is done there; whoever asked may be gone by then. */
  connected(driver: HistoryDriver): HistoryDriver {
    const heard = <T>(done: Done<T>): Done<T> => {
      return (error, value) => {
        if (!this.#alive) return;
        if (error !== null) done(error);
        else done(null, value as T);
      };
    };
    const { together } = driver;
    return {
      openFolder: (folder, done) => driver.openFolder(folder, heard(done)),
      append: (folder, key, object, done) => driver.append(folder, key, object, heard(done)),
      setPointer: (folder, pointer, uid, done) => driver.setPointer(folder, pointer, uid, heard(done)),
      getPointer: (folder, pointer, done) => driver.getPointer(folder, pointer, heard(done)),
      remove: (folder, uid, done) => driver.remove(folder, uid, heard(done)),
      ...(together === undefined ? {} : { together: together.bind(driver) }),
      close: () => driver.close(),
    };
  }

  schedule(delayMs: number, owner: TimerOwner, name: string): Timer {
    const timers = this.#timers;
    const guarded: TimerOwner = {
      onTimer: (fired) => {
        timers.delete(timer);
        if (this.#alive) owner.onTimer(fired);
      },
    };
    const scheduled = this.#clock.schedule(delayMs, guarded, name);
    const timer: Timer = {
      name,
      dueAt: scheduled.dueAt,
      cancel() {
        timers.delete(timer);
        scheduled.cancel();
      },
    };
    timers.add(timer);
    return timer;
  }

  die(): void {
    this.#alive = false;
    for (const timer of [...this.#timers]) timer.cancel();
  }
}

/** Contact tokens that a reader of a transcript can read: hexadecimal, neither secret nor authenticated. */
const plainContacts: ContactCipher = {
  seal: (uri) => `c0-${[...bytesOfWire(uri)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`,
  open: (token) => {
    if (!token.startsWith('c0-')) return undefined;
    const pairs = token.slice(3).match(/../g) ?? [];
    return wireOfBytes(Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16)));
  },
};
