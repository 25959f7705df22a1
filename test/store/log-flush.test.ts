/** The log of a database goes to the disk beside the loop: soon after a write, one flush at a time, nothing left open. */
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LogFlush, logFlush } from '../../src/store/log-flush.ts';
import { openDatabase, SESSIONS_FORM, sessionsIn } from '../../src/store/sqlite.ts';

type Done = (error: Error | null) => void;

let folder: string;
let path: string;
/** Flushes under way. */
let waiting: Done[];
const sync = ((_descriptor: number, done: Done) => waiting.push(done)) as never;

beforeEach(() => {
  jest.useFakeTimers();
  folder = mkdtempSync(join(tmpdir(), 'log-flush-'));
  path = join(folder, 'sessions.sqlite');
  waiting = [];
});

afterEach(() => {
  jest.useRealTimers();
  rmSync(folder, { recursive: true });
});

/** Descriptors of this process that the log is open by. */
function openLogs(): number {
  return readdirSync('/proc/self/fd').filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`) === `${path}-wal`;
    } catch {
      return false;
    }
  }).length;
}

function database(): { store: ReturnType<typeof sessionsIn>; put(id: string): void } {
  const store = sessionsIn(openDatabase(path, SESSIONS_FORM, 'normal', true), new LogFlush(path, sync));
  const put = (id: string): void =>
    store.commit({ puts: [{ id, origin: 'o', state: 's' }], deletes: [], intents: [], policies: [] }, () => {});
  return { store, put };
}

describe('the log of a session store', () => {
  it('is flushed once for all that is written within a moment', () => {
    const { store, put } = database();
    put('one');
    put('two');
    expect(waiting).toHaveLength(0);
    jest.advanceTimersByTime(200);
    expect(waiting).toHaveLength(1);
    waiting.shift()?.(null);
    jest.advanceTimersByTime(10_000);
    expect(waiting).toHaveLength(0);
    store.close();
  });

  it('is flushed again where something was written meanwhile, and not before the flush is done', () => {
    const { store, put } = database();
    put('one');
    jest.advanceTimersByTime(200);
    put('two');
    jest.advanceTimersByTime(10_000);
    expect(waiting).toHaveLength(1);
    // What went wrong is told to SQLite as well.
    waiting.shift()?.(new Error('EIO'));
    jest.advanceTimersByTime(200);
    expect(waiting).toHaveLength(1);
    store.close();
    waiting.shift()?.(null);
  });

  it('is let go of when the store closes, at once or when the flush is done', () => {
    const first = database();
    const own = openLogs();
    first.put('one');
    jest.advanceTimersByTime(200);
    expect(openLogs()).toBe(own + 1);
    waiting.shift()?.(null);
    first.store.close();
    expect(openLogs()).toBe(0);

    const second = database();
    second.put('two');
    jest.advanceTimersByTime(200);
    second.store.close();
    waiting.shift()?.(null);
    jest.advanceTimersByTime(10_000);
    expect([waiting.length, openLogs()]).toEqual([0, 0]);
  });

  it('is no concern where nothing of it is there', () => {
    const flush = new LogFlush(join(folder, 'nowhere.sqlite'), sync);
    flush.wrote();
    jest.advanceTimersByTime(200);
    expect(waiting).toHaveLength(0);
    flush.close();
  });

  it('is cared for by the setting `normal` alone', () => {
    expect(logFlush(path, 'normal')).toBeInstanceOf(LogFlush);
    expect([logFlush(path, 'off'), logFlush(path, 'full'), logFlush(':memory:', 'normal')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
