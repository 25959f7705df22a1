/**
 * The MSRP relay: a B2BUA of the media plane. Toward each leg it is an MSRP endpoint of its own, with a path and a
 * connection of its own; what comes from one end of a stream goes to the other.
 */
import type { LegName } from '../../../machines/session/context.ts';
import type { MediaLegs, MediaPort, StoredMediaLeg } from '../../engine/ports.ts';
import { type MsrpLine, msrpLines, type Setup, withOwnMsrpLines } from '../../sdp/msrp-lines.ts';
import type { Clock } from '../../time/clock.ts';
import type { Carrier, CarrierTarget, CarrierUser } from '../carrier.ts';
import { type MsrpCounters, msrpCounters } from '../counters.ts';
import type { MsrpLimits } from '../limits.ts';
import { bareEndLine } from '../message/compose.ts';
import type { MsrpHead } from '../message/head.ts';
import type { MsrpIdentifiers } from '../message/identifiers.ts';
import { msrpUri, parseMsrpUri, sameMsrpUri } from '../message/uri.ts';
import { Attendance } from './attendance.ts';
import { Binding, type BindingKey } from './binding.ts';
import { Channel, type ChannelHost } from './channel.ts';
import { isActive, ownLine, peerOf, setupToward } from './describing.ts';
import type { Observe } from './observer.ts';
import { Streams } from './streams.ts';

/** The sockets below. */
export interface MediaNetwork {
  /** Host in our descriptions and paths. */
  readonly host: string;
  /** Ports that are heard on, TCP and TLS. */
  readonly ports: readonly number[];
  readonly securePorts: readonly number[];
  /** SHA-256 fingerprint of our certificate; null where there is none. */
  readonly fingerprint: string | null;
  /** Whom an inbound connection is given to. */
  onConnection: (carrier: Carrier) => CarrierUser;
  dial(target: CarrierTarget, user: (carrier: Carrier) => CarrierUser): void;
}

export interface RelayOptions {
  readonly clock: Clock;
  readonly limits: MsrpLimits;
  readonly identifiers: MsrpIdentifiers;
  readonly network: MediaNetwork;
  /** A session-id that nobody can guess, the same for the same text in every process (RFC 4975 14.1). */
  readonly sessionIdOf: (text: string) => string;
  readonly observe?: Observe;
  /** A leg's connection was lost, or never came, and is not back in time. */
  readonly failed?: (session: string, leg: LegName) => void;
}

export class MsrpRelay implements MediaPort, ChannelHost {
  readonly clock: Clock;
  now = 0;
  readonly limits: MsrpLimits;
  readonly identifiers: MsrpIdentifiers;
  readonly observe: Observe | undefined;
  readonly counters: MsrpCounters = msrpCounters();
  readonly #options: RelayOptions;
  readonly #sessions = new Map<string, Streams>();
  readonly #byUri = new Map<string, Binding>();
  readonly #bySessionId = new Map<string, Binding>();
  readonly #attendance = new Map<Binding, Attendance>();
  /** What was last said of `setup` for a binding. */
  readonly #said = new Map<Binding, Setup | null>();
  readonly #channels = new Set<Channel>();
  #touched: Channel[] = [];
  #stopped = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.limits = options.limits;
    this.identifiers = options.identifiers;
    this.observe = options.observe;
    options.network.onConnection = (carrier) => this.#channel(carrier);
  }

  get bindings(): number {
    return this.#bySessionId.size;
  }

  get connections(): number {
    return this.#channels.size;
  }

  bindingsOf(session: string): readonly Binding[] {
    return this.#sessions.get(session)?.all ?? [];
  }

  // --- descriptions --------------------------------------------------------------------------------------------

  adapt(session: string, leg: LegName, sdp: string, legs: MediaLegs): string {
    const lines = msrpLines(sdp);
    const heard = msrpLines(legs[leg]?.received ?? '');
    const adapted = withOwnMsrpLines(sdp, (index) => {
      const key = { session, leg, stream: legs[leg]?.streams?.[index] ?? index };
      const [line, peer] = [lines[index], heard[index]];
      if (line === undefined) return undefined;
      if (line.port === 0) return this.#freeAt(key);
      const binding = this.#bindingAt(key, peer?.secure ?? line.secure, line);
      if (binding === undefined) return undefined;
      const setup = setupToward(this.#said.get(binding), binding.active, peer);
      this.#said.set(binding, setup);
      return ownLine(binding, setup, peer?.cema ?? line.cema, this.#own);
    });
    this.#learn(session, legs);
    return adapted;
  }

  get #own() {
    const { host, fingerprint } = this.#options.network;
    return { host, fingerprint, maxSize: this.limits.messageBytes };
  }

  #bindingAt(key: BindingKey, secure: boolean, line: MsrpLine): Binding | undefined {
    const known = this.#sessions.get(key.session)?.get(key.leg, key.stream);
    if (known !== undefined) return known;
    const { network } = this.#options;
    const ports = secure ? network.securePorts : network.ports;
    const sessionId = this.#sessionId(key);
    const port = ports[hashOf(sessionId) % ports.length];
    if (port === undefined || line.path === undefined) {
      // TLS without a certificate of ours can't be ended here, so it goes on end to end.
      this.counters.passedThrough++;
      return undefined;
    }
    return this.#allocate(key, secure, port);
  }

  #sessionId(key: BindingKey): string {
    return this.#options.sessionIdOf(`${key.session}.${key.leg}.${key.stream}`);
  }

  #allocate(key: BindingKey, secure: boolean, port: number): Binding {
    const uri = parseMsrpUri(msrpUri(this.#options.network.host, port, this.#sessionId(key), secure));
    if (uri === undefined) throw new Error(`no MSRP URI for host ${this.#options.network.host}`);
    const binding = new Binding(key, uri, port);
    const streams = this.#sessions.get(key.session) ?? new Streams();
    this.#sessions.set(key.session, streams);
    streams.add(binding);
    this.#byUri.set(binding.uri, binding);
    this.#bySessionId.set(binding.sessionId, binding);
    this.#attendance.set(
      binding,
      new Attendance(
        { clock: this.clock, limits: this.limits, dial: (b) => this.#dial(b), failed: (b) => this.#failed(b) },
        binding,
      ),
    );
    this.counters.allocated++;
    return binding;
  }

  /** Takes in what the legs say of themselves, and joins the streams of which both ends are known. */
  #learn(session: string, legs: MediaLegs): void {
    const streams = this.#sessions.get(session);
    if (streams === undefined) return;
    for (const [leg, { received, streams: places }] of Object.entries(legs)) {
      if (received === null || streams.read.get(leg) === received) continue;
      let complete = true;
      msrpLines(received).forEach((line, index) => {
        const binding = streams.get(leg, places?.[index] ?? index);
        if (line === undefined) return;
        if (binding === undefined) complete = false;
        else this.#describe(binding, line);
      });
      // A leg whose own lines are not written yet is read again when they are.
      if (complete) streams.read.set(leg, received);
    }
    for (const binding of streams.join()) this.#attendance.get(binding)?.expect(this.limits.openMs);
    if (streams.all.length === 0) this.#sessions.delete(session);
    this.flush();
  }

  #describe(binding: Binding, line: MsrpLine): void {
    const peer = peerOf(line);
    if (peer === undefined) {
      this.#free(binding);
      return;
    }
    const was = binding.active;
    const change = binding.describe(peer);
    binding.active = isActive(this.#said.get(binding) ?? null, line.setup);
    const { channel } = binding;
    if (channel === undefined) return;
    // A peer that was quicker than its description, and is not who that speaks of.
    if (change === 'other' || !fits(binding, channel)) this.#drop(binding, channel);
    else if (change === 'moved' && was && binding.active) this.#drop(binding, channel);
  }

  // --- life ----------------------------------------------------------------------------------------------------

  release(session: string, legs: readonly LegName[]): void {
    for (const binding of this.#sessions.get(session)?.of(legs) ?? []) this.#free(binding);
    this.flush();
  }

  end(session: string): void {
    for (const binding of this.bindingsOf(session)) this.#free(binding);
    this.flush();
  }

  #freeAt({ session, leg, stream }: BindingKey): undefined {
    const binding = this.#sessions.get(session)?.get(leg, stream);
    if (binding !== undefined) this.#free(binding);
  }

  #free(binding: Binding): void {
    const { session } = binding.key;
    const streams = this.#sessions.get(session);
    if (!this.#bySessionId.delete(binding.sessionId)) return;
    this.#byUri.delete(binding.uri);
    streams?.remove(binding);
    if (streams?.all.length === 0) this.#sessions.delete(session);
    this.#attendance.get(binding)?.stop();
    this.#attendance.delete(binding);
    this.#said.delete(binding);
    this.counters.freed++;
    binding.refuseWaiting(481);
    binding.dialling?.close(false);
    if (binding.channel !== undefined) this.#drop(binding, binding.channel);
  }

  /** The session leaves the connection; one that nobody is left on is closed, after what was said on it. */
  #drop(binding: Binding, channel: Channel): void {
    binding.channel = undefined;
    channel.leave(binding);
    if (channel.bindings.size > 0) return;
    this.counters.closedByUs++;
    channel.flushed();
    channel.close(true);
  }

  restore(session: string, legs: Readonly<Record<LegName, StoredMediaLeg>>): void {
    for (const [leg, { sent, streams }] of Object.entries(legs)) {
      msrpLines(sent ?? '').forEach((line, index) => {
        const uri = line?.path === undefined || line.port === 0 ? undefined : parseMsrpUri(line.path);
        const key = { session, leg, stream: streams?.[index] ?? index };
        if (line === undefined || uri?.sessionId !== this.#sessionId(key)) return;
        const { ports, securePorts } = this.#options.network;
        if (!(uri.secure ? securePorts : ports).includes(line.port)) {
          this.#lost(session, leg);
          return;
        }
        this.#said.set(this.#allocate(key, uri.secure, line.port), line.setup ?? null);
        this.counters.restored++;
      });
    }
    this.#learn(session, legs);
  }

  /** A path that peers know can't be had any more. */
  #lost(session: string, leg: LegName): void {
    this.counters.failures++;
    // The session is only being taken up; it hears of it when that is done.
    this.clock.schedule(0, { onTimer: () => this.#options.failed?.(session, leg) }, 'lost');
  }

  /** Closes every connection; the bindings stay, for a restart. */
  close(): void {
    this.#stopped = true;
    for (const attendance of this.#attendance.values()) attendance.stop();
    for (const channel of [...this.#channels]) channel.close(false);
  }

  // --- connections ---------------------------------------------------------------------------------------------

  #channel(carrier: Carrier): Channel {
    const channel = new Channel(this, carrier);
    this.#channels.add(channel);
    return channel;
  }

  #dial(binding: Binding): void {
    const { peer } = binding;
    if (peer === undefined) return;
    this.#options.network.dial(peer.target, (carrier) => {
      const channel = this.#channel(carrier);
      channel.dialledFor = binding;
      binding.dialling = channel;
      return channel;
    });
  }

  opened(channel: Channel): void {
    const binding = channel.dialledFor;
    if (binding?.dialling !== channel) return;
    binding.dialling = undefined;
    this.#attach(binding, channel);
    // RFC 4975 5.4: the one who connects says at once which session it is for.
    const id = this.identifiers.token();
    channel.message(`${binding.start(id, 'SEND')}Message-ID: ${id}\r\n${bareEndLine(id, '$')}`);
    binding.serve(channel);
  }

  #attach(binding: Binding, channel: Channel): void {
    binding.channel = channel;
    binding.channelPath = binding.toPath;
    channel.bindings.add(binding);
    this.#attendance.get(binding)?.met();
  }

  claim(head: MsrpHead, channel: Channel): Binding | 481 | 506 {
    const binding = this.#byUri.get(head.toPath) ?? this.#found(head.toPath);
    if (binding === undefined || !binding.accepts(head.fromPath)) return 481;
    if (binding.secure !== channel.carrier.secure || !fits(binding, channel)) return 481;
    if (binding.channel === channel) return binding;
    // RFC 4975 10.10; a peer that has moved, and said so, comes over another connection.
    if (binding.channel?.open === true && !binding.hasMovedTo(head.fromPath)) return 506;
    if (binding.channel !== undefined) this.#drop(binding, binding.channel);
    this.#attach(binding, channel);
    binding.serve(channel);
    return binding;
  }

  /** RFC 4975 6.1: the same URI in another spelling. */
  #found(toPath: string): Binding | undefined {
    const uri = parseMsrpUri(toPath);
    const binding = uri === undefined ? undefined : this.#bySessionId.get(uri.sessionId);
    if (uri === undefined || binding === undefined) return undefined;
    return binding.peer?.cema === true || sameMsrpUri(uri, binding.parsedUri) ? binding : undefined;
  }

  want(binding: Binding): void {
    this.#attendance.get(binding)?.expect(this.limits.openMs);
  }

  closed(channel: Channel, _reason: string): void {
    this.#channels.delete(channel);
    const wanted = channel.dialledFor;
    if (wanted?.dialling === channel) {
      wanted.dialling = undefined;
      this.counters.dialFailed++;
      this.#attendance.get(wanted)?.refused();
    }
    for (const binding of channel.bindings) {
      binding.channel = undefined;
      if (!channel.idle && !this.#stopped) this.#attendance.get(binding)?.expect(this.limits.reconnectMs);
    }
    channel.bindings.clear();
  }

  #failed(binding: Binding): void {
    this.counters.failures++;
    binding.dialling?.close(false);
    binding.refuseWaiting(408);
    this.flush();
    this.#options.failed?.(binding.key.session, binding.key.leg);
  }

  // --- the rest of what a connection asks ------------------------------------------------------------------------

  touched(channel: Channel): void {
    if (!this.#touched.includes(channel)) this.#touched.push(channel);
  }

  flush(): void {
    if (this.#touched.length === 0) return;
    const channels = this.#touched;
    this.#touched = [];
    for (const channel of channels) channel.flushed();
  }
}

/** RFC 4975 14.4: the certificate is the one the description names. */
function fits({ peer }: Binding, { carrier }: Channel): boolean {
  const expected = peer?.target.fingerprint;
  return expected === undefined || !carrier.secure || carrier.fingerprint === expected;
}

/** The same number for the same text, so that a path has its port in every process (FNV-1a). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
