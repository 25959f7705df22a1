/**
 * Ladders: for each session, the messages on all its legs in order, with the function in the middle. Made from what
 * passes the SIP port, so one session's legs are together by construction. Short entries, bounded for each session.
 */
import type { SipCommand, SipEvent, SipPort } from '../sip/port.ts';
import type { Clock } from '../time/clock.ts';

export interface LadderEntry {
  /** ms since the epoch. */
  readonly at: number;
  /** Short leg name: `a` toward whoever invited, `b`, `b2` … */
  readonly leg: string;
  readonly direction: 'in' | 'out';
  /** `INVITE`, `180 Ringing`, `200 OK (BYE)`. */
  readonly label: string;
}

/** Entries kept for one session; a long one loses its middle, never its beginning. */
const MAX_ENTRIES = 64;
const KEPT_FROM_START = 24;

export class Ladders {
  readonly #clock: Clock;
  readonly #live = new Map<string, LadderEntry[]>();
  /** Ladders of sessions that have ended, oldest first. */
  readonly #ended = new Map<string, readonly LadderEntry[]>();
  readonly #keepEnded: number;

  constructor(clock: Clock, keepEnded = 200) {
    this.#clock = clock;
    this.#keepEnded = keepEnded;
  }

  /** The ladder of a session that lives or ended a while ago. */
  of(session: string): readonly LadderEntry[] | undefined {
    return this.#live.get(session) ?? this.#ended.get(session);
  }

  /** Ladders that still grow. */
  get live(): number {
    return this.#live.size;
  }

  /** The port with every message noted on its way through. */
  watch<P extends SipPort>(port: P): P {
    const watched = Object.create(port) as P;
    watched.onEvent = (listener) =>
      port.onEvent((event) => {
        this.#noteEvent(event);
        listener(event);
      });
    watched.execute = (command) => {
      this.#noteCommand(command);
      port.execute(command);
      // An INVITE that was refused at the door, or only passed, never was a session whose end somebody would tell.
      if (command.type === 'passThrough' || (command.type === 'release' && command.leg.endsWith('.a'))) {
        this.end(sessionOf(command.leg));
      }
    };
    return bound(watched, port);
  }

  /** The session is over; its ladder is kept for a while. */
  end(session: string): void {
    const entries = this.#live.get(session);
    this.#live.delete(session);
    if (entries === undefined || this.#keepEnded === 0) return;
    if (this.#ended.size >= this.#keepEnded) this.#ended.delete(this.#ended.keys().next().value as string);
    this.#ended.set(session, entries);
  }

  #noteEvent(event: SipEvent): void {
    const label = eventLabel(event);
    if (label !== undefined && 'leg' in event) this.#note(event.leg, 'in', label);
  }

  #noteCommand(command: SipCommand): void {
    const label = commandLabel(command);
    if (label === undefined || !('leg' in command)) return;
    const toBranch = command.type === 'forwardInvite' || command.type === 'cancelBranch';
    this.#note(toBranch ? command.branch : command.leg, 'out', label);
  }

  #note(leg: string, direction: 'in' | 'out', label: string): void {
    const session = sessionOf(leg);
    let entries = this.#live.get(session);
    if (entries === undefined) {
      if (this.#ended.has(session)) return;
      entries = [];
      this.#live.set(session, entries);
    }
    if (entries.length >= MAX_ENTRIES) entries.splice(KEPT_FROM_START, 1);
    entries.push({ at: this.#clock.now(), leg: leg.slice(session.length + 1), direction, label });
  }
}

function sessionOf(leg: string): string {
  return leg.slice(0, leg.indexOf('.'));
}

/** Methods of the port that are not watched still run on the port itself. */
function bound<P extends SipPort>(watched: P, port: P): P {
  for (const name of ['exportLeg', 'restoreLeg', 'restoreInvite', 'exportProxied', 'restoreProxied'] as const) {
    const method = (port as unknown as Record<string, unknown>)[name];
    if (typeof method === 'function') (watched as unknown as Record<string, unknown>)[name] = method.bind(port);
  }
  return watched;
}

function eventLabel(event: SipEvent): string | undefined {
  switch (event.type) {
    case 'invite':
      return 'INVITE';
    case 'provisional':
    case 'answered':
      return `${event.response.status} ${event.response.reason}`;
    case 'failed':
      return event.response === undefined ? `no answer (${event.status})` : `${event.status} ${event.response.reason}`;
    case 'acknowledged':
      return 'ACK';
    case 'unacknowledged':
      return 'no ACK';
    case 'cancelled':
    case 'exchangeCancelled':
      return 'CANCEL';
    case 'bye':
      return 'BYE';
    case 'request':
      return event.request.method;
    case 'response':
      return `${event.status} (${event.response?.cseq?.method ?? methodIn(event.exchange)})`;
    case 'outside':
      return undefined;
  }
}

function commandLabel(command: SipCommand): string | undefined {
  switch (command.type) {
    case 'progress':
      return `${command.status} ${command.reason}`;
    case 'answer':
      return `${command.status} OK`;
    case 'refuse':
      return `${command.status}${command.reason === undefined ? '' : ` ${command.reason}`}`;
    case 'invite':
    case 'forwardInvite':
    case 'passThrough':
      return 'INVITE';
    case 'acknowledge':
    case 'forwardAck':
      return 'ACK';
    case 'cancel':
    case 'cancelBranch':
    case 'cancelExchange':
      return 'CANCEL';
    case 'request':
      return command.method;
    case 'respond':
      return `${command.status} (${methodIn(command.exchange)})`;
    case 'forwardResponse':
      return 'response forwarded';
    case 'forwardRequest':
      return `${methodIn(command.exchange)} forwarded`;
    case 'forwardReply':
      return `answer forwarded (${methodIn(command.exchange)})`;
    case 'trying':
    case 'reply':
    case 'release':
      return undefined;
  }
}

/** Exchanges are named by method and number: `invite-3`, `a-bye-2`, `refreshUpdate-7`. */
function methodIn(exchange: string): string {
  const name = exchange.split('-').find((part) => /^[a-z]{3,}/i.test(part)) ?? exchange;
  if (name.startsWith('refresh')) return name.slice('refresh'.length).toUpperCase();
  return name === 'reoffer' || name === 'offer' ? 'INVITE' : name.toUpperCase();
}
