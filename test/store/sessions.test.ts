/** Session stores: what was stored comes back, in order, after the file is opened again; a batch is all or nothing. */
import { closeSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import type { Batch } from '../../src/engine/ports.ts';
import type { HistoryIntent } from '../../src/history/intent.ts';
import { memorySessions } from '../../src/store/memory.ts';
import {
  openDatabase,
  SESSIONS_FORM,
  type SqliteSessions,
  sessionsIn,
  sqliteSessions,
} from '../../src/store/sqlite.ts';
import { Scene } from '../support/processes.ts';

const NOTHING: Batch = { puts: [], deletes: [], intents: [], policies: [] };

let scene: Scene;
let path: string;
let store: SqliteSessions;

beforeEach(() => {
  scene = new Scene();
  path = join(scene.folder, 'sub', 'sessions.sqlite');
  store = sqliteSessions({ path });
});
afterEach(async () => {
  store.close();
  await scene.close();
});

/** Stores a batch; the error, or undefined. */
function commit(batch: Partial<Batch>, on = store): Error | undefined {
  let failed: Error | undefined;
  on.commit({ ...NOTHING, ...batch }, (error) => {
    failed = error;
  });
  return failed;
}

function loaded(on = store): string[] {
  const rows: string[] = [];
  on.load((id, origin, state) => rows.push(`${id} ${origin} ${state}`));
  return rows;
}

function reopen(): void {
  store.close();
  store = sqliteSessions({ path });
}

function intent(id: string, at: number): HistoryIntent {
  const folder = { user: 'sip:alice@home.example', conversationId: 'v', contributionId: 'c' };
  return { kind: 'open', id, session: id, folder, at, object: 'an object' };
}

describe('the SQLite session store', () => {
  it('gives back sessions, each with its last state', () => {
    commit({ puts: ['b', 'a', 'c'].map((id) => ({ id, origin: `origin-${id}`, state: '1' })) });
    commit({ puts: [{ id: 'a', state: '2' }], deletes: ['c'] });
    reopen();
    expect(loaded()).toEqual(['b origin-b 1', 'a origin-a 2']);
    commit({ puts: [{ id: 'b', state: '3' }], deletes: ['a'] });
    reopen();
    expect(loaded()).toEqual(['b origin-b 3']);
  });

  it('leaves out the state of a session whose beginning was never written', () => {
    commit({ puts: [{ id: 'a', state: '2' }] });
    commit({ puts: [{ id: 'b', origin: 'origin-b', state: '1' }] });
    reopen();
    expect(loaded()).toEqual(['b origin-b 1']);
  });

  it('writes a new session over one that is over, and deletes the others that are', () => {
    commit({ puts: ['a', 'b', 'c'].map((id) => ({ id, origin: `origin-${id}`, state: '1' })) });
    commit({ puts: [{ id: 'd', origin: 'origin-d', state: '1' }], deletes: ['a'] });
    commit({ puts: [{ id: 'd', state: '2' }] });
    reopen();
    expect(loaded().sort()).toEqual(['b origin-b 1', 'c origin-c 1', 'd origin-d 2']);
    commit({ puts: [{ id: 'e', origin: 'origin-e', state: '1' }], deletes: ['d', 'b'] });
    commit({ puts: [{ id: 'c', state: '2' }] });
    reopen();
    expect(loaded().sort()).toEqual(['c origin-c 2', 'e origin-e 1']);
  });

  it('changes the page of one session alone when that begins in the place of another', () => {
    const text = 'x'.repeat(5000);
    commit({ puts: ['a', 'b', 'c', 'd'].map((id) => ({ id, origin: text, state: '1' })) });
    const before = statSync(`${path}-wal`).size;
    commit({ puts: [{ id: 'e', origin: text, state: '1' }], deletes: ['b'] });
    expect(statSync(`${path}-wal`).size - before).toBe(8192 + 24);
  });

  it('gives back policies by their keys; storing one again changes nothing', () => {
    commit({ policies: [{ key: 'k', body: 'one' }] });
    commit({ policies: [{ key: 'k', body: 'two' }] });
    reopen();
    expect([store.policy('k'), store.policy('x')]).toEqual(['one', undefined]);
  });

  it('keeps the policies that are still named, and deletes the others', () => {
    for (const key of ['a', 'b', 'c']) commit({ policies: [{ key, body: `policy ${key}` }] });
    store.keepPolicies?.(new Set(['b', 'x']));
    expect(['a', 'b', 'c'].map((key) => store.policy(key))).toEqual([undefined, 'policy b', undefined]);
  });

  it('gives back history work that is not done, in the order in which it was wanted, once each', () => {
    commit({ intents: [intent('z', 1), intent('m', 2)] });
    commit({ intents: [intent('a', 3), intent('z', 1)] });
    reopen();
    expect(store.intents()).toEqual([intent('z', 1), intent('m', 2), intent('a', 3)]);
    store.forgetIntents(['m']);
    reopen();
    expect(store.intents().map(({ id }) => id)).toEqual(['z', 'a']);
  });

  it('writes new work over work that is done, and deletes what is left of that', () => {
    const database = openDatabase(':memory:', SESSIONS_FORM, 'normal', true);
    const own = sessionsIn(database);
    const rows = (): unknown[] => database.prepare('SELECT number, id FROM work').raw().all();
    commit({ intents: [intent('a', 1), intent('b', 2), intent('c', 3)] }, own);
    own.forgetIntents(['a', 'c', 'never']);
    commit({ intents: [intent('d', 4)] }, own);
    expect(rows()).toEqual([
      [2, 'b'],
      [3, 'd'],
    ]);
    expect(own.intents().map(({ id }) => id)).toEqual(['b', 'd']);
    own.close();
  });

  it('keeps the rows of work that is done for the next batch where one can not be written', () => {
    const database = openDatabase(':memory:', SESSIONS_FORM, 'normal', true);
    const own = sessionsIn(database);
    commit({ intents: [intent('a', 1), intent('b', 2)] }, own);
    own.forgetIntents(['a']);
    database.pragma(`max_page_count = ${database.pragma('page_count', { simple: true }) as number}`);
    const large = { ...intent('c', 3), object: 'x'.repeat(50_000) } as HistoryIntent;
    expect(commit({ intents: [large] }, own)?.message).toBe('database or disk is full');
    database.pragma('max_page_count = 1000');
    expect(commit({ intents: [large] }, own)).toBeUndefined();
    own.forgetIntents(['b', 'c']);
    expect(commit({}, own)).toBeUndefined();
    expect(own.intents()).toEqual([]);
    own.close();
  });

  it('takes over the work of a file that has it under its names', () => {
    store.close();
    const old = new Database(path);
    old.exec('DROP TABLE work; CREATE TABLE intents (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID');
    old.prepare('INSERT INTO intents VALUES (?, ?)').run('z', JSON.stringify(intent('z', 1)));
    old.close();
    store = sqliteSessions({ path });
    expect(store.intents()).toEqual([intent('z', 1)]);
    store.forgetIntents(['z']);
    reopen();
    expect(store.intents()).toEqual([]);
  });

  it('survives an end without a close, as kill -9 is one', () => {
    const killed = join(scene.folder, 'killed.sqlite');
    const running = sqliteSessions({ path: killed });
    commit({ puts: [{ id: 'a', origin: 'o', state: '1' }], intents: [intent('z', 1)] }, running);
    const copy = join(scene.folder, 'copy.sqlite');
    for (const suffix of ['', '-wal']) writeFileSync(copy + suffix, readFileSync(killed + suffix));
    running.close();
    const next = sqliteSessions({ path: copy });
    expect({ sessions: loaded(next), intents: next.intents().length }).toEqual({ sessions: ['a o 1'], intents: 1 });
    next.close();
  });
});

describe('a full disk', () => {
  it('leaves a session that is over where the one that should take its place could not be written', () => {
    const database = openDatabase(':memory:', SESSIONS_FORM, 'normal', true);
    const small = sessionsIn(database);
    commit({ puts: ['a', 'b'].map((id) => ({ id, origin: 'o', state: '1' })) }, small);
    database.pragma(`max_page_count = ${database.pragma('page_count', { simple: true }) as number}`);
    const large = { id: 'c', origin: 'x'.repeat(50_000), state: '1' };
    expect(commit({ puts: [large], deletes: ['a'] }, small)?.message).toBe('database or disk is full');
    expect(commit({ puts: [{ id: 'a', state: '2' }] }, small)).toBeUndefined();
    expect(loaded(small)).toEqual(['a o 2', 'b o 1']);
    small.close();
  });

  it('fails the batch as a whole, is counted while it lasts, and what was stored before stays', () => {
    const database = openDatabase(':memory:', SESSIONS_FORM, 'normal', true);
    const small = sessionsIn(database);
    expect(commit({ puts: [{ id: 'a', origin: 'o', state: '1' }] }, small)).toBeUndefined();
    small.forgetIntents(['gone']);
    const pages = database.pragma('page_count', { simple: true }) as number;
    database.pragma(`max_page_count = ${pages}`);
    const large = { id: 'b', origin: 'x'.repeat(50_000), state: '1' };
    const both = { puts: [{ id: 'a', state: '2' }, large], intents: [intent('z', 1)] };
    expect(commit(both, small)?.message).toBe('database or disk is full');
    expect(small.failing).toBe(1);
    expect(loaded(small)).toEqual(['a o 1']);
    database.pragma('max_page_count = 1000');
    expect(commit(both, small)).toBeUndefined();
    expect(small.failing).toBe(0);
    expect(loaded(small)).toHaveLength(2);
    expect(small.intents()).toHaveLength(1);
    small.close();
  });
});

describe('a file that can not be used', () => {
  const said = (file: string): string => {
    try {
      sqliteSessions({ path: file }).close();
    } catch (error) {
      return (error as Error).message;
    }
    return 'nothing';
  };

  it('is named: one that is held by another process, of another form, no database, or in no folder', () => {
    expect(said(path)).toBe(`${path}: in use by another process`);
    const other = join(scene.folder, 'other.sqlite');
    const made = new Database(other);
    made.pragma('user_version = 7');
    made.close();
    expect(said(other)).toBe(`${other}: made by another version (form 7, expected 1); move it away to start anew`);
    const garbage = scene.file('garbage.sqlite', 'no database'.repeat(1000));
    expect(said(garbage)).toBe(`${garbage}: file is not a database`);
    expect(readFileSync(garbage, 'utf8')).toBe('no database'.repeat(1000));
    expect(said(join(garbage, 'sessions.sqlite'))).toMatch(/garbage\.sqlite\/sessions\.sqlite: (EEXIST|ENOTDIR)/);
  });

  it('is named where it is damaged further in, when it is read', () => {
    const puts = Array.from({ length: 200 }, (_, at) => ({ id: `s${at}`, origin: 'o'.repeat(2000), state: '1' }));
    commit({ puts });
    store.close();
    const file = openSync(path, 'r+');
    const { size } = statSync(path);
    writeSync(file, Buffer.alloc(size / 2, 0xa5), 0, size / 2, size / 2);
    closeSync(file);
    store = sqliteSessions({ path });
    expect(() => loaded()).toThrow(`${path}: database disk image is malformed; restore it from a copy`);
  });
});

it('the memory store says that nothing outlives it, and is done at once', () => {
  const memory = memorySessions();
  let stored = false;
  memory.commit({ ...NOTHING, puts: [{ id: 'a', origin: 'o', state: '1' }] }, (error) => {
    stored = error === undefined;
  });
  const rows: string[] = [];
  memory.load((id) => rows.push(id));
  expect({ durable: memory.durable, stored, rows, policy: memory.policy('k') }).toEqual({
    durable: false,
    stored: true,
    rows: [],
    policy: undefined,
  });
});
