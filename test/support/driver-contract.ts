/** What every message store driver promises the outbox: the same tests on each of them. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Done, type HistoryDriver, type HistoryReader, NoFolder, type Pointer } from '../../src/history/driver.ts';
import type { FolderRef } from '../../src/history/intent.ts';

export type Driver = HistoryDriver & HistoryReader;

/** A store under test. */
export interface Store {
  /** A driver on the store; another one on the same store where it is asked for again. */
  open(): Driver;
  /** Whose mailbox the test has to itself. */
  readonly user: string;
  close(): Promise<void>;
}

/** The answer. Rejects with the driver's error. */
export function answer<T>(ask: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    ask((error, value) => (error === null ? resolve(value as T) : reject(error)));
  });
}

/** An object: a message with this text. */
export function message(text: string, type = 'text/plain'): string {
  return `Content-Type: ${type}\r\n\r\n${text}\r\n`;
}

/** UTF-8, one character a byte. */
const wire = (text: string): string => Buffer.from(text).toString('latin1');

export function driverContract(begin: () => Promise<Store> | Store, outlivesItsProcess: boolean): void {
  let store: Store;
  let driver: Driver;
  let folder: FolderRef;
  let second: FolderRef;

  beforeEach(async () => {
    store = await begin();
    driver = store.open();
    folder = { user: store.user, conversationId: 'v1', contributionId: 'c1' };
    second = { ...folder, contributionId: 'c2' };
  });
  afterEach(async () => {
    driver.close();
    await store.close();
  });

  const open = (which = folder): Promise<void> => answer((done) => driver.openFolder(which, done));
  const append = (key: string, text: string, which = folder): Promise<number> =>
    answer((done) => driver.append(which, key, message(text), done));
  const objects = (which = folder) => answer<readonly unknown[]>((done) => driver.objects(which, done));
  const remove = (uid: number): Promise<void> => answer((done) => driver.remove(folder, uid, done));
  const setPointer = (pointer: Pointer, uid: number): Promise<void> =>
    answer((done) => driver.setPointer(folder, pointer, uid, done));
  const getPointer = (pointer: Pointer) => answer<number | null>((done) => driver.getPointer(folder, pointer, done));
  const pointers = () => answer<unknown>((done) => driver.pointers(folder, done));

  it('gives UIDs from 1, in the order of appending, in each folder by itself', async () => {
    await open();
    await open(second);
    expect(await append('a', 'A')).toBe(1);
    expect(await append('b', 'B')).toBe(2);
    expect(await append('x', 'X', second)).toBe(1);
    expect(await append('c', 'C')).toBe(3);
    expect(await objects()).toEqual([
      { uid: 1, content: message('A') },
      { uid: 2, content: message('B') },
      { uid: 3, content: message('C') },
    ]);
  });

  it('gives the same UID for the same key, and stores no second object', async () => {
    await open();
    expect(await append('a', 'A')).toBe(1);
    expect(await append('A', 'another key')).toBe(2);
    expect(await append('a', 'A again')).toBe(1);
    expect(await objects()).toHaveLength(2);
    expect(await append('aa', 'C')).toBe(3);
  });

  it('stores several at once in their order; what is there already gets its UID again', async () => {
    if (driver.appendAll === undefined) return;
    const all = (...keys: string[]) =>
      answer<readonly number[]>((done) =>
        driver.appendAll?.(
          folder,
          keys.map((key) => ({ key, object: message(key) })),
          done,
        ),
      );
    await expect(all('a', 'b')).rejects.toThrow(NoFolder);
    await open();
    expect(await append('b', 'b')).toBe(1);
    expect(await all('a', 'b', 'c', 'd')).toEqual([2, 1, 3, 4]);
    expect(await all('c', 'd')).toEqual([3, 4]);
    expect(await objects()).toEqual(['b', 'a', 'c', 'd'].map((text, at) => ({ uid: at + 1, content: message(text) })));
  });

  it('never gives a UID again, not even one whose object is gone (RFC 9051 2.3.1.1)', async () => {
    await open();
    await append('a', 'A');
    await append('b', 'B');
    await remove(2);
    expect(await append('c', 'C')).toBe(3);
    await remove(2);
    expect(await objects()).toMatchObject([{ uid: 1 }, { uid: 3 }]);
  });

  it('opens a folder that is there without touching it', async () => {
    await open();
    await append('a', 'A');
    await open();
    expect(await objects()).toHaveLength(1);
  });

  it('moves pointers, each by itself; one that was never set is null', async () => {
    expect(await getPointer('SessionInfoObjectID')).toBeNull();
    await open();
    expect(await getPointer('SessionInfoObjectID')).toBeNull();
    for (const uid of [1, 1, 7]) await setPointer('GroupStateObjectID', uid);
    await setPointer('SessionInfoObjectID', 1);
    expect([await getPointer('SessionInfoObjectID'), await getPointer('GroupStateObjectID')]).toEqual([1, 7]);
    expect(await pointers()).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 7 });
  });

  it('lists the folders of a user, newest last, and nobody else', async () => {
    await open(second);
    await open();
    await open({ ...folder, user: 'sip:somebody@home.example' });
    await append('a', 'A', second);
    expect(await answer((done: Done<unknown>) => driver.folders(store.user, done))).toEqual([
      { ...second, objects: 1 },
      { ...folder, objects: 0 },
    ]);
  });

  it('tells of a folder that is not there when it is written to, and reads it as empty', async () => {
    await expect(append('a', 'A')).rejects.toThrow('no folder v1/c1');
    await expect(setPointer('GroupStateObjectID', 1)).rejects.toThrow('no folder v1/c1');
    await remove(1);
    expect(await objects()).toEqual([]);
    expect(await pointers()).toEqual({});
    expect(await answer((done: Done<unknown>) => driver.folders(store.user, done))).toEqual([]);
  });

  it('keeps every byte of a message, whatever its body holds and says of its encoding, and large ones', async () => {
    await open();
    const bytes = Array.from({ length: 256 }, (_, at) => String.fromCharCode(at)).join('');
    const bodies = [bytes, bytes.repeat(20), 'bare\nlines\r', '\r\n\r\n', '', 'x'.repeat(1_000_000)];
    const heads = ['', 'Content-Transfer-Encoding: binary\r\n', 'Content-Transfer-Encoding: base64\r\nTo: x\r\n'];
    const given = heads.flatMap((head) => bodies.map((body) => `${head}Subject: x\r\n\r\n${body}`));
    for (const [at, object] of given.entries()) {
      await answer<number>((done) => driver.append(folder, `key-${at}`, object, done));
    }
    expect(await objects()).toEqual(given.map((content, at) => ({ uid: at + 1, content })));
  });

  // What strangers put into Conversation-ID and Contribution-ID, wire strings.
  it.each([
    ['a path', '../../etc', '..'],
    ['a hierarchy', 'a/b.c\\d', '/'],
    ['patterns and quotes', '*%"', '&-~"('],
    ['lines and a NUL', 'a\r\nb c1 DELETE INBOX', 'x\0y'],
    ['UTF-8', wire('Gespräch'), wire('日本語')],
    ['bytes that are no text', '\xff\xfe\x80', '=41=~'],
    ['great length', 'x'.repeat(5000), wire('ä'.repeat(300))],
    ['other case', 'INBOX', 'inbox'],
  ])('takes names made of %s for names, and nothing else', async (_what, conversationId, contributionId) => {
    const strange = { user: store.user, conversationId, contributionId };
    await open();
    await open(strange);
    await append('a', 'A', strange);
    await append('b', 'B');
    expect(await objects(strange)).toEqual([{ uid: 1, content: message('A') }]);
    const folders = await answer<readonly FolderRef[]>((done) => driver.folders(store.user, done));
    expect(folders).toHaveLength(2);
    expect(folders[0]).toEqual({ ...folder, objects: 1 });
    // Whatever a listing calls it, it can be read by that.
    expect(await objects(folders[1])).toEqual([{ uid: 1, content: message('A') }]);
  });

  if (!outlivesItsProcess) return;

  describe('opened again', () => {
    it('has everything: objects, pointers, keys and the next UID', async () => {
      await open();
      await append('a', 'A');
      await append('b', 'B');
      await remove(2);
      await setPointer('SessionInfoObjectID', 1);
      driver.close();
      driver = store.open();
      expect([await append('a', 'A'), await append('c', 'C')]).toEqual([1, 3]);
      expect(await pointers()).toEqual({ SessionInfoObjectID: 1 });
    });

    it('can be read by another process while it is written', async () => {
      await open();
      await append('a', 'A');
      const reader = store.open();
      const read = () => answer<readonly unknown[]>((done) => reader.objects(folder, done));
      expect(await read()).toHaveLength(1);
      await append('b', 'B');
      expect(await read()).toHaveLength(2);
      reader.close();
    });
  });
}
