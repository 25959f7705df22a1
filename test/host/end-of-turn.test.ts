/** The end of a turn of the event loop: work first, then what leaves. */
import { describe, expect, it, jest } from '@jest/globals';
import { atEndOfTurn, type Departing, leaveAtEndOfTurn } from '../../src/host/end-of-turn.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function departing(log: string[], name: string): Departing {
  return { leave: () => void log.push(name) };
}

describe('the end of a turn', () => {
  it('does what was put off in its order, and lets leave what leaves when all of it is done', async () => {
    const log: string[] = [];
    leaveAtEndOfTurn(departing(log, 'leaves'));
    atEndOfTurn(() => log.push('first'));
    atEndOfTurn(() => log.push('second'));
    expect(log).toEqual([]);
    await nextTurn();
    expect(log).toEqual(['first', 'second', 'leaves']);
  });

  it('what its own work sends leaves with the rest; what it puts off is for the turn behind it', async () => {
    const log: string[] = [];
    atEndOfTurn(() => {
      leaveAtEndOfTurn(departing(log, 'answer'));
      atEndOfTurn(() => log.push('later'));
    });
    await nextTurn();
    expect(log).toEqual(['answer']);
    await nextTurn();
    expect(log).toEqual(['answer', 'later']);
  });

  it('comes again for every turn, and once for each', async () => {
    const log: string[] = [];
    for (const turn of ['1', '2', '3']) {
      leaveAtEndOfTurn(departing(log, turn));
      await nextTurn();
    }
    await nextTurn();
    expect(log).toEqual(['1', '2', '3']);
  });

  it('work that throws takes neither the rest of it along nor what leaves', () => {
    jest.useFakeTimers();
    const log: string[] = [];
    atEndOfTurn(() => {
      throw new Error('broken');
    });
    atEndOfTurn(() => log.push('rest'));
    leaveAtEndOfTurn(departing(log, 'leaves'));
    expect(() => jest.runOnlyPendingTimers()).toThrow('broken');
    expect(log).toEqual(['leaves']);
    jest.runOnlyPendingTimers();
    expect(log).toEqual(['leaves', 'rest']);
    jest.useRealTimers();
  });
});
