/**
 * Ladders: for each session, the messages on all its legs in order, with the function in the middle. Made from what
 * passes the SIP port, so one session's legs are together by construction. Short entries, bounded for each session.
 */
import { sessionOf } from '../sip/leg-id.ts';
import { detached } from '../sip/message/header.ts';
import type { SipCommand, SipEvent, SipPort } from '../sip/port.ts';
import { watchedPort } from '../sip/watched-port.ts';
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

/**
 * Entries as they are kept, four items for each: ms since the first one, direction, leg, label. A tenth of the size of
 * objects, since numbers are small and texts are shared.
 */
interface Trail {
  readonly session: string;
  readonly begun: number;
  readonly items: (number | string)[];
}

const ITEMS = 4;

export class Ladders {
  readonly #clock: Clock;
  readonly #live = new Map<string, Trail>();
  /** Ladders of sessions that have ended, oldest first. */
  readonly #ended = new Map<string, Trail>();
  readonly #keepEnded: number;
  /** The one that was noted in last: a message in is mostly followed by what it led to. */
  #latest: Trail | undefined;

  constructor(clock: Clock, keepEnded = 200) {
    this.#clock = clock;
    this.#keepEnded = keepEnded;
  }

  /** The ladder of a session that lives or ended a while ago. */
  of(session: string): readonly LadderEntry[] | undefined {
    const trail = this.#live.get(session) ?? this.#ended.get(session);
    return trail === undefined ? undefined : entriesOf(trail);
  }

  /** Ladders that still grow. */
  get live(): number {
    return this.#live.size;
  }

  /** The port with every message noted on its way through. */
  watch<P extends SipPort>(port: P): P {
    return watchedPort(port, {
      event: (event) => this.#noteEvent(event),
      execute: (command) => {
        this.#noteCommand(command);
        port.execute(command);
        // An INVITE that was refused at the door, or only passed, never was a session whose end somebody would tell.
        if (command.type === 'passThrough' || (command.type === 'release' && command.leg.endsWith('.a'))) {
          this.end(sessionOf(command.leg));
        }
      },
    });
  }

  /** The session is over; its ladder is kept for a while. */
  end(session: string): void {
    const trail = this.#live.get(session);
    this.#live.delete(session);
    this.#latest = undefined;
    if (trail === undefined || this.#keepEnded === 0) return;
    if (this.#ended.size >= this.#keepEnded) this.#ended.delete(this.#ended.keys().next().value as string);
    this.#ended.set(session, trail);
  }

  #noteEvent(event: SipEvent): void {
    const label = eventLabel(event);
    if (label !== undefined && 'leg' in event) this.#note(event.leg, '<', label);
  }

  #noteCommand(command: SipCommand): void {
    const label = commandLabel(command);
    if (label === undefined || !('leg' in command)) return;
    const toBranch = command.type === 'forwardInvite' || command.type === 'cancelBranch';
    this.#note(toBranch ? command.branch : command.leg, '>', label);
  }

  #note(leg: string, direction: '<' | '>', label: string): void {
    const trail = this.#trailOf(leg);
    if (trail === undefined) return;
    const { items, session, begun } = trail;
    if (items.length >= MAX_ENTRIES * ITEMS) items.splice(KEPT_FROM_START * ITEMS, ITEMS);
    items.push(Math.round(this.#clock.now() - begun), direction, leg.slice(session.length + 1), label);
  }

  /** The trail of this leg's session; undefined where the session is over. */
  #trailOf(leg: string): Trail | undefined {
    const latest = this.#latest;
    if (latest !== undefined && leg.startsWith(latest.session) && leg[latest.session.length] === '.') return latest;
    const session = sessionOf(leg);
    let trail = this.#live.get(session);
    if (trail === undefined) {
      if (this.#ended.has(session)) return undefined;
      trail = { session, begun: this.#clock.now(), items: [] };
      this.#live.set(session, trail);
    }
    this.#latest = trail;
    return trail;
  }
}

function entriesOf({ begun, items }: Trail): LadderEntry[] {
  const entries: LadderEntry[] = [];
  for (let at = 0; at < items.length; at += ITEMS) {
    const [since, direction, leg, label] = items.slice(at, at + ITEMS) as [number, string, string, string];
    entries.push({ at: begun + since, leg, direction: direction === '<' ? 'in' : 'out', label });
  }
  return entries;
}

/** Longest text of a peer's that is kept for other sessions. */
const MAX_PHRASE = 64;

/** Labels with a status in them: nearly always the same few, so the last of each status is made once. */
class StatusLabels {
  readonly #label: (status: number, text: string) => string;
  readonly #known: ({ readonly text: string; readonly label: string } | undefined)[] = [];

  constructor(label: (status: number, text: string) => string) {
    this.#label = label;
  }

  of(status: number, text: string): string {
    const known = this.#known[status];
    if (known?.text === text) return known.label;
    const label = detached(this.#label(status, text));
    if (text.length <= MAX_PHRASE) this.#known[status] = { text: detached(text), label };
    return label;
  }
}

const PHRASES = new StatusLabels((status, reason) => `${status} ${reason}`);
const ANSWERS = new StatusLabels((status, method) => `${status} (${method})`);

function eventLabel(event: SipEvent): string | undefined {
  switch (event.type) {
    case 'invite':
      return 'INVITE';
    case 'provisional':
    case 'answered':
      return PHRASES.of(event.response.status, event.response.reason);
    case 'failed':
      return event.response === undefined
        ? `no answer (${event.status})`
        : PHRASES.of(event.status, event.response.reason);
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
      return detached(event.request.method);
    case 'response':
      return ANSWERS.of(event.status, event.response?.cseq?.method ?? methodIn(event.exchange));
    case 'outside':
      return undefined;
  }
}

function commandLabel(command: SipCommand): string | undefined {
  switch (command.type) {
    case 'progress':
      return PHRASES.of(command.status, command.reason);
    case 'answer':
      return PHRASES.of(command.status, 'OK');
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
      return ANSWERS.of(command.status, methodIn(command.exchange));
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

/** By the name of an exchange, those that nearly every session has; and offers of our own. */
const METHODS = new Map([
  ['bye', 'BYE'],
  ['invite', 'INVITE'],
  ['update', 'UPDATE'],
  ['prack', 'PRACK'],
  ['offer', 'INVITE'],
  ['reoffer', 'INVITE'],
]);

/** Exchanges are named by method and number: `invite-3`, `a-bye-2`, `refreshUpdate-7`. */
function methodIn(exchange: string): string {
  const name = /(?:^|-)([a-z]{3}[^-]*)/i.exec(exchange)?.[1] ?? exchange;
  const known = METHODS.get(name);
  if (known !== undefined) return known;
  return name.startsWith('refresh') ? name.slice('refresh'.length).toUpperCase() : name.toUpperCase();
}
