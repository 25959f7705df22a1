/** The outbox: in order for each folder, again and again with growing pauses while the store fails, and nothing twice. */
import { describe, expect, it } from '@jest/globals';
import { type Done, type HistoryDriver, StoreAway } from '../../src/history/driver.ts';
import type { FolderRef, HistoryIntent, HistoryOutcome, OpenIntent, SealIntent } from '../../src/history/intent.ts';
import { MemoryHistory } from '../../src/history/memory.ts';
import { Outbox } from '../../src/history/outbox.ts';
import { HISTORY_FORM, SqliteHistory, sqliteHistory } from '../../src/history/sqlite.ts';
import { openDatabase } from '../../src/store/database.ts';
import { VirtualClock } from '../../src/testing/index.ts';

const FOLDER: FolderRef = { user: 'sip:alice@home.example', conversationId: 'v1', contributionId: 'c1' };
const OTHER: FolderRef = { ...FOLDER, contributionId: 'c2' };
const DRIVERS = { memory: () => new MemoryHistory(), sqlite: () => sqliteHistory({ path: ':memory:' }) };

function openIntent(session = 's1', folder = FOLDER, object = 'session info'): OpenIntent {
  return { kind: 'open', id: `${session}-open`, session, folder, at: 1000, object };
}

function sealIntent(session = 's1', folder = FOLDER): SealIntent {
  const seal = { object: 'group state', groupStatePointer: true, reassertSessionInfo: false };
  return { kind: 'seal', id: `${session}-seal`, session, folder, at: 2000, ...seal };
}

class Scene {
  readonly clock = new VirtualClock();
  readonly forgotten: string[] = [];
  readonly outcomes: [string, boolean][] = [];
  readonly outbox: Outbox;

  constructor(driver: HistoryDriver, clock?: VirtualClock) {
    this.clock = clock ?? this.clock;
    this.outbox = new Outbox({
      driver,
      clock: this.clock,
      rules: { metadata: true, keepOldGroupState: true },
      retry: { firstMs: 1000, longestMs: 5000 },
      forget: (ids) => this.forgotten.push(...ids),
      onOutcome: (intent: HistoryIntent, outcome: HistoryOutcome) => this.outcomes.push([intent.id, outcome.ok]),
    });
  }

  /** And lets pass what it waits for other work to be done with it. */
  submit(intents: readonly HistoryIntent[]): void {
    this.outbox.submit(intents);
    this.clock.advance(20);
  }
}

function contents(driver: MemoryHistory | SqliteHistory, folder = FOLDER): string[] {
  let found: string[] = [];
  driver.objects(folder, (_error, objects = []) => {
    found = objects.map(({ content }) => content);
  });
  return found;
}

function pointers(driver: MemoryHistory | SqliteHistory, folder = FOLDER): unknown {
  let found: unknown;
  driver.pointers(folder, (_error, value) => {
    found = value;
  });
  return found;
}

describe.each(['memory', 'sqlite'] as const)('on the %s driver', (name) => {
  it('does what is submitted, in order, tells each outcome, and forgets it', () => {
    const driver = DRIVERS[name]();
    const scene = new Scene(driver);
    const { outbox, outcomes, forgotten } = scene;
    scene.submit([openIntent(), sealIntent()]);
    expect(contents(driver)).toEqual(['session info', 'group state']);
    expect(pointers(driver)).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 2 });
    expect(outcomes).toEqual([
      ['s1-open', true],
      ['s1-seal', true],
    ]);
    expect(forgotten).toEqual(['s1-open', 's1-seal']);
    expect(outbox.depth).toBe(0);
    expect(outbox.oldest).toBeUndefined();
  });

  it('the same work again, as after a restart, leaves one object set', () => {
    const driver = DRIVERS[name]();
    for (let start = 0; start < 3; start++) new Scene(driver).submit([openIntent(), sealIntent()]);
    expect(contents(driver)).toEqual(['session info', 'group state']);
    expect(pointers(driver)).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 2 });
  });

  it('A-19: a session that joins the folder again keeps the first Session Info Object', () => {
    const driver = DRIVERS[name]();
    new Scene(driver).submit([openIntent('s1'), openIntent('s2', FOLDER, 'another session info')]);
    expect(contents(driver)).toEqual(['session info']);
  });

  it.each(['openFolder', 'append', 'setPointer', 'getPointer'] as const)(
    'a write error in the middle, at %s: nothing is lost, and nothing is there twice',
    (failing) => {
      const driver = DRIVERS[name]();
      const works = driver[failing];
      const scene = new Scene(driver);
      driver[failing] = ((...args: unknown[]) => (args.at(-1) as Done<never>)(new Error('broken'))) as never;
      scene.submit([openIntent(), sealIntent()]);
      expect(scene.outbox.lastError).toBe('broken');
      expect(scene.outbox.depth).toBe(2);
      expect(scene.forgotten).toEqual([]);
      driver[failing] = works as never;
      scene.clock.advance(1000);
      expect(contents(driver)).toEqual(['session info', 'group state']);
      expect(pointers(driver)).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 2 });
      expect(scene.outbox).toMatchObject({ depth: 0, lastError: null, failures: 1 });
    },
  );
});

describe('pauses', () => {
  it('double from the first to the longest, and begin anew after a success', () => {
    const driver = new MemoryHistory();
    const { clock, outbox } = new Scene(driver);
    const works = driver.append;
    const tries: number[] = [];
    driver.append = (_folder, _key, _object, done) => {
      tries.push(clock.elapsed);
      done(new Error('broken'));
    };
    outbox.submit([openIntent()]);
    clock.advance(20_000);
    expect(tries).toEqual([0, 1000, 3000, 7000, 12_000, 17_000]);
    driver.append = works;
    clock.advance(3000);
    expect(outbox.depth).toBe(0);
    driver.append = (_folder, _key, _object, done) => {
      tries.push(clock.elapsed);
      done(new Error('broken'));
    };
    tries.length = 0;
    outbox.submit([sealIntent()]);
    clock.advance(1500);
    expect(tries).toEqual([23_000, 24_000]);
  });

  it('hold up one folder, not the others', () => {
    const driver = new MemoryHistory();
    const { outbox } = new Scene(driver);
    const works = driver.openFolder.bind(driver);
    driver.openFolder = (folder, done) =>
      folder.contributionId === 'c1' ? done(new Error('broken')) : works(folder, done);
    outbox.submit([openIntent('s1', FOLDER), openIntent('s2', OTHER), sealIntent('s2', OTHER)]);
    expect(contents(driver, OTHER)).toEqual(['session info', 'group state']);
    expect({ depth: outbox.depth, oldest: outbox.oldest }).toEqual({ depth: 1, oldest: 1000 });
  });

  it('are cut short before a shutdown', () => {
    const driver = new MemoryHistory();
    const { clock, outbox } = new Scene(driver);
    const works = driver.append;
    driver.append = (_folder, _key, _object, done) => done(new Error('broken'));
    outbox.submit([openIntent()]);
    driver.append = works;
    outbox.retryNow();
    expect(outbox.depth).toBe(0);
    clock.advance(10_000);
    expect(contents(driver)).toEqual(['session info']);
  });
});

describe('a folder that is deleted by its user', () => {
  it('while it is recorded into is there again with what came after', () => {
    const driver = new MemoryHistory();
    const { outbox } = new Scene(driver);
    const fresh = new MemoryHistory();
    outbox.submit([openIntent()]);
    Object.assign(driver, { append: fresh.append.bind(fresh), setPointer: fresh.setPointer.bind(fresh) });
    Object.assign(driver, { openFolder: fresh.openFolder.bind(fresh) });
    const message = { kind: 'message', object: 'a message', spooled: null } as const;
    outbox.submit([{ ...message, id: 's1-m1', session: 's1', folder: FOLDER, at: 1500 }, sealIntent()]);
    expect(outbox).toMatchObject({ depth: 0, failures: 0 });
    expect(contents(fresh)).toEqual(['a message', 'group state']);
    expect(pointers(fresh)).toEqual({ GroupStateObjectID: 2 });
  });
});

describe('a store that is away altogether', () => {
  /** Sessions, each in a folder of its own. */
  const sessions = Array.from({ length: 50 }, (_, at) => `s${at}`);
  const folderOf = (session: string): FolderRef => ({ ...FOLDER, contributionId: session });

  function away(driver: MemoryHistory): { readonly tries: number[]; back(): void } {
    const works = driver.openFolder;
    const tries: number[] = [];
    driver.openFolder = (_folder, done) => {
      tries.push(scene.clock.elapsed);
      done(new StoreAway('connection refused'));
    };
    return {
      tries,
      back: () => {
        driver.openFolder = works;
      },
    };
  }
  let scene: Scene;

  it('is asked for by one folder, with growing pauses up to 5 s, however many wait; every session is told at once', () => {
    const driver = new MemoryHistory();
    scene = new Scene(driver);
    const { tries, back } = away(driver);
    for (const session of sessions) scene.outbox.submit([openIntent(session, folderOf(session))]);
    expect(scene.outcomes).toHaveLength(50);
    expect(scene.outbox).toMatchObject({ depth: 50, paused: 50, lastError: 'connection refused' });
    scene.clock.advance(20_000);
    expect(tries).toEqual([0, 1000, 3000, 7000, 12_000, 17_000]);
    back();
    scene.clock.advance(2_000);
    expect(scene.outbox).toMatchObject({ depth: 0, paused: 0, lastError: null, done: 50 });
    for (const session of sessions) expect(contents(driver, folderOf(session))).toEqual(['session info']);
  });

  it('that is back and refuses the one that asked is there for the others', () => {
    const driver = new MemoryHistory();
    scene = new Scene(driver);
    const { back } = away(driver);
    for (const session of sessions) scene.outbox.submit([openIntent(session, folderOf(session))]);
    back();
    const works = driver.openFolder.bind(driver);
    driver.openFolder = (folder, done) =>
      folder.contributionId === 's0' ? done(new Error('over quota')) : works(folder, done);
    scene.clock.advance(1_000);
    expect(scene.outbox).toMatchObject({ depth: 1, paused: 1, done: 49 });
  });

  it('is asked for at once before a shutdown', () => {
    const driver = new MemoryHistory();
    scene = new Scene(driver);
    const { back } = away(driver);
    for (const session of sessions) scene.outbox.submit([openIntent(session, folderOf(session))]);
    back();
    scene.outbox.retryNow();
    expect(scene.outbox.depth).toBe(0);
    scene.clock.advance(10_000);
    expect(scene.outbox.done).toBe(50);
  });
});

describe('a store that answers later', () => {
  it('is asked for one thing at a time in a folder; an answer after the close changes nothing', () => {
    const driver = new MemoryHistory();
    const { outbox, outcomes } = new Scene(driver);
    const works = driver.openFolder.bind(driver);
    const held: (() => void)[] = [];
    driver.openFolder = (folder, done) => void held.push(() => works(folder, done));
    outbox.submit([openIntent(), sealIntent()]);
    outbox.submit([openIntent()]);
    expect({ depth: outbox.depth, asked: held.length }).toEqual({ depth: 2, asked: 1 });
    outbox.close();
    held[0]?.();
    expect(outcomes).toEqual([]);
  });
});

describe('a full disk', () => {
  it('is told as it is, nothing half-done remains, and all is drained once there is room', () => {
    const database = openDatabase(':memory:', HISTORY_FORM, 'normal', false);
    const driver = new SqliteHistory(database);
    const scene = new Scene(driver);
    const size = database.pragma('page_count', { simple: true }) as number;
    database.pragma(`max_page_count = ${size + 2}`);
    const object = 'x'.repeat(6000);
    const sessions = Array.from({ length: 10 }, (_, at) => `s${at}`);
    const folderOf = (session: string): FolderRef => ({ ...FOLDER, contributionId: session });
    for (const session of sessions) scene.submit([openIntent(session, folderOf(session), object)]);
    expect(scene.outbox.lastError).toBe('database or disk is full');
    expect(scene.outbox.depth).toBeGreaterThan(5);
    expect(database.inTransaction).toBe(false);
    database.pragma('max_page_count = 10000');
    scene.clock.advance(1000);
    expect(scene.outbox).toMatchObject({ depth: 0, lastError: null });
    for (const session of sessions) {
      expect(contents(driver, folderOf(session))).toEqual([object]);
      expect(pointers(driver, folderOf(session))).toEqual({ SessionInfoObjectID: 1 });
    }
  });

  it('undoes a write that several folders share as a whole, and each of them is told', () => {
    const database = openDatabase(':memory:', HISTORY_FORM, 'normal', false);
    const driver = new SqliteHistory(database);
    const scene = new Scene(driver);
    database.pragma(`max_page_count = ${(database.pragma('page_count', { simple: true }) as number) + 6}`);
    const sessions = Array.from({ length: 10 }, (_, at) => `s${at}`);
    const folderOf = (session: string): FolderRef => ({ ...FOLDER, contributionId: session });
    scene.submit(sessions.map((session) => openIntent(session, folderOf(session), 'x'.repeat(6000))));
    // Whatever was told to be there is there.
    const told = scene.outcomes.filter(([, ok]) => ok).map(([id]) => id.replace('-open', ''));
    expect(told.map((session) => contents(driver, folderOf(session)).length)).toEqual(told.map(() => 1));
    expect(scene.outbox.depth).toBe(sessions.length - told.length);
    expect(database.inTransaction).toBe(false);
    database.pragma('max_page_count = 10000');
    scene.clock.advance(1000);
    expect(scene.outbox).toMatchObject({ depth: 0, lastError: null });
    expect(sessions.map((session) => contents(driver, folderOf(session)).length)).toEqual(sessions.map(() => 1));
  });
});

const messageOf = (number: number, folder = FOLDER): HistoryIntent => ({
  kind: 'message',
  id: `m${number}`,
  session: 's1',
  folder,
  at: 1500,
  object: `message ${number}`,
  spooled: null,
});

/** How often the store is written to. */
function countWrites(driver: SqliteHistory): () => number {
  let writes = 0;
  let depth = 0;
  const together = driver.together.bind(driver);
  driver.together = (work) => {
    if (depth++ === 0) writes++;
    try {
      together(work);
    } finally {
      depth--;
    }
  };
  return () => writes;
}

describe('messages that wait together', () => {
  it('of one folder go to the store in pieces, in order, between what opens and seals it', () => {
    const driver = sqliteHistory({ path: ':memory:' });
    const calls: number[] = [];
    const all = driver.appendAll.bind(driver);
    driver.appendAll = (folder, objects, done) => {
      calls.push(objects.length);
      all(folder, objects, done);
    };
    const scene = new Scene(driver);
    const messages = Array.from({ length: 190 }, (_, at) => messageOf(at));
    scene.submit([openIntent(), ...messages, sealIntent()]);
    expect(contents(driver)).toEqual(['session info', ...messages.map((_, at) => `message ${at}`), 'group state']);
    expect(calls).toEqual([64, 64, 62]);
    expect(scene.outcomes.map(([id]) => id)).toEqual(scene.forgotten);
    expect(scene.outcomes).toHaveLength(192);
  });

  it('that fail in one piece go one by one, up to the one that can not be stored', () => {
    const driver = new MemoryHistory() as MemoryHistory & Pick<HistoryDriver, 'appendAll'>;
    driver.appendAll = (_folder, _objects, done) => done(new Error('over quota'));
    const one = driver.append.bind(driver);
    driver.append = (folder, key, object, done) =>
      key === 'm2' ? done(new Error('over quota')) : one(folder, key, object, done);
    const { outbox, outcomes } = new Scene(driver);
    outbox.submit([openIntent(), messageOf(0), messageOf(1), messageOf(2), messageOf(3)]);
    expect(contents(driver)).toEqual(['session info', 'message 0', 'message 1']);
    expect(outcomes.at(-1)).toEqual(['m2', false]);
    expect(outbox.depth).toBe(2);
  });
});

describe('work of several folders', () => {
  const many = (count: number) => Array.from({ length: count }, (_, at) => ({ ...FOLDER, contributionId: `c${at}` }));

  it('waits a moment for other work, and is then one write', () => {
    const driver = sqliteHistory({ path: ':memory:' });
    const writes = countWrites(driver);
    const { outbox, outcomes, clock } = new Scene(driver);
    outbox.submit([openIntent('s1', FOLDER)]);
    clock.advance(15);
    outbox.submit([openIntent('s2', OTHER), messageOf(0, FOLDER)]);
    outbox.submit([{ ...messageOf(1, OTHER), session: 's2' }, sealIntent('s2', OTHER)]);
    expect([writes(), outbox.depth]).toEqual([0, 5]);
    clock.advance(5);
    expect([writes(), outbox.depth]).toEqual([1, 0]);
    expect(contents(driver)).toEqual(['session info', 'message 0']);
    expect(contents(driver, OTHER)).toEqual(['session info', 'message 1', 'group state']);
    expect(outcomes.map(([id]) => id)).toEqual(['s1-open', 'm0', 's2-open', 'm1', 's2-seal']);
  });

  it('waits no longer where that of sixteen waits, and nothing is left over', () => {
    const driver = sqliteHistory({ path: ':memory:' });
    const writes = countWrites(driver);
    const { outbox, clock } = new Scene(driver);
    for (const [at, folder] of many(40).entries()) outbox.submit([openIntent(`s${at}`, folder)]);
    expect([writes(), outbox.depth]).toEqual([2, 8]);
    clock.advance(20);
    expect([writes(), outbox.depth]).toEqual([3, 0]);
    expect(many(40).map((folder) => contents(driver, folder))).toEqual(many(40).map(() => ['session info']));
  });

  it('of more than a megabyte is done in pieces, each folder in its order', () => {
    const driver = sqliteHistory({ path: ':memory:' });
    const writes = countWrites(driver);
    const scene = new Scene(driver);
    const large = (number: number): HistoryIntent =>
      ({ ...messageOf(number), object: String(number).repeat(400_000) }) as HistoryIntent;
    scene.outbox.submit([openIntent('s1', FOLDER), large(1), large(2), large(3)]);
    scene.submit([openIntent('s2', OTHER)]);
    expect(writes()).toBe(2);
    expect(contents(driver).map((content) => content.slice(0, 3))).toEqual(['ses', '111', '222', '333']);
    expect(scene.outcomes).toHaveLength(5);
  });

  it('waits no longer before a shutdown', () => {
    const { outbox } = new Scene(sqliteHistory({ path: ':memory:' }));
    outbox.submit([openIntent()]);
    outbox.retryNow();
    expect(outbox.depth).toBe(0);
  });

  it('is undone together where a piece fails, and then only that one waits', () => {
    const driver = sqliteHistory({ path: ':memory:' });
    const append = driver.append.bind(driver);
    const [, full] = many(3) as [FolderRef, FolderRef, FolderRef];
    driver.append = (folder, key, object, done) =>
      folder.contributionId === full.contributionId ? done(new Error('over quota')) : append(folder, key, object, done);
    const scene = new Scene(driver);
    scene.submit(many(3).map((folder, at) => openIntent(`s${at + 1}`, folder)));
    expect(scene.outcomes).toEqual([
      ['s1-open', true],
      ['s2-open', false],
      ['s3-open', true],
    ]);
    expect(many(3).map((folder) => contents(driver, folder).length)).toEqual([1, 0, 1]);
    driver.append = append;
    scene.clock.advance(1000);
    expect(scene.outcomes.at(-1)).toEqual(['s2-open', true]);
    expect(scene.outbox).toMatchObject({ depth: 0, failures: 1 });
  });

  it('that an outcome brings for a folder of the same write comes behind what the write did there', () => {
    const driver = sqliteHistory({ path: ':memory:' });
    const scene = new Scene(driver);
    const { outbox, outcomes, clock } = scene;
    const push = outcomes.push.bind(outcomes);
    outcomes.push = (...told) => {
      if (told[0]?.[0] === 's1-open') outbox.submit([messageOf(0, OTHER)]);
      return push(...told);
    };
    scene.submit([openIntent('s1', FOLDER), openIntent('s2', OTHER), sealIntent('s2', OTHER)]);
    clock.advance(20);
    expect(outcomes.map(([id]) => id)).toEqual(['s1-open', 's2-open', 's2-seal', 'm0']);
    expect(contents(driver, OTHER)).toEqual(['session info', 'group state', 'message 0']);
    expect(outbox.depth).toBe(0);
  });
});
