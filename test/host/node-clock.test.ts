/** The clock of a Node process: it wakes for what is due, and sleeps in between. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NodeClock } from '../../src/host/node-clock.ts';

describe('the clock of a Node process', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: 1_800_000_000_000 });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  function started(...delays: readonly number[]) {
    const clock = new NodeClock();
    const fired: [string, number][] = [];
    const begun = clock.now();
    const start = (delay: number) =>
      clock.schedule(delay, { onTimer: (name) => fired.push([name, clock.now() - begun]) }, String(delay));
    const timers = delays.map(start);
    return { clock, fired, start, timers };
  }

  it('fires timers never early and at most a tick late, also one that comes in while it sleeps for a longer one', () => {
    const { clock, fired, start } = started(70);
    jest.advanceTimersByTime(15);
    start(20);
    jest.advanceTimersByTime(1000);
    const [[first, firstAt] = ['', 0], [second, secondAt] = ['', 0]] = fired;
    expect([first, second]).toEqual(['20', '70']);
    expect(firstAt).toBeGreaterThanOrEqual(35);
    expect(firstAt).toBeLessThanOrEqual(46);
    expect(secondAt).toBeGreaterThanOrEqual(70);
    expect(secondAt).toBeLessThanOrEqual(81);
    expect(clock.size).toBe(0);
  });

  it('wakes ten times a second, not a hundred, while only long timers wait, and not at all while none does', () => {
    const { clock, timers } = started(32_000);
    const wakes = jest.spyOn(globalThis, 'setTimeout');
    jest.advanceTimersByTime(10_000);
    expect(wakes.mock.calls.length).toBeGreaterThanOrEqual(90);
    expect(wakes.mock.calls.length).toBeLessThan(110);
    timers[0]?.cancel();
    jest.advanceTimersByTime(200);
    expect(jest.getTimerCount()).toBe(0);
    expect(clock.size).toBe(0);
    wakes.mockRestore();
  });

  it('goes on after a timer that throws', () => {
    const { clock, fired, start } = started();
    clock.schedule(
      10,
      {
        onTimer: () => {
          throw new Error('mine');
        },
      },
      'thrower',
    );
    start(30);
    expect(() => jest.advanceTimersByTime(100)).toThrow('mine');
    jest.advanceTimersByTime(100);
    expect(fired.map(([name]) => name)).toEqual(['30']);
  });

  it('is stopped for good, until a timer is started', () => {
    const { clock, fired, start } = started(30);
    clock.stop();
    jest.advanceTimersByTime(1000);
    expect(fired).toEqual([]);
    start(10);
    jest.advanceTimersByTime(100);
    expect(fired.map(([name]) => name)).toEqual(['30', '10']);
  });
});
