/** Session stores: what was stored comes back, in order, after the file is opened again; a batch is all or nothing. */
import { closeSync, openSync, readdirSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import type { Batch } from '../../src/engine/ports.ts';
import type { HistoryIntent } from '../../src/history/intent.ts';
import { openDatabase } from '../../src/store/database.ts';
import { memorySessions } from '../../src/store/memory.ts';
import { SESSIONS_FORM, type SqliteSessions, sessionsIn, sqliteSessions } from '../../src/store/sqlite.ts';
import { StagedFile } from '../support/journal-files.ts';
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
    for (const suffix of ['', '-wal', '.journal-1', '.journal-2']) {
      writeFileSync(copy + suffix, readFileSync(killed + suffix));
    }
    running.close();
    const next = sqliteSessions({ path: copy });
    expect({ sessions: loaded(next), intents: next.intents().length }).toEqual({ sessions: ['a o 1'], intents: 1 });
    next.close();
  });

  it('leaves the database alone behind it when it is closed', () => {
    commit({ puts: [{ id: 'a', origin: 'o', state: '1' }] });
    expect(readdirSync(dirname(path)).sort()).toEqual([
      'sessions.sqlite',
      'sessions.sqlite-wal',
      'sessions.sqlite.journal-1',
      'sessions.sqlite.journal-2',
    ]);
    store.close();
    expect(readdirSync(dirname(path))).toEqual(['sessions.sqlite']);
    store = sqliteSessions({ path });
    expect(loaded()).toEqual(['a o 1']);
  });

  it('stores nothing more when it is closed', () => {
    store.close();
    expect(commit({ puts: [{ id: 'a', origin: 'o', state: '1' }] })?.message).toBe('the session store is closed');
    store = sqliteSessions({ path });
    expect(loaded()).toEqual([]);
  });

  it('takes over a file that was written before there was a journal', () => {
    store.close();
    const old = new Database(path);
    old.exec("DROP TABLE journal; INSERT INTO sessions (id, origin, state) VALUES ('a', 'o', '1')");
    old.pragma('user_version = 1');
    old.close();
    store = sqliteSessions({ path });
    expect(loaded()).toEqual(['a o 1']);
    commit({ puts: [{ id: 'a', state: '2' }] });
    reopen();
    expect(loaded()).toEqual(['a o 2']);
  });
});

describe('a full disk', () => {
  const staged = (): { own: SqliteSessions; files: [StagedFile, StagedFile]; database: Database.Database } => {
    const database = openDatabase(':memory:', SESSIONS_FORM, 'normal', true);
    const files: [StagedFile, StagedFile] = [new StagedFile('one'), new StagedFile('two')];
    return { own: sessionsIn(database, { synchronous: 'off', files }), files, database };
  };

  it('fails the batch as a whole, is counted while it lasts, and what was stored before stays', () => {
    const { own, files } = staged();
    expect(commit({ puts: [{ id: 'a', origin: 'o', state: '1' }], intents: [intent('y', 0)] }, own)).toBeUndefined();
    own.forgetIntents(['y', 'never']);
    files[0].space = 50;
    const both = {
      puts: [
        { id: 'a', state: '2' },
        { id: 'b', origin: 'x'.repeat(50), state: '1' },
      ],
      intents: [intent('z', 1)],
    };
    expect(commit(both, own)?.message).toBe('ENOSPC: no space left on device, write');
    expect(commit({ deletes: ['a'], puts: [{ id: 'c', origin: 'x'.repeat(50), state: '1' }] }, own)).toBeDefined();
    expect(own.failing).toBe(2);
    // What goes into the database at once says nothing of the journal.
    own.registrations.forget('nobody');
    expect(own.failing).toBe(2);
    expect(loaded(own)).toEqual(['a o 1']);
    files[0].space = Number.POSITIVE_INFINITY;
    expect(commit(both, own)).toBeUndefined();
    expect(own.failing).toBe(0);
    expect(loaded(own)).toEqual(['a o 2', `b ${'x'.repeat(50)} 1`]);
    expect(own.intents()).toEqual([intent('z', 1)]);
    own.close();
  });

  it('fails a batch whose policy the database can not take: no session names one that is not there', () => {
    const { own, database } = staged();
    database.pragma(`max_page_count = ${database.pragma('page_count', { simple: true }) as number}`);
    const batch = {
      policies: [{ key: 'k', body: 'x'.repeat(50_000) }],
      puts: [{ id: 'a', origin: 'o', state: '1' }],
    };
    expect(commit(batch, own)?.message).toBe('database or disk is full');
    expect(loaded(own)).toEqual([]);
    database.pragma('max_page_count = 1000');
    expect(commit(batch, own)).toBeUndefined();
    expect([loaded(own), own.policy('k')?.length]).toEqual([['a o 1'], 50_000]);
    own.close();
  });

  it('leaves the journal to the next start where the database can not take it at the end', () => {
    const { own, files, database } = staged();
    commit({ puts: [{ id: 'a', origin: 'x'.repeat(50_000), state: '1' }] }, own);
    const before = database.serialize();
    database.pragma(`max_page_count = ${database.pragma('page_count', { simple: true }) as number}`);
    own.close();
    expect(files.map(({ removed }) => removed)).toEqual([false, false]);
    const next = sessionsIn(new Database(before), { synchronous: 'off', files });
    expect(loaded(next)).toEqual([`a ${'x'.repeat(50_000)} 1`]);
    next.close();
    expect(files.map(({ removed }) => removed)).toEqual([true, true]);
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
    expect(said(other)).toBe(`${other}: made by another version (form 7, expected 2); move it away to start anew`);
    const garbage = scene.file('garbage.sqlite', 'no database'.repeat(1000));
    expect(said(garbage)).toBe(`${garbage}: file is not a database`);
    expect(readFileSync(garbage, 'utf8')).toBe('no database'.repeat(1000));
    expect(said(join(garbage, 'sessions.sqlite'))).toMatch(/garbage\.sqlite\/sessions\.sqlite: (EEXIST|ENOTDIR)/);
  });

  it('is named: a journal of another database', () => {
    const other = sqliteSessions({ path: join(scene.folder, 'other', 'sessions.sqlite') });
    const journal = join(scene.folder, 'other', 'sessions.sqlite.journal-1');
    const own = join(scene.folder, 'own.sqlite');
    writeFileSync(`${own}.journal-1`, readFileSync(journal));
    expect(said(own)).toBe(
      `${own}.journal-1: belongs to another database; bring that back beside it, or move both journals away to start anew`,
    );
    other.close();
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
