/**
 * A hashed timer wheel (Varghese and Lauck): starting and stopping a timer costs the same however many there
 * are, which matters to a SIP stack that starts thousands a second and stops nearly all before they fire.
 *
 * A timer fires up to one tick late, never early. Delays beyond one turn stay in their slot and are passed over
 * once a turn.
 */
import type { Clock, Timer, TimerOwner } from './clock.ts';

/** 10 ms is 2 % of T1, the shortest SIP timer (RFC 3261 17.1.1.1). */
export const TICK_MS = 10;
/** A power of two; one turn is 41 s, just above 64*T1, so that nearly no timer is passed over. */
const SLOTS = 4096;

class WheelTimer implements Timer {
  readonly name: string;
  readonly dueAt: number;
  readonly dueTick: number;
  /** How many timers were made before it. */
  readonly order: number;
  owner: TimerOwner | undefined;
  previous: WheelTimer | undefined;
  next: WheelTimer | undefined;
  readonly #wheel: TimerWheel;

  constructor(wheel: TimerWheel, owner: TimerOwner, name: string, dueAt: number, dueTick: number, order: number) {
    this.#wheel = wheel;
    this.order = order;
    this.owner = owner;
    this.name = name;
    this.dueAt = dueAt;
    this.dueTick = dueTick;
  }

  cancel(): void {
    if (this.owner !== undefined) this.#wheel.remove(this);
  }
}

export class TimerWheel implements Clock {
  readonly #now: () => number;
  readonly #slots: (WheelTimer | undefined)[] = new Array(SLOTS).fill(undefined);
  #lastTick: number;
  #size = 0;
  #made = 0;

  /** `now` gives milliseconds since the epoch and must not go backwards. */
  constructor(now: () => number) {
    this.#now = now;
    this.#lastTick = Math.floor(now() / TICK_MS);
  }

  /** Timers waiting. */
  get size(): number {
    return this.#size;
  }

  now(): number {
    return this.#now();
  }

  schedule(delayMs: number, owner: TimerOwner, name: string): Timer {
    const dueAt = this.#now() + Math.max(0, delayMs);
    // Rounded up, so never early; never into a tick that has been handled.
    const dueTick = Math.max(Math.ceil(dueAt / TICK_MS), this.#lastTick + 1);
    const timer = new WheelTimer(this, owner, name, dueAt, dueTick, this.#made++);
    const slot = dueTick % SLOTS;
    const head = this.#slots[slot];
    timer.next = head;
    if (head !== undefined) head.previous = timer;
    this.#slots[slot] = timer;
    this.#size++;
    return timer;
  }

  /** Fires what is due, by time, then by age. The host calls it about once a tick while `size` is not zero. */
  advance(): void {
    const tick = Math.floor(this.#now() / TICK_MS);
    // After a stall longer than a turn every slot is visited once, not once for each turn missed.
    const first = Math.max(this.#lastTick + 1, tick - SLOTS + 1);
    if (tick < first) return;
    this.#lastTick = tick;
    const due: WheelTimer[] = [];
    for (let at = first; at <= tick; at++) this.#collect(at % SLOTS, tick, due);
    if (due.length > 1) due.sort((a, b) => a.dueAt - b.dueAt || a.order - b.order);
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
