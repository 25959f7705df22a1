/**
 * Traces of some sessions: of new ones as far as a budget allows, and of those that somebody asked for. A session
 * without a trace costs a look into a map for each message and step, whatever the load.
 *
 * Which session a message belongs to is told by what happens while it is handled: what a session orders is sent while
 * its order is carried out, and what came in leads to an event of its session. Only what the stack does by itself
 * (repetitions, 100, ACK for a refusal) is looked into, for its Call-ID and tags.
 */
import type { OwnGuards } from '../../machines/session/own-guards.ts';
import type { Session } from '../engine/session.ts';
import type { Unstamped } from '../engine/translate.ts';
import type { Flow } from '../sip/flow.ts';
import { sessionOf } from '../sip/leg-id.ts';
import { wireOfBytes } from '../sip/message/bytes.ts';
import type { SipPort } from '../sip/port.ts';
import { watchedPort } from '../sip/watched-port.ts';
import { Trace } from './trace.ts';
import { callIdOf, ownTagOf } from './wire.ts';

/** New sessions traced in a second, and how many at once after a quiet while. */
const RATE_PER_SECOND = 5;
const BURST = 40;

interface Arriving {
  readonly bytes: Uint8Array;
  readonly flow: Flow;
}

export class Traces {
  /** Told of each message that was noted: one may leave after its step, once that is stored. */
  onMessage: (session: Session) => void = () => {};
  readonly #now: () => number;
  readonly #keep: number;
  readonly #guards: OwnGuards | undefined;
  readonly #traces = new Map<string, Trace>();
  readonly #byCallId = new Map<string, Trace[]>();
  /** The message that is being handled, until it is known whose it is. */
  #arriving: Arriving | undefined;
  /** Whose order is being carried out: null for a session without a trace, undefined for nobody's. */
  #ordering: Trace | null | undefined;
  #budget = BURST;
  #budgetAt = 0;

  /**
   * `keep`: how many traces, of live and of ended sessions together; 0 for none at all. `guards`: the engine's own,
   * which are asked again when a step is looked at.
   */
  constructor(now: () => number, keep: number, guards?: OwnGuards) {
    this.#guards = guards;
    this.#now = now;
    this.#keep = keep;
  }

  of(session: string): Trace | undefined {
    return this.#traces.get(session);
  }

  /** Every trace there is, the oldest first. */
  all(): Iterable<Trace> {
    return this.#traces.values();
  }

  get size(): number {
    return this.#traces.size;
  }

  /** The session's trace, begun now where there is none. Undefined where traces are off. */
  follow(session: Session): Trace | undefined {
    if (this.#keep === 0) return undefined;
    return this.#traces.get(session.id) ?? this.#begin(session, false);
  }

  /** Sees each step of each session. */
  observe(session: Session, event: Unstamped | undefined): void {
    if (event !== undefined) return this.#traces.get(session.id)?.step(event);
    const arriving = this.#arriving;
    this.#arriving = undefined;
    if (!this.#affordable()) return;
    const trace = this.#begin(session, true);
    if (arriving !== undefined) this.#note(trace, 'in', arriving.bytes, arriving.flow);
    trace.step(undefined);
  }

  ended(session: Session): void {
    const trace = this.#traces.get(session.id);
    if (trace !== undefined) trace.endedAt = session.now();
  }

  /** The port, with a note of whose event or order passes it. */
  watch<P extends SipPort>(port: P): P {
    return watchedPort(port, {
      event: (event) => {
        if (event.type !== 'invite' && 'leg' in event) this.#claim(event.leg);
      },
      execute: (command) => {
        const before = this.#ordering;
        this.#ordering = 'leg' in command ? (this.#traces.get(sessionOf(command.leg)) ?? null) : null;
        try {
          port.execute(command);
        } finally {
          this.#ordering = before;
        }
      },
    });
  }

  /** A message comes in; `handle` is what becomes of it. */
  received<T>(bytes: Uint8Array, flow: Flow, handle: () => T): T {
    if (this.#keep === 0) return handle();
    this.#arriving = { bytes, flow };
    try {
      return handle();
    } finally {
      const unclaimed = this.#arriving;
      this.#arriving = undefined;
      if (unclaimed !== undefined) this.#find('in', unclaimed);
    }
  }

  /** A message goes out. */
  sent(bytes: Uint8Array, flow: Flow): void {
    if (this.#ordering === null || this.#traces.size === 0) return;
    if (this.#ordering === undefined) this.#find('out', { bytes, flow });
    else this.#note(this.#ordering, 'out', bytes, flow);
  }

  #claim(leg: string): void {
    const arriving = this.#arriving;
    if (arriving === undefined) return;
    this.#arriving = undefined;
    const trace = this.#traces.get(sessionOf(leg));
    if (trace !== undefined) this.#note(trace, 'in', arriving.bytes, arriving.flow);
  }

  /** Nobody ordered it, and nothing came of it: its own words tell whose it is. */
  #find(direction: 'in' | 'out', { bytes, flow }: Arriving): void {
    if (this.#traces.size === 0) return;
    const text = wireOfBytes(bytes);
    const tag = ownTagOf(text, direction);
    const named = tag === undefined ? undefined : this.#traces.get(sessionOf(tag));
    // A dialog that passes this process twice, proxied both times, does not tell; then nothing is said.
    const known = this.#byCallId.get(callIdOf(text)) ?? [];
    const trace = named ?? (known.length === 1 ? known[0] : undefined);
    if (trace !== undefined) this.#note(trace, direction, bytes, flow);
  }

  #note(trace: Trace, direction: 'in' | 'out', bytes: Uint8Array, flow: Flow): void {
    const text = wireOfBytes(bytes);
    this.#know(trace, callIdOf(text));
    trace.message(direction, `${flow.transport} ${flow.remoteAddress}:${flow.remotePort}`, text);
    this.onMessage(trace.session);
  }

  #know(trace: Trace, callId: string): void {
    if (callId === '' || trace.callIds.has(callId)) return;
    trace.callIds.add(callId);
    const known = this.#byCallId.get(callId);
    if (known === undefined) this.#byCallId.set(callId, [trace]);
    else known.push(trace);
  }

  #begin(session: Session, whole: boolean): Trace {
    if (this.#traces.size >= this.#keep) this.#forgetOne();
    const trace = new Trace(session, whole, this.#guards);
    this.#traces.set(session.id, trace);
    return trace;
  }

  /** The oldest of those that have ended; where all live, the oldest of all. */
  #forgetOne(): void {
    let oldest: string | undefined;
    for (const [id, { endedAt }] of this.#traces) {
      oldest ??= id;
      if (endedAt === null) continue;
      oldest = id;
      break;
    }
    const trace = oldest === undefined ? undefined : this.#traces.get(oldest);
    if (trace === undefined) return;
    this.#traces.delete(trace.session.id);
    for (const callId of trace.callIds) {
      const left = (this.#byCallId.get(callId) ?? []).filter((other) => other !== trace);
      if (left.length === 0) this.#byCallId.delete(callId);
      else this.#byCallId.set(callId, left);
    }
  }

  /** Takes one from the budget, which refills with time. */
  #affordable(): boolean {
    if (this.#keep === 0) return false;
    const now = this.#now();
    this.#budget = Math.min(BURST, this.#budget + ((now - this.#budgetAt) / 1000) * RATE_PER_SECOND);
    this.#budgetAt = now;
    if (this.#budget < 1) return false;
    this.#budget--;
    return true;
  }
}
