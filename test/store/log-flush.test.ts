/** A file that grows goes to the disk beside the loop: soon after a write, one flush at a time, nothing left open. */
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LogFlush, logFlush } from '../../src/store/log-flush.ts';

type Done = (error: Error | null) => void;

let folder: string;
let path: string;
/** Flushes under way. */
let waiting: Done[];
/** What came of those that are done. */
let outcomes: (string | null)[];
const sync = ((_descriptor: number, done: Done) => waiting.push(done)) as never;

beforeEach(() => {
  jest.useFakeTimers();
  folder = mkdtempSync(join(tmpdir(), 'log-flush-'));
  path = join(folder, 'sessions.sqlite-wal');
  writeFileSync(path, 'a log');
  waiting = [];
  outcomes = [];
});

afterEach(() => {
  jest.useRealTimers();
  rmSync(folder, { recursive: true });
});

/** Descriptors of this process that the log is open by. */
function openLogs(): number {
  return readdirSync('/proc/self/fd').filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`) === path;
    } catch {
      return false;
    }
  }).length;
}

function made(log = path): LogFlush {
  return new LogFlush(log, (error) => outcomes.push(error?.message ?? null), sync);
}

describe('a log', () => {
  it('is flushed once for all that is written within a moment', () => {
    const flush = made();
    flush.wrote();
    flush.wrote();
    expect(waiting).toHaveLength(0);
    jest.advanceTimersByTime(200);
    expect(waiting).toHaveLength(1);
    waiting.shift()?.(null);
    jest.advanceTimersByTime(10_000);
    expect([waiting.length, outcomes]).toEqual([0, [null]]);
    flush.close();
  });

  it('is flushed again where something was written meanwhile, and not before the flush is done', () => {
    const flush = made();
    flush.wrote();
    jest.advanceTimersByTime(200);
    flush.wrote();
    jest.advanceTimersByTime(10_000);
    expect(waiting).toHaveLength(1);
    waiting.shift()?.(new Error('EIO'));
    jest.advanceTimersByTime(200);
    expect([waiting.length, outcomes]).toEqual([1, ['EIO']]);
    flush.close();
    waiting.shift()?.(null);
  });

  it('is let go of when the store closes, at once or when the flush is done', () => {
    const first = made();
    first.wrote();
    jest.advanceTimersByTime(200);
    expect(openLogs()).toBe(1);
    waiting.shift()?.(null);
    first.close();
    expect(openLogs()).toBe(0);

    const second = made();
    second.wrote();
    jest.advanceTimersByTime(200);
    second.close();
    waiting.shift()?.(null);
    jest.advanceTimersByTime(10_000);
    expect([waiting.length, openLogs()]).toEqual([0, 0]);
  });

  it('is no concern where nothing of it is there', () => {
    const flush = made(join(folder, 'nowhere'));
    flush.wrote();
    jest.advanceTimersByTime(200);
    expect(waiting).toHaveLength(0);
    flush.close();
  });

  it('is cared for by the setting `normal` alone', () => {
    expect(logFlush('sessions.sqlite', 'normal')).toBeInstanceOf(LogFlush);
    expect([
      logFlush('sessions.sqlite', 'off'),
      logFlush('sessions.sqlite', 'full'),
      logFlush(':memory:', 'normal'),
    ]).toEqual([undefined, undefined, undefined]);
  });
});

describe('who waits for a flush', () => {
  const hear =
    (heard: string[], name: string): Done =>
    (error) =>
      heard.push(`${name} ${error?.message ?? 'done'}`);

  it('has it at once, and hears when all that was written before is on the disk', () => {
    const flush = made();
    const heard: string[] = [];
    flush.wrote();
    flush.now(hear(heard, 'one'));
    expect([waiting.length, heard]).toEqual([1, []]);
    // This one may have been written too late for the flush under way.
    flush.now(hear(heard, 'two'));
    waiting.shift()?.(null);
    expect([waiting.length, heard]).toEqual([1, ['one done']]);
    waiting.shift()?.(new Error('EIO'));
    expect(heard).toEqual(['one done', 'two EIO']);
    jest.advanceTimersByTime(10_000);
    expect(waiting).toHaveLength(0);
    flush.close();
  });

  it('hears that there is nothing to flush, and nothing any more once it is closed', () => {
    const heard: string[] = [];
    const nowhere = made(join(folder, 'nowhere'));
    nowhere.now(hear(heard, 'one'));
    expect(heard).toEqual([`one ${join(folder, 'nowhere')}: can't be opened`]);
    const flush = made();
    flush.now(hear(heard, 'two'));
    flush.close();
    waiting.shift()?.(null);
    expect(heard).toHaveLength(1);
  });
});
