/** The timer wheel beside a list that is searched, and beside the virtual clock: never early, and no later than it says. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { VirtualClock } from '../../src/testing/index.ts';
import type { Timer } from '../../src/time/clock.ts';
import { COARSE_FROM_MS, TICK_MS, TimerWheel } from '../../src/time/timer-wheel.ts';

/** One turn of the wheel, ms: a delay longer than this passes its slot before it is due. */
const TURN_MS = 4096 * TICK_MS;

class Hand {
  now: number;
  readonly wheel: TimerWheel;
  readonly fired: string[] = [];

  constructor(now = 1_000_003) {
    this.now = now;
    this.wheel = new TimerWheel(() => this.now);
  }

  start(delay: number, name: string, also: () => void = () => {}): Timer {
    const onTimer = (fired: string): void => {
      this.fired.push(fired);
      also();
    };
    return this.wheel.schedule(delay, { onTimer }, name);
  }

  /** Time passes and the wheel is turned once at its end. */
  pass(ms: number): void {
    this.now += ms;
    this.wheel.advance();
  }
}

// --- against a list ------------------------------------------------------------------------------------------------

interface Entry {
  readonly name: string;
  readonly dueAt: number;
  /** How much later it may fire. */
  readonly lateMs: number;
  readonly timer: Timer;
  /** What it does when it fires. */
  readonly then: Then | undefined;
  state: 'waits' | 'fired' | 'cancelled';
}
type Then =
  | { readonly kind: 'cancel'; readonly which: number }
  | { readonly kind: 'start'; readonly delay: number }
  | { readonly kind: 'cancelItself' };
type Step =
  | { readonly kind: 'start'; readonly delay: number; readonly then: Then | undefined }
  | { readonly kind: 'cancel'; readonly which: number }
  | { readonly kind: 'pass'; readonly ms: number };

/** Does what it is told with a wheel and with a list, and throws where the two differ. */
class Comparison {
  readonly hand = new Hand();
  readonly entries: Entry[] = [];
  /** Fired in this turn of the wheel, in order. */
  #firing: Entry[] = [];

  do(step: Step): void {
    if (step.kind === 'start') this.#start(step.delay, step.then);
    else if (step.kind === 'cancel') this.#cancel(step.which);
    else this.#pass(step.ms);
    expect(this.hand.wheel.size).toBe(this.entries.filter((entry) => entry.state === 'waits').length);
  }

  #start(delay: number, then: Then | undefined): void {
    const name = `t${this.entries.length}`;
    const timer = this.hand.wheel.schedule(delay, { onTimer: () => this.#onTimer(entry) }, name);
    const lateMs = delay < COARSE_FROM_MS ? TICK_MS : 10 * TICK_MS;
    const entry: Entry = { name, dueAt: this.hand.now + Math.max(0, delay), lateMs, timer, then, state: 'waits' };
    expect([timer.name, timer.dueAt]).toEqual([name, entry.dueAt]);
    this.entries.push(entry);
  }

  #cancel(which: number): void {
    const entry = this.entries[which % Math.max(1, this.entries.length)];
    if (entry === undefined) return;
    entry.timer.cancel();
    if (entry.state === 'waits') entry.state = 'cancelled';
  }

  #onTimer(entry: Entry): void {
    expect([entry.name, entry.state]).toEqual([entry.name, 'waits']);
    expect(this.hand.now).toBeGreaterThanOrEqual(entry.dueAt);
    entry.state = 'fired';
    this.#firing.push(entry);
    const { then } = entry;
    if (then?.kind === 'cancel') this.#cancel(then.which);
    else if (then?.kind === 'cancelItself') entry.timer.cancel();
    else if (then?.kind === 'start') this.#start(then.delay, undefined);
  }

  #pass(ms: number): void {
    this.#firing = [];
    this.hand.pass(ms);
    const { now, wheel } = this.hand;
    const late = this.entries.filter(({ state, dueAt, lateMs }) => state === 'waits' && dueAt + lateMs <= now);
    expect(late.map((entry) => entry.name)).toEqual([]);
    // Whoever sleeps so long misses nothing.
    const next = Math.min(...this.entries.map(({ state, dueAt }) => (state === 'waits' ? dueAt : Infinity)));
    expect(wheel.untilNext(500)).toBeLessThanOrEqual(Math.max(0, next + 10 * TICK_MS - now));
    expect(wheel.untilNext(500)).toBeLessThanOrEqual(500 + TICK_MS);
    const ordered = [...this.#firing].sort(
      (a, b) => a.dueAt - b.dueAt || Number(a.name.slice(1)) - Number(b.name.slice(1)),
    );
    expect(this.#firing.map((entry) => entry.name)).toEqual(ordered.map((entry) => entry.name));
  }
}

const delays = fc.oneof(
  fc.integer({ min: -5, max: 3 * TICK_MS }),
  fc.constantFrom(0, 500, 4000, 5000, 32_000, TURN_MS - TICK_MS, TURN_MS, TURN_MS + TICK_MS, 3 * TURN_MS),
  fc.integer({ min: 0, max: 2000 }),
  fc.integer({ min: 0, max: 4 * TURN_MS }),
);
const then: fc.Arbitrary<Then | undefined> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('start' as const), delay: delays }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'cancelItself' as const }) },
);
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('start' as const), delay: delays, then }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(40) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.oneof(
        fc.integer({ min: 0, max: 2 * TICK_MS }),
        fc.integer({ min: 0, max: 1000 }),
        // Stalls, shorter and longer than a turn.
        fc.integer({ min: 0, max: 3 * TURN_MS }),
      ),
    }),
  },
);

describe('the wheel beside a list', () => {
  it('fires each timer once, never early, a tick or ten after its time at most, in order; cancelled ones never', () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 60 }), (script) => {
        const comparison = new Comparison();
        for (const step of script) comparison.do(step);
        comparison.do({ kind: 'pass', ms: 5 * TURN_MS });
        comparison.do({ kind: 'pass', ms: 5 * TURN_MS });
        expect(comparison.hand.wheel.size).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('fires what the virtual clock fires, in the same order', () => {
    // Longer ones wait for a tenth of a second, and so for others that are due a little later.
    const short = fc.integer({ min: -5, max: COARSE_FROM_MS - 1 });
    const plan = fc.array(fc.record({ after: fc.nat(700), delay: short }), { maxLength: 40 });
    fc.assert(
      fc.property(plan, fc.integer({ min: 1, max: 3000 }), (starts, stride) => {
        const clock = new VirtualClock();
        const order: string[] = [];
        const hand = new Hand(clock.now());
        starts.forEach(({ after, delay }, index) => {
          clock.advance(after);
          while (hand.now + stride <= clock.now()) hand.pass(stride);
          hand.now = clock.now();
          clock.schedule(delay, { onTimer: (name) => order.push(name) }, `t${index}`);
          hand.start(delay, `t${index}`);
        });
        clock.advance(5 * TURN_MS);
        for (let passed = 0; passed <= 5 * TURN_MS; passed += stride) hand.pass(stride);
        expect(hand.fired).toEqual(order);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the wheel', () => {
  it('fires in the tick in which a timer falls due, not in the one before', () => {
    const hand = new Hand(1000);
    hand.start(25, 'a');
    hand.pass(24);
    expect(hand.fired).toEqual([]);
    hand.pass(5);
    expect(hand.fired).toEqual([]);
    hand.pass(1);
    expect(hand.fired).toEqual(['a']);
  });

  it('fires timers of four seconds and more each tenth of a second', () => {
    const hand = new Hand(1000);
    hand.start(COARSE_FROM_MS + 1, 'long');
    hand.pass(COARSE_FROM_MS + 99);
    expect(hand.fired).toEqual([]);
    hand.pass(1);
    expect(hand.fired).toEqual(['long']);
  });

  it('says how long nothing is due', () => {
    const hand = new Hand(1000);
    expect(hand.wheel.untilNext(100)).toBe(100);
    hand.start(32_000, 'later');
    hand.start(65, 'soon');
    expect(hand.wheel.untilNext(100)).toBe(70);
    hand.pass(33);
    expect(hand.wheel.untilNext(100)).toBe(37);
    hand.pass(37);
    expect(hand.fired).toEqual(['soon']);
    // It was not turned for long, since nothing waited in it.
    hand.now += 5000;
    expect(hand.wheel.untilNext(100)).toBeLessThanOrEqual(100);
  });

  it('gives timers of the same moment in the order they were started', () => {
    const hand = new Hand();
    for (const name of ['a', 'b', 'c', 'd']) hand.start(500, name);
    hand.start(499, 'before');
    hand.pass(520);
    expect(hand.fired).toEqual(['before', 'a', 'b', 'c', 'd']);
  });

  it('a timer that fires may cancel one of the same tick, earlier or later in its slot', () => {
    const hand = new Hand();
    const timers: Timer[] = [];
    timers.push(hand.start(20, 'a', () => timers[2]?.cancel()));
    timers.push(hand.start(20, 'b', () => timers[0]?.cancel()));
    timers.push(hand.start(20, 'c'));
    hand.pass(40);
    expect(hand.fired).toEqual(['a', 'b']);
    expect(hand.wheel.size).toBe(0);
  });

  it('a timer started without delay from a timer fires in the next tick, not in this one for ever', () => {
    const hand = new Hand(1000);
    const again = (): void => {
      hand.start(0, 'again', again);
    };
    again();
    hand.pass(10);
    expect(hand.fired).toHaveLength(1);
    hand.pass(10);
    expect(hand.fired).toHaveLength(2);
  });

  it('cancelling twice, or after it fired, does nothing', () => {
    const hand = new Hand();
    const [cancelled, fired] = [hand.start(10, 'cancelled'), hand.start(10, 'fired')];
    cancelled.cancel();
    cancelled.cancel();
    hand.pass(30);
    fired.cancel();
    hand.start(10, 'later');
    fired.cancel();
    expect(hand.wheel.size).toBe(1);
    hand.pass(30);
    expect(hand.fired).toEqual(['fired', 'later']);
  });

  it('passes a timer over once a turn until it is due', () => {
    const hand = new Hand(1000);
    hand.start(3 * TURN_MS, 'late');
    for (let turn = 0; turn < 3; turn++) {
      expect(hand.fired).toEqual([]);
      hand.pass(TURN_MS);
    }
    hand.pass(10 * TICK_MS);
    expect(hand.fired).toEqual(['late']);
  });

  it('after a stall of many turns fires everything that is due, by time', () => {
    const hand = new Hand();
    const due = [10, TURN_MS + 5, 30_000, 2 * TURN_MS + 20, 500];
    for (const delay of due) hand.start(delay, String(delay));
    hand.start(9 * TURN_MS, 'not yet');
    hand.pass(8 * TURN_MS);
    expect(hand.fired).toEqual([...due].sort((a, b) => a - b).map(String));
    expect(hand.wheel.size).toBe(1);
  });

  it('a timer that throws does not hold up those behind it for a turn', () => {
    const hand = new Hand();
    hand.start(20, 'first');
    hand.start(20, 'thrower', () => {
      throw new Error('mine');
    });
    hand.start(20, 'second');
    hand.start(40, 'third');
    expect(() => hand.pass(60)).toThrow('mine');
    hand.pass(10);
    expect(hand.fired).toEqual(['first', 'thrower', 'second', 'third']);
    expect(hand.wheel.size).toBe(0);
  });

  it('turning twice in one tick fires nothing twice, and time that stands still fires nothing', () => {
    const hand = new Hand();
    hand.start(0, 'a');
    hand.pass(20);
    hand.pass(0);
    hand.pass(0);
    expect(hand.fired).toEqual(['a']);
  });
});
