/**
 * The journal before the session store: two segments take turns, the database takes what still matters, and whatever
 * happens in between, a restart finds every session that was said to be stored, as it was last stored, and no other.
 */
import { mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import Database from 'better-sqlite3';
import { openDatabase } from '../../src/store/database.ts';
import { Journal } from '../../src/store/journal.ts';
import { SESSIONS_FORM, type SqliteSessions, sessionsIn } from '../../src/store/sqlite.ts';
import { StagedFile } from '../support/journal-files.ts';
import { intent, SEGMENT_BYTES, SLICE_ROWS, Staged } from '../support/staged-store.ts';

describe('the database', () => {
  it('never hears of a session that is over before a segment is full', () => {
    const staged = new Staged();
    const writes = staged.database.prepare('SELECT total_changes()').pluck();
    const before = writes.get();
    for (let at = 0; at < 2; at++) {
      staged.begin(`s${at}`);
      staged.commit({ puts: [{ id: `s${at}`, state: 'later' }] });
      staged.commit({ deletes: [`s${at}`] });
    }
    staged.begin('lives');
    expect([writes.get(), staged.waiting.length]).toEqual([before, 0]);
    for (const session of ['s5', 's6', 's7']) {
      staged.begin(session, 100);
      staged.commit({ deletes: [session] });
    }
    expect(staged.waiting).toHaveLength(1);
    staged.settle();
    expect(staged.inTable()).toEqual(['lives']);
  });

  it('takes a full segment some rows at a time, with the last state of each, and then forgets what is over', () => {
    const staged = new Staged();
    for (let at = 0; at < 100; at++) staged.begin(`s${at}`);
    staged.commit({ puts: [{ id: 's0', state: 'last' }], deletes: ['s1', 's99'] });
    expect(staged.inTable()).toEqual([]);
    let slices = 0;
    let rows = 0;
    while (staged.waiting.length > 0) {
      (staged.waiting.shift() as () => void)();
      const { length } = staged.inTable();
      expect(length - rows).toBeLessThanOrEqual(SLICE_ROWS);
      rows = length;
      slices++;
    }
    expect(slices).toBeGreaterThan(1);
    expect(staged.loaded().s0).toBe('origin s0: last');
    for (let at = 0; at < 100; at++) staged.commit({ deletes: [`s${at}`] });
    for (let at = 0; at < 20; at++) staged.begin(`t${at}`);
    staged.settle();
    for (let at = 0; at < 20; at++) staged.begin(`u${at}`);
    staged.settle();
    expect(staged.inTable().filter((id) => id.startsWith('s'))).toEqual([]);
  });

  it('takes history work that is not done, and lets go of it when it is', () => {
    const staged = new Staged();
    const kept = staged.database.prepare('SELECT id FROM work').pluck();
    staged.commit({ intents: [intent('a'), intent('b')] });
    staged.store.forgetIntents(['a']);
    for (let at = 0; at < 10; at++) staged.begin(`s${at}`);
    staged.settle();
    expect(kept.all()).toEqual(['b']);
    staged.store.forgetIntents(['b']);
    for (let at = 0; at < 20; at++) staged.begin(`t${at}`);
    staged.settle();
    expect(kept.all()).toEqual([]);
  });

  it('that can not be written is tried again, the journal goes on, and it says so until then', () => {
    jest.useFakeTimers();
    const staged = new Staged();
    const pages = (count: number): unknown => staged.database.pragma(`max_page_count = ${count}`);
    pages(staged.database.pragma('page_count', { simple: true }) as number);
    staged.begin('s0', 20_000);
    for (const id of ['s1', 's2']) staged.begin(id);
    staged.settle();
    expect([staged.store.behind, staged.inTable()]).toEqual(['database or disk is full', []]);
    expect(staged.begin('later')).toBeUndefined();
    pages(1000);
    jest.advanceTimersByTime(1000);
    staged.settle();
    expect([staged.store.behind, staged.store.failing]).toEqual([undefined, 0]);
    expect(Object.keys(staged.loaded()).sort()).toEqual(['later', 's0', 's1', 's2']);
    jest.useRealTimers();
  });

  it('has taken a segment that had grown: its file is as small as others again', () => {
    const staged = new Staged();
    staged.begin('large', 20_000);
    staged.settle();
    expect(staged.files[0].size).toBeGreaterThan(20_000);
    for (let at = 0; at < 10; at++) {
      staged.begin(`s${at}`, 100);
      staged.settle();
    }
    expect(staged.files[0].size).toBeLessThan(2 * SEGMENT_BYTES);
    expect(staged.killed().loaded().large).toHaveLength('origin large: '.length + 20_000);
  });

  it('that can not be written for long lets the journal grow to a bound, and then sessions are not stored', () => {
    jest.useFakeTimers();
    const staged = new Staged();
    staged.database.pragma(`max_page_count = ${staged.database.pragma('page_count', { simple: true }) as number}`);
    staged.begin('s', 20_000);
    staged.settle();
    const stored = Array.from({ length: 200 }, (_, at) => staged.begin(`t${at}`, 100));
    expect(stored[0]).toBeUndefined();
    expect(stored.at(-1)?.message).toBe("two: full, since the database can't be written");
    expect(staged.files[1].size).toBeLessThan(33 * SEGMENT_BYTES);
    jest.useRealTimers();
  });
});

describe('a restart', () => {
  it('finds what the segments say, over what the database has', () => {
    const staged = new Staged();
    for (let at = 0; at < 12; at++) staged.begin(`s${at}`);
    staged.settle();
    staged.commit({ puts: [{ id: 's3', state: 'last' }], deletes: ['s4'] });
    const found = staged.killed().loaded();
    expect(found.s3).toBe('origin s3: last');
    expect(Object.keys(found)).toHaveLength(11);
    expect(found.s4).toBeUndefined();
  });

  it('after a power cut that took the end of a segment, leaves out the one that was begun behind it', () => {
    const staged = new Staged();
    staged.begin('a', 100);
    staged.begin('b', 100);
    staged.begin('c', 100);
    staged.begin('in the other');
    const [one, two] = staged.files;
    expect([one.bytes.includes('origin c'), two.bytes.includes('origin in the other')]).toEqual([true, true]);
    one.bytes = Buffer.from(one.bytes.subarray(0, one.size - 1));
    expect(Object.keys(staged.killed().loaded())).toEqual(['a', 'b']);
  });

  it('with a database that was brought back from a copy leaves out what does not follow', () => {
    const staged = new Staged();
    staged.begin('a');
    const copy = staged.killed();
    copy.loaded();
    const early = copy.database.serialize();
    for (let at = 0; at < 30; at++) copy.begin(`s${at}`);
    copy.settle();
    for (let at = 0; at < 30; at++) copy.begin(`t${at}`);
    copy.settle();
    const files = copy.files.map(({ path, bytes }) => new StagedFile(path, bytes)) as [StagedFile, StagedFile];
    expect(new Staged(new Database(early), files).loaded()).toEqual({ a: `origin a: ${'x'.repeat(10)}` });
  });

  it('refuses a journal of a form that it does not know', () => {
    const staged = new Staged();
    staged.begin('a');
    const [one, two] = staged.files;
    const journal = (bytes: Buffer): Journal =>
      new Journal({
        files: [new StagedFile('one', bytes), two],
        store: one.bytes.toString('hex', 12, 20),
        folded: 0,
        segmentBytes: SEGMENT_BYTES,
        sync: false,
      });
    expect(journal(one.bytes).generation).toBe(1);
    expect(() => journal(ofForm(2, one.bytes))).toThrow('one: a journal of another version (form 2)');
  });
});

describe('with `synchronous: normal`, where the disk comes later', () => {
  /** Flushes under way, by the file's ending. */
  let flushes: { readonly file: string; done(error: Error | null): void }[];
  let folder: string;
  let store: SqliteSessions;
  const path = (): string => join(folder, 'sessions.sqlite');

  beforeEach(() => {
    jest.useFakeTimers();
    flushes = [];
    folder = mkdtempSync(join(tmpdir(), 'journal-'));
    const flush = ((descriptor: number, done: (error: Error | null) => void) => {
      const file = readlinkSync(`/proc/self/fd/${descriptor}`).slice(path().length);
      flushes.push({ file, done });
    }) as never;
    const database = openDatabase(path(), SESSIONS_FORM, 'normal', true);
    store = sessionsIn(database, {
      synchronous: 'normal',
      segmentBytes: SEGMENT_BYTES,
      soon: (task) => task(),
      flush,
    });
  });
  afterEach(() => {
    store.close();
    jest.useRealTimers();
    rmSync(folder, { recursive: true });
  });

  function put(id: string): void {
    const puts = [{ id, origin: 'x'.repeat(SEGMENT_BYTES), state: '' }];
    store.commit({ puts, deletes: [], intents: [], policies: [] }, () => {});
  }

  function done(file: string, error: Error | null = null): void {
    const at = flushes.findIndex((flush) => flush.file === file);
    expect(at).not.toBe(-1);
    flushes.splice(at, 1)[0]?.done(error);
  }

  const under = (): string[] => flushes.map(({ file }) => file).sort();
  const segments = (): number[] => [1, 2].map((at) => readFileSync(`${path()}.journal-${at}`).readUInt32LE(8));

  it('a segment is flushed at once when it is full, and written over when the database is on the disk', () => {
    put('a');
    expect([under(), segments()]).toEqual([
      ['-wal', '.journal-1'],
      [1, 2],
    ]);
    done('.journal-1');
    put('b');
    put('c');
    // The second is full as well, and nothing says yet that the first may go.
    expect(segments()).toEqual([1, 2]);
    done('-wal', new Error('EIO'));
    expect([segments(), store.behind]).toEqual([[1, 2], 'EIO']);
    jest.advanceTimersByTime(1000);
    done('-wal');
    expect([segments(), store.behind]).toEqual([[3, 2], undefined]);
  });

  it('nothing is tried again when the store is closed', () => {
    put('a');
    done('.journal-1');
    done('-wal', new Error('EIO'));
    store.close();
    store = sessionsIn(openDatabase(path(), SESSIONS_FORM, 'off', true), { synchronous: 'off' });
    jest.advanceTimersByTime(10_000);
    expect(under()).toEqual([]);
    const found: string[] = [];
    store.load((id) => found.push(id));
    expect(found).toEqual(['a']);
  });

  it('a journal that does not reach the disk is told of until it does', () => {
    store.commit({ puts: [{ id: 'a', origin: 'o', state: '' }], deletes: [], intents: [], policies: [] }, () => {});
    expect(under()).toEqual([]);
    jest.advanceTimersByTime(200);
    done('.journal-1', new Error('EIO'));
    expect(store.behind).toBe('EIO');
    store.commit({ puts: [{ id: 'a', state: 'later' }], deletes: [], intents: [], policies: [] }, () => {});
    jest.advanceTimersByTime(200);
    done('.journal-1');
    expect(store.behind).toBeUndefined();
  });
});

/** The same file, had it been made as of another form. */
function ofForm(version: number, bytes: Buffer): Buffer {
  const other = Buffer.from(bytes);
  other.writeUInt32LE(version, 4);
  other.writeUInt32LE(crc32(other.subarray(0, 28)), 28);
  return other;
}
