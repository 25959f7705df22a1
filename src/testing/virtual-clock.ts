/** Time that moves only when it is told to. Timers fire in the order of their time, then of their making. */
import type { Clock, Timer, TimerOwner } from '../time/clock.ts';

interface Entry {
  readonly dueAt: number;
  readonly order: number;
  readonly name: string;
  owner: TimerOwner | undefined;
}

/** 2026-01-01T00:00:00Z, so that transcripts read well. */
const START = 1_767_225_600_000;

export class VirtualClock implements Clock {
  readonly #heap: Entry[] = [];
  #now = START;
  #made = 0;

  now(): number {
    return this.#now;
  }

  /** Milliseconds since the clock was made. */
  get elapsed(): number {
    return this.#now - START;
  }

  schedule(delayMs: number, owner: TimerOwner, name: string): Timer {
    const entry: Entry = { dueAt: this.#now + Math.max(0, delayMs), order: this.#made++, name, owner };
    this.#push(entry);
    return {
      name,
      dueAt: entry.dueAt,
      cancel() {
        entry.owner = undefined;
      },
    };
  }

  /** Time of the next timer; undefined where none waits. */
  get next(): number | undefined {
    this.#dropCancelled();
    return this.#heap[0]?.dueAt;
  }

  /** Timers waiting. */
  get size(): number {
    return this.#heap.filter((entry) => entry.owner !== undefined).length;
  }

  /** Moves on by so many milliseconds, firing what falls due on the way. */
  advance(ms: number): void {
    this.advanceTo(this.#now + ms);
  }

  advanceTo(until: number): void {
    for (let next = this.next; next !== undefined && next <= until; next = this.next) this.step();
    this.#now = Math.max(this.#now, until);
  }

  /** Moves to the next timer and fires it. False where none waits. */
  step(): boolean {
    this.#dropCancelled();
    const entry = this.#pop();
    const owner = entry?.owner;
    if (entry === undefined || owner === undefined) return false;
    this.#now = Math.max(this.#now, entry.dueAt);
    entry.owner = undefined;
    owner.onTimer(entry.name);
    return true;
  }

  #dropCancelled(): void {
    while (this.#heap.length > 0 && this.#heap[0]?.owner === undefined) this.#pop();
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(entry, heap[parent] as Entry)) break;
      heap[at] = heap[parent] as Entry;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = left;
      if (right < heap.length && before(heap[right] as Entry, heap[left] as Entry)) least = right;
      if (least >= heap.length || !before(heap[least] as Entry, last)) break;
      heap[at] = heap[least] as Entry;
      at = least;
    }
    heap[at] = last;
    return top;
  }
}

function before(left: Entry, right: Entry): boolean {
  return left.dueAt < right.dueAt || (left.dueAt === right.dueAt && left.order < right.order);
}
