/** The clause table against the specification, the statechart and the tests: nothing missing, nothing made up. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  ACTION_CLAUSES,
  actions,
  CLAUSE_IDS,
  GUARD_CLAUSES,
  guards,
  sessionMachine,
  unrecordedMachine,
} from '../../machines/index.ts';
import { ACTIONS_BEYOND, GUARDS_BEYOND } from '../../src/conformance/beyond.ts';
import { type Clause, citedIn } from '../../src/conformance/matrix.ts';
import { currentMatrix, provingTests } from '../../src/server/commands/conformance.ts';
import { namesIn } from './statechart.ts';

function specification<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`../../spec/${file}`, import.meta.url), 'utf8')) as T;
}

const clauses = specification<Clause[]>('clauses.json');
const ids = clauses.map((clause) => clause.id);

describe('the specification', () => {
  it('has 183 clauses, each once, and the statecharts know exactly these, in its order', () => {
    expect(ids).toHaveLength(183);
    expect(new Set(ids).size).toBe(183);
    expect([...CLAUSE_IDS]).toEqual(ids);
  });

  it('has the resolution of every ambiguity a clause names', () => {
    const known = specification<{ id: string }[]>('ambiguities.json').map((ambiguity) => ambiguity.id);
    const named = clauses.flatMap((clause) => clause.ambiguities);
    expect(named.filter((id) => !known.includes(id))).toEqual([]);
  });
});

describe('the matrix', () => {
  const matrix = currentMatrix();

  it('names a guard or action for every clause', () => {
    expect(matrix.filter((row) => row.builtBy.length === 0).map((row) => row.clause.id)).toEqual([]);
  });

  it('names a test at the SIP surface for every clause', () => {
    expect(matrix.filter((row) => row.tests.length === 0).map((row) => row.clause.id)).toEqual([]);
  });

  it('knows every clause that a test cites', () => {
    const cited = provingTests().flatMap((test) => citedIn(test.title).map((id) => ({ id, test: test.title })));
    expect(cited.filter(({ id }) => !ids.includes(id))).toEqual([]);
  });
});

describe('the statechart', () => {
  const used = namesIn(sessionMachine.config);

  it('uses every guard and action there is, and none that is not there', () => {
    expect(used.guards).toEqual(Object.keys(guards).sort());
    expect(used.actions).toEqual(Object.keys(actions).sort());
  });

  it('without its recording region lacks only the guards and actions of that region', () => {
    const left = namesIn(unrecordedMachine.config);
    const missing = [...used.guards, ...used.actions].filter(
      (name) => !left.guards.includes(name) && !left.actions.includes(name),
    );
    const recording = namesIn(sessionMachine.config.states?.recording);
    expect([...recording.guards, ...recording.actions]).toEqual(expect.arrayContaining(missing));
  });

  it('has for each guard either its clauses or what else asks for it', () => {
    expect(Object.keys({ ...GUARD_CLAUSES, ...GUARDS_BEYOND }).sort()).toEqual(used.guards);
    expect(Object.keys(GUARDS_BEYOND).filter((name) => name in GUARD_CLAUSES)).toEqual([]);
  });

  it('has for each action either its clauses or what else asks for it', () => {
    expect(Object.keys({ ...ACTION_CLAUSES, ...ACTIONS_BEYOND }).sort()).toEqual(used.actions);
    expect(Object.keys(ACTIONS_BEYOND).filter((name) => name in ACTION_CLAUSES)).toEqual([]);
  });
});
