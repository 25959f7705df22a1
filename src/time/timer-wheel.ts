/**
 * A hashed timer wheel (Varghese and Lauck): starting and stopping a timer costs the same however many there
 * are, which matters to a SIP stack that starts thousands a second and stops nearly all before they fire.
 *
 * A timer fires up to one tick late, never early; one of four seconds and more up to ten, so that the thousands of
 * transactions that only linger do not fill every slot, and the host may sleep over those between. Delays beyond one turn
 * stay in their slot and are passed over once a turn.
 */
import type { Clock, Timer, TimerOwner } from './clock.ts';

/** 10 ms is 2 % of T1, the shortest SIP timer (RFC 3261 17.1.1.1). */
export const TICK_MS = 10;
/** From T2 and T4 on (RFC 3261 17.1.2.2) a tenth of a second is 2.5 % at the most. */
export const COARSE_FROM_MS = 4_000;
const COARSE_TICKS = 10;
/** A power of two; one turn is 41 s, just above 64*T1, so that nearly no timer is passed over. */
const SLOTS = 4096;

class WheelTimer implements Timer {
  readonly name: string;
  // Counted from when the wheel was made: small integers, which V8 keeps in the object.
  readonly dueMs: number;
  readonly dueTick: number;
  /** How many timers were made before it. */
  readonly order: number;
  owner: TimerOwner | undefined;
  previous: WheelTimer | undefined;
  next: WheelTimer | undefined;
  readonly #wheel: TimerWheel;

  constructor(wheel: TimerWheel, owner: TimerOwner, name: string, dueMs: number, dueTick: number, order: number) {
    this.#wheel = wheel;
    this.order = order;
    this.owner = owner;
    this.name = name;
    this.dueMs = dueMs;
    this.dueTick = dueTick;
  }

  get dueAt(): number {
    return this.#wheel.origin + this.dueMs;
  }

  cancel(): void {
    if (this.owner !== undefined) this.#wheel.remove(this);
  }
}

export class TimerWheel implements Clock {
  readonly #now: () => number;
  readonly #slots: (WheelTimer | undefined)[] = new Array(SLOTS).fill(undefined);
  /** When it was made, ms since the epoch. */
  readonly origin: number;
  #lastTick = 0;
  #size = 0;
  #made = 0;

  /** `now` gives whole milliseconds since the epoch and must not go backwards. */
  constructor(now: () => number) {
    this.#now = now;
    this.origin = now();
  }

  /** Timers waiting. */
  get size(): number {
    return this.#size;
  }

  now(): number {
    return this.#now();
  }

  schedule(delayMs: number, owner: TimerOwner, name: string): Timer {
    const dueMs = this.#elapsed() + Math.max(0, Math.ceil(delayMs));
    const ticks = delayMs < COARSE_FROM_MS ? 1 : COARSE_TICKS;
    // Rounded up, so never early; never into a tick that has been handled.
    const dueTick = Math.max(Math.ceil(dueMs / (ticks * TICK_MS)) * ticks, this.#lastTick + 1);
    const timer = new WheelTimer(this, owner, name, dueMs, dueTick, this.#made++);
    const slot = dueTick % SLOTS;
    const head = this.#slots[slot];
    timer.next = head;
    if (head !== undefined) head.previous = timer;
    this.#slots[slot] = timer;
    this.#size++;
    return timer;
  }

  /** Milliseconds since it was made. */
  #elapsed(): number {
    return this.#now() - this.origin;
  }

  /** Milliseconds until there may be something to fire, at most about `limitMs`. */
  untilNext(limitMs: number): number {
    const elapsed = this.#elapsed();
    const last = Math.floor((elapsed + limitMs) / TICK_MS);
    // It is not turned while nothing waits in it.
    let tick = Math.max(this.#lastTick + 1, Math.floor(elapsed / TICK_MS));
    while (tick < last && this.#slots[tick % SLOTS] === undefined) tick++;
    return Math.max(0, tick * TICK_MS - elapsed);
  }

  /** Fires what is due, by time, then by age. The host calls it when `untilNext` is over, while `size` is not zero. */
  advance(): void {
    const tick = Math.floor(this.#elapsed() / TICK_MS);
    // After a stall longer than a turn every slot is visited once, not once for each turn missed.
    const first = Math.max(this.#lastTick + 1, tick - SLOTS + 1);
    if (tick < first) return;
    this.#lastTick = tick;
    const due: WheelTimer[] = [];
    for (let at = first; at <= tick; at++) this.#collect(at % SLOTS, tick, due);
    if (due.length > 1) due.sort((a, b) => a.dueMs - b.dueMs || a.order - b.order);
    try {
      // A timer that fires may cancel those behind it, and new ones are due in a later tick.
      for (const timer of due) this.#fire(timer);
    } catch (error) {
      // Whoever threw is to blame; the others fire in the next tick, not a turn later.
      this.#lastTick = first - 1;
      throw error;
    }
  }

  #collect(slot: number, tick: number, due: WheelTimer[]): void {
    for (let timer = this.#slots[slot]; timer !== undefined; timer = timer.next) {
      if (timer.dueTick <= tick) due.push(timer);
    }
  }

  #fire(timer: WheelTimer): void {
    const owner = timer.owner;
    if (owner === undefined) return;
    this.remove(timer);
    owner.onTimer(timer.name);
  }

  /** Takes a timer out of its slot. Called by the timer itself. */
  remove(timer: WheelTimer): void {
    if (timer.previous !== undefined) timer.previous.next = timer.next;
    else this.#slots[timer.dueTick % SLOTS] = timer.next;
    if (timer.next !== undefined) timer.next.previous = timer.previous;
    timer.previous = undefined;
    timer.next = undefined;
    timer.owner = undefined;
    this.#size--;
  }
}
