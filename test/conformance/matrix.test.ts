/** How the matrix reads tests: which titles it finds, which clauses they cite, what counts as proven. */
import { expect, it } from '@jest/globals';
import {
  type Clause,
  citedIn,
  isProven,
  matrixOf,
  matrixPage,
  storedRows,
  testsIn,
  titlesIn,
} from '../../src/conformance/matrix.ts';

function clause(id: string, text = 'Answer 200.'): Clause {
  const place = { section: '8.2.2.3', role: 'orig', mode: 'b2bua', modality: 'SHALL', trigger: 'BYE' };
  return { id, ...place, cond: 'always', text, ambiguities: ['A-26'] };
}

const test = { file: 'test/clauses/orig-bye.test.ts', title: 'O-BYE-2c-i O-BYE-2c-ii: the 200 comes last' };

it('finds titles in every kind of quotes, on the same line or the next, and of tables', () => {
  const text = [
    `it('T-INV-1: it\\'s plain', () => {`,
    `it("T-INV-2: it's double", () => {`,
    'it(`T-INV-3: a template`, () => {',
    "it(\n  'T-INV-4: below', () => {",
    "it.each(['near', 'far'] as const)(\n  'T-INV-5: from %s', () => {",
    "wait('T-INV-6: no test', () => {",
  ].join('\n');
  expect(titlesIn(text)).toEqual([
    "T-INV-1: it's plain",
    "T-INV-2: it's double",
    'T-INV-3: a template',
    'T-INV-4: below',
    'T-INV-5: from %s',
  ]);
});

it('takes the ids before the colon as cited, and none from the rest of the title', () => {
  expect(citedIn('O-BYE-4a O-BYE-4b-i: the IWF leaves, unlike O-BYE-3a')).toEqual(['O-BYE-4a', 'O-BYE-4b-i']);
  expect(citedIn('an O-ring: closed')).toEqual([]);
  expect(citedIn('RFC 3261 14.1: glare')).toEqual([]);
});

it('counts a clause as proven when it is both built and tested', () => {
  const rows = matrixOf([clause('O-BYE-2c-i'), clause('O-BYE-3a'), clause('O-NEW-1')], [test]);
  expect(rows.map((row) => [row.builtBy, row.tests.length, isProven(row)])).toEqual([
    [['action answerByes'], 1, true],
    [['action tellLegs'], 0, false],
    [[], 0, false],
  ]);
  expect(matrixPage(rows)).toContain('1 of 3 clauses are built and proven.');
});

it('keeps the tests in the stored matrix, each once, whatever number of clauses it proves', () => {
  const rows = matrixOf([clause('O-BYE-2c-i'), clause('O-BYE-2c-ii')], [test]);
  expect(testsIn(storedRows(rows))).toEqual([test]);
});

it('writes one line for each clause, with the bars in its text escaped', () => {
  const page = matrixPage(matrixOf([clause('O-BYE-2c-i', 'Answer 200 | 481.')], [test]));
  expect(page).toContain(
    '| O-BYE-2c-i | b2bua | Answer 200 \\| 481. | action answerByes | [orig-bye](../test/clauses/orig-bye.test.ts) | A-26 |',
  );
});
