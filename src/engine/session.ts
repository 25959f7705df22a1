/**
 * One session: its actor, its dossier, and the effects that wait for their turn. Events are taken one at a time (the
 * actor's own mailbox orders those that arrive while another is handled); effects leave in order, after the state
 * that explains them is stored.
 */
import { type Actor, createActor, type Snapshot, type SnapshotFrom } from 'xstate';
import { beginningOf } from '../../machines/compiled.ts';
import type { LegName, SessionContext, SessionInput } from '../../machines/session/context.ts';
import type { Effect } from '../../machines/session/effects.ts';
import type { SessionEvent } from '../../machines/session/events.ts';
import { mayBeRecorded, type SessionMachine } from '../../machines/session/machine.ts';
import { inOnePiece } from '../sip/message/header.ts';
import type { LegId } from '../sip/port.ts';
import type { Timer, TimerOwner } from '../time/clock.ts';
import type { Dossier } from './dossier.ts';
import type { Unstamped } from './translate.ts';

/** What a session needs of its engine. */
export interface SessionHost {
  /** The chart for a session that may be recorded, or for one that will not. */
  machineFor(recorded: boolean): SessionMachine;
  now(): number;
  schedule(delayMs: number, owner: TimerOwner, name: string): Timer;
  /** The session has changed and must be stored before its effects leave. */
  mustStore(session: Session): void;
  perform(session: Session, effect: Effect): void;
  /** Nothing waits to be carried out. */
  onIdle(session: Session): void;
  onTransition(session: Session, event: Unstamped | undefined): void;
}

export type SessionActor = Actor<SessionMachine>;

export class Session implements TimerOwner {
  readonly id: string;
  readonly dossier: Dossier;
  readonly actor: SessionActor;
  readonly startedAt: number;
  /** Effects that have not been carried out. */
  pending: Effect[] = [];
  /** Writes under way that must be finished before effects leave. */
  writes = 0;
  /** It will be written at the end of this turn. */
  dirty = false;
  /** True once it has been written down, and so must be deleted at its end. */
  written = false;
  /** True once its record says that it ends. */
  endingWritten = false;
  /** The profile that was written with the session's origin; undefined where it was not known then. */
  writtenProfile: SessionContext['profile'] | undefined;
  /** True where another process began it. */
  restored = false;
  /** After a restart: effects that answer a peer are copies, unless that peer has long had them. */
  stale = false;
  /** True once the session has been removed. */
  gone = false;
  readonly #host: SessionHost;
  #step: number;
  #checkpoint: number;
  #deadlines: SessionContext['deadlines'] | undefined;
  #timer: Timer | undefined;
  #running = false;
  /** What beside effects waits for the writes under way. */
  #whenStored: (() => void)[] | undefined;
  #freed: readonly LegName[] = [];
  readonly #inviter: LegId;
  /** The leg whose id was asked for last, beside the inviter's. */
  #far: LegName = '';
  #farId: LegId = '';

  private constructor(host: SessionHost, id: string, dossier: Dossier, actor: SessionActor, startedAt: number) {
    this.#host = host;
    this.id = id;
    this.#inviter = inOnePiece(`${id}.a`);
    this.dossier = dossier;
    this.actor = actor;
    this.startedAt = startedAt;
    this.#step = 0;
    this.#checkpoint = 0;
  }

  /** A new session; nothing happens before `start`. */
  static begin(host: SessionHost, input: SessionInput, dossier: Dossier): Session {
    return new Session(host, input.id, dossier, beginActor(host.machineFor(mayBeRecorded(input)), input), input.at);
  }

  /** The first transitions. */
  start(): void {
    this.actor.start();
    this.#take(0, undefined);
  }

  /** A session as it was stored. Its pending effects are carried out again. */
  static resume(host: SessionHost, id: string, stored: ResumedSession, dossier: Dossier): Session {
    const { snapshot } = stored;
    const machine = host.machineFor(hasRecording(snapshot));
    const actor = createActor(machine, { snapshot, input: {} as SessionInput, id });
    const session = new Session(host, id, dossier, actor, stored.startedAt);
    actor.start();
    session.#step = stored.step;
    session.#checkpoint = session.context.checkpoint;
    session.pending = [...stored.pending];
    session.written = true;
    session.endingWritten = session.context.ending !== null;
    session.restored = true;
    session.stale = !stored.fresh;
    session.#arm();
    return session;
  }

  /** The SIP port's name of a leg: the same text each time, since many look something up by it. */
  legId(leg: LegName): LegId {
    if (leg === 'a') return this.#inviter;
    if (leg !== this.#far) {
      this.#far = leg;
      this.#farId = inOnePiece(`${this.id}.${leg}`);
    }
    return this.#farId;
  }

  get context(): SessionContext {
    return this.actor.getSnapshot().context;
  }

  /** Where both regions are. A session of which nothing is recorded has only the one. */
  get regions(): Regions {
    return regionsOf(this.actor.getSnapshot().value);
  }

  /** Those of these legs whose media has not been freed yet; from now on it counts as freed (invariant 7). */
  toFree(legs: readonly LegName[]): readonly LegName[] {
    const due = legs.filter((leg) => !this.#freed.includes(leg));
    this.#freed = [...this.#freed, ...due];
    return due;
  }

  /** State of the call region, as a path: `inviting.ringing`. */
  get state(): string {
    const value = this.regions.call;
    return typeof value === 'string' ? value : Object.entries(value).flat().join('.');
  }

  get closed(): boolean {
    const { value } = this.actor.getSnapshot() as { value: unknown };
    return value === 'closed' || (value as Regions).call === 'closed';
  }

  /** ms since the epoch. */
  now(): number {
    return this.#host.now();
  }

  get step(): number {
    return this.#step;
  }

  /** When the session next wakes by itself, ms since the epoch. */
  get nextDeadline(): number | undefined {
    return this.#timer?.dueAt;
  }

  deliver(event: Unstamped): void {
    if (this.gone) return;
    const step = ++this.#step;
    // The event was made for this session, so it may be stamped as it is.
    const stamped = event as SessionEvent & { step: number; at: number };
    stamped.step = step;
    stamped.at = this.#host.now();
    this.actor.send(stamped);
    this.#take(step, event);
  }

  #take(step: number, event: Unstamped | undefined): void {
    const { context } = this;
    if (context.step === step) for (const effect of context.effects) this.pending.push(effect);
    if (context.deadlines !== this.#deadlines) this.#arm();
    this.#host.onTransition(this, event);
    if (context.checkpoint !== this.#checkpoint) {
      this.#checkpoint = context.checkpoint;
      this.#host.mustStore(this);
    } else this.run();
  }

  /** Runs `then` once everything up to now is stored. */
  whenStored(then: () => void): void {
    if (this.writes === 0) then();
    else {
      this.#whenStored ??= [];
      this.#whenStored.push(then);
    }
  }

  /** Carries out what waits, in order. An effect may bring the next event at once, and with it further effects. */
  run(): void {
    if (this.#running) return;
    this.#running = true;
    if (this.writes === 0 && this.#whenStored !== undefined) this.#tellStored(this.#whenStored);
    while (this.writes === 0) {
      const effect = this.pending[0];
      if (effect === undefined) break;
      this.pending.shift();
      this.#host.perform(this, effect);
    }
    this.#running = false;
    if (this.writes === 0) this.#host.onIdle(this);
  }

  #tellStored(waiting: readonly (() => void)[]): void {
    this.#whenStored = undefined;
    for (const then of waiting) then();
  }

  /** Deadlines are data; one timer waits for the earliest of them. */
  #arm(): void {
    const { deadlines } = this.context;
    this.#deadlines = deadlines;
    let earliest = Number.POSITIVE_INFINITY;
    for (const name in deadlines) earliest = Math.min(earliest, deadlines[name] as number);
    if (this.#timer !== undefined && this.#timer.dueAt === earliest) return;
    this.#timer?.cancel();
    this.#timer =
      earliest === Number.POSITIVE_INFINITY
        ? undefined
        : this.#host.schedule(earliest - this.#host.now(), this, 'deadline');
  }

  onTimer(): void {
    this.#timer = undefined;
    const now = this.#host.now();
    for (const [name, at] of Object.entries(this.context.deadlines)) {
      if (at > now || this.context.deadlines[name] !== at) continue;
      const [type, leg] = name.split(':') as [string, LegName | undefined];
      this.deliver((leg === undefined ? { type } : { type, leg }) as Unstamped);
    }
    // A deadline nobody took away would fire for ever; the next one is armed here.
    if (!this.gone && this.#timer === undefined) this.#rearmLater(now);
  }

  #rearmLater(now: number): void {
    let earliest = Number.POSITIVE_INFINITY;
    for (const at of Object.values(this.context.deadlines)) if (at > now) earliest = Math.min(earliest, at);
    if (earliest !== Number.POSITIVE_INFINITY) this.#timer = this.#host.schedule(earliest - now, this, 'deadline');
  }

  /** The session is over. */
  end(): void {
    this.gone = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.actor.stop();
  }
}

function beginActor(machine: SessionMachine, input: SessionInput): SessionActor {
  const beginning = beginningOf(machine, input);
  if (beginning === undefined) return createActor(machine, { input, id: input.id });
  const actor = createActor(machine, new Beginning(beginning) as never);
  actor.id = input.id;
  return actor;
}

/**
 * Options of an actor that are asked for, not copied: XState spreads its options behind its defaults, and in Node 20 an
 * object that gains properties so has a hidden class of its own, at each session.
 */
class Beginning {
  readonly #snapshot: SnapshotFrom<SessionMachine>;

  constructor(snapshot: SnapshotFrom<SessionMachine>) {
    this.#snapshot = snapshot;
  }

  get snapshot(): SnapshotFrom<SessionMachine> {
    return this.#snapshot;
  }
}

function hasRecording(snapshot: Snapshot<unknown>): boolean {
  const { value } = snapshot as { value?: unknown };
  return typeof value === 'object' && value !== null && 'recording' in value;
}

type StateValue = string | { readonly [region: string]: StateValue | undefined };

export interface Regions {
  readonly call: StateValue;
  readonly recording: string;
}

/** The regions in a machine's value, with or without the recording one. */
export function regionsOf(value: unknown): Regions {
  if (typeof value === 'object' && value !== null && 'recording' in value) return value as Regions;
  return { call: value as StateValue, recording: 'off' };
}

export interface ResumedSession {
  readonly snapshot: Snapshot<unknown>;
  readonly step: number;
  readonly pending: readonly Effect[];
  readonly startedAt: number;
  /** Written less than 64*T1 ago: its messages may be sent again as copies. */
  readonly fresh: boolean;
}
