/** What every message store driver promises the outbox: the same tests on each of them. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Done, HistoryDriver, HistoryReader } from '../../src/history/driver.ts';
import type { FolderRef } from '../../src/history/intent.ts';
import { MemoryHistory } from '../../src/history/memory.ts';
import { sqliteHistory } from '../../src/history/sqlite.ts';
import { Scene } from '../support/processes.ts';

type Driver = HistoryDriver & HistoryReader;

let scene: Scene;
let driver: Driver;
const DRIVERS: Record<string, () => Driver> = {
  memory: () => new MemoryHistory(),
  'sqlite in a file': () => sqliteHistory({ path: join(scene.folder, 'history.sqlite') }),
  'sqlite in memory': () => sqliteHistory({ path: ':memory:', synchronous: 'full' }),
};

const FOLDER: FolderRef = { user: 'sip:alice@home.example', conversationId: 'v1', contributionId: 'c1' };
const SECOND: FolderRef = { ...FOLDER, contributionId: 'c2' };

/** The answer, which drivers tested here give at once. Throws their error. */
function answer<T>(ask: (done: Done<T>) => void): T {
  let told: { readonly error: Error | null; readonly value: T | undefined } | undefined;
  ask((error, value) => {
    told = { error, value };
  });
  if (told === undefined) throw new Error('no answer');
  if (told.error !== null) throw told.error;
  return told.value as T;
}

const open = (folder = FOLDER): void => answer<void>((done) => driver.openFolder(folder, done));
const append = (key: string, object: string, folder = FOLDER): number =>
  answer<number>((done) => driver.append(folder, key, object, done));
const objects = (folder = FOLDER) => answer((done: Done<readonly unknown[]>) => driver.objects(folder, done));

describe.each(Object.keys(DRIVERS))('%s', (name) => {
  beforeEach(() => {
    scene = new Scene();
    driver = (DRIVERS[name] as () => Driver)();
  });
  afterEach(async () => {
    driver.close();
    await scene.close();
  });

  it('gives UIDs from 1, in the order of appending, in each folder by itself', () => {
    open();
    open(SECOND);
    expect([append('a', 'A'), append('b', 'B'), append('x', 'X', SECOND), append('c', 'C')]).toEqual([1, 2, 1, 3]);
    expect(objects()).toEqual([
      { uid: 1, content: 'A' },
      { uid: 2, content: 'B' },
      { uid: 3, content: 'C' },
    ]);
  });

  it('gives the same UID for the same key, and stores no second object', () => {
    open();
    expect([append('a', 'A'), append('b', 'B'), append('a', 'A again')]).toEqual([1, 2, 1]);
    expect(objects()).toHaveLength(2);
    expect(append('c', 'C')).toBe(3);
  });

  it('never gives a UID again, not even one whose object is gone (RFC 9051 2.3.1.1)', () => {
    open();
    append('a', 'A');
    append('b', 'B');
    answer<void>((done) => driver.remove(FOLDER, 2, done));
    expect(append('c', 'C')).toBe(3);
    answer<void>((done) => driver.remove(FOLDER, 2, done));
    expect(objects()).toEqual([
      { uid: 1, content: 'A' },
      { uid: 3, content: 'C' },
    ]);
  });

  it('opens a folder that is there without touching it', () => {
    open();
    append('a', 'A');
    open();
    expect(objects()).toHaveLength(1);
  });

  it('moves pointers, each by itself; one that was never set is null', () => {
    const pointer = (which: 'SessionInfoObjectID' | 'GroupStateObjectID'): number | null =>
      answer<number | null>((done) => driver.getPointer(FOLDER, which, done));
    expect(pointer('SessionInfoObjectID')).toBeNull();
    open();
    expect(pointer('SessionInfoObjectID')).toBeNull();
    for (const uid of [1, 1, 7]) answer<void>((done) => driver.setPointer(FOLDER, 'GroupStateObjectID', uid, done));
    answer<void>((done) => driver.setPointer(FOLDER, 'SessionInfoObjectID', 1, done));
    expect([pointer('SessionInfoObjectID'), pointer('GroupStateObjectID')]).toEqual([1, 7]);
    expect(answer((done: Done<unknown>) => driver.pointers(FOLDER, done))).toEqual({
      SessionInfoObjectID: 1,
      GroupStateObjectID: 7,
    });
  });

  it('lists the folders of a user, newest last, and nobody else', () => {
    open();
    open(SECOND);
    open({ ...FOLDER, user: 'sip:bob@home.example' });
    append('a', 'A', SECOND);
    expect(answer((done: Done<unknown>) => driver.folders('sip:alice@home.example', done))).toEqual([
      { ...FOLDER, objects: 0 },
      { ...SECOND, objects: 1 },
    ]);
  });

  it('tells of a folder that is not there when it is written to, and reads it as empty', () => {
    expect(() => append('a', 'A')).toThrow('no folder v1/c1');
    expect(() => answer<void>((done) => driver.setPointer(FOLDER, 'GroupStateObjectID', 1, done))).toThrow('no folder');
    expect(objects()).toEqual([]);
    expect(answer((done: Done<unknown>) => driver.pointers(FOLDER, done))).toEqual({});
  });

  it('keeps every byte of an object', () => {
    open();
    const all = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join('');
    append('bytes', all);
    append('large', 'x'.repeat(1_000_000));
    expect(objects()).toMatchObject([{ content: all }, { content: expect.stringMatching(/^x{1000000}$/) }]);
  });
});

describe('sqlite in a file', () => {
  beforeEach(() => {
    scene = new Scene();
    driver = (DRIVERS['sqlite in a file'] as () => Driver)();
  });
  afterEach(async () => {
    driver.close();
    await scene.close();
  });

  it('has everything after it was opened again: objects, pointers, keys and the next UID', () => {
    open();
    append('a', 'A');
    append('b', 'B');
    answer<void>((done) => driver.remove(FOLDER, 2, done));
    answer<void>((done) => driver.setPointer(FOLDER, 'SessionInfoObjectID', 1, done));
    driver.close();
    driver = (DRIVERS['sqlite in a file'] as () => Driver)();
    expect([append('a', 'A'), append('c', 'C')]).toEqual([1, 3]);
    expect(answer((done: Done<unknown>) => driver.pointers(FOLDER, done))).toEqual({ SessionInfoObjectID: 1 });
  });

  it('can be read by another process while it is written', () => {
    open();
    append('a', 'A');
    const reader = (DRIVERS['sqlite in a file'] as () => Driver)();
    expect(answer((done: Done<readonly unknown[]>) => reader.objects(FOLDER, done))).toHaveLength(1);
    append('b', 'B');
    expect(answer((done: Done<readonly unknown[]>) => reader.objects(FOLDER, done))).toHaveLength(2);
    reader.close();
  });
});
