/**
 * Whatever happens between two writes or in the middle of one, what the session store said is stored is there after a
 * restart, and what is over is not (digest 2.3, invariant 15): batches, folding, full disks, kills and power cuts in any
 * order, against a plain model of what was said.
 */
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { Batch } from '../../src/engine/ports.ts';
import { Killed } from '../support/journal-files.ts';
import { intent, Staged } from '../support/staged-store.ts';

/** A few names, so that they meet. */
const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
const content = fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom('', 'x'.repeat(150)));

const change = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('put' as const), id: name, content }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('end' as const), id: name }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('work' as const), id: name }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('policy' as const), id: name }) },
);
const batch = fc.array(change, { minLength: 1, maxLength: 4 });

/** Bytes that are still written of what is written next. */
const bytes = fc.nat({ max: 250 });

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ step: fc.constant('commit' as const), batch }) },
  { weight: 3, arbitrary: fc.record({ step: fc.constant('fold' as const) }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('workDone' as const), id: name }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('diskFull' as const), batch, bytes }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('databaseFails' as const) }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('killedInWrite' as const), batch, bytes }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('killed' as const) }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('looked' as const) }) },
);

type Of<T> = T extends fc.Arbitrary<infer Value> ? Value : never;

/** What the store has said is stored. */
class Model {
  sessions = new Map<string, { readonly origin: string; readonly state: string }>();
  work = new Set<string>();
  policies = new Set<string>();
  /** Work that is done, of which nothing is written yet: it may be done again. */
  done = new Set<string>();

  copy(): Model {
    const copy = new Model();
    copy.sessions = new Map(this.sessions);
    copy.work = new Set(this.work);
    copy.policies = new Set(this.policies);
    return copy;
  }

  /** As the engine would order it: each session once, origins the first time. */
  batchOf(changes: Of<typeof batch>): Batch {
    const puts = new Map<string, { id: string; origin?: string; state: string }>();
    const deletes = new Set<string>();
    const intents: Batch['intents'][number][] = [];
    const policies: { key: string; body: string }[] = [];
    for (const wanted of changes) {
      const { id } = wanted;
      if (wanted.does === 'put' && !deletes.has(id)) {
        const origin = this.sessions.has(id) ? {} : { origin: `origin of ${id}` };
        puts.set(id, { id, ...origin, state: wanted.content });
      } else if (wanted.does === 'end' && !puts.has(id)) deletes.add(id);
      else if (wanted.does === 'work') intents.push(intent(id));
      else if (wanted.does === 'policy') policies.push({ key: id, body: `policy ${id}` });
    }
    return { puts: [...puts.values()], deletes: [...deletes], intents, policies };
  }

  take({ puts, deletes, intents, policies }: Batch): void {
    for (const { id, origin, state } of puts) {
      this.sessions.set(id, { origin: origin ?? (this.sessions.get(id)?.origin as string), state });
    }
    for (const id of deletes) this.sessions.delete(id);
    for (const { id } of intents) this.work.add(id);
    for (const { key } of policies) this.policies.add(key);
    this.done.clear();
  }
}

function expectStored(found: Staged, model: Model): void {
  const sessions = Object.fromEntries(
    [...model.sessions].map(([id, { origin, state }]) => [id, `${origin}: ${state}`]),
  );
  expect(found.loaded()).toEqual(sessions);
  const work = found.store.intents().map(({ id }) => id);
  expect(work.filter((id) => !model.done.has(id)).sort()).toEqual([...model.work].sort());
  for (const key of model.policies) expect(found.store.policy(key)).toBe(`policy ${key}`);
}

function isStored(found: Staged, model: Model): boolean {
  try {
    expectStored(found, model);
    return true;
  } catch {
    return false;
  }
}

function run(steps: readonly Of<typeof step>[], restarted: (staged: Staged) => Staged, first: Staged): void {
  let staged = first;
  let model = new Model();
  const restart = (perhaps?: Model): void => {
    staged = restarted(staged);
    if (perhaps !== undefined && !isStored(staged, model)) model = perhaps;
    expectStored(staged, model);
    for (const id of staged.store.intents().map((work) => work.id)) model.work.add(id);
    model.done.clear();
  };
  for (const one of steps) {
    if (one.step === 'commit') {
      const wanted = model.batchOf(one.batch);
      expect(staged.commit(wanted)).toBeUndefined();
      model.take(wanted);
    } else if (one.step === 'fold') {
      // What could not be done is tried again after a while.
      if (staged.waiting.length === 0) jest.advanceTimersByTime(1000);
      staged.waiting.shift()?.();
    } else if (one.step === 'workDone') {
      staged.store.forgetIntents([one.id]);
      if (model.work.delete(one.id)) model.done.add(one.id);
    } else if (one.step === 'diskFull') {
      const wanted = model.batchOf(one.batch);
      for (const file of staged.files) file.space = one.bytes;
      const error = staged.commit(wanted);
      for (const file of staged.files) file.space = Number.POSITIVE_INFINITY;
      if (error === undefined) model.take(wanted);
    } else if (one.step === 'databaseFails') {
      staged.withoutDatabase(() => staged.waiting.shift()?.());
    } else if (one.step === 'killedInWrite') {
      const wanted = model.batchOf(one.batch);
      for (const file of staged.files) file.life = one.bytes;
      const error = staged.commit(wanted);
      const after = model.copy();
      after.take(wanted);
      // A policy goes into the database first, whatever becomes of the rest.
      for (const { key } of wanted.policies) model.policies.add(key);
      if (error === undefined) {
        model = after;
        restart();
      } else {
        expect(error).toBeInstanceOf(Killed);
        // A frame that was begun is whole where an earlier use of the file has left the same text behind its beginning.
        restart(after);
      }
    } else if (one.step === 'killed') restart();
    else expectStored(staged, model);
  }
  restart();
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

it('kill -9 at any moment', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => run(steps, (staged) => staged.killed(), new Staged())),
    { numRuns: 1000 },
  );
});

it('a power cut at any moment, where each write waits for the disk', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) =>
      run(steps, (staged) => staged.withoutPower(), new Staged(undefined, undefined, 'full')),
    ),
    { numRuns: 1000 },
  );
});
