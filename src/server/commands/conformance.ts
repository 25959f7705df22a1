/** `cpm-engine conformance`: the matrix of the clauses. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type Clause, type MatrixRow, matrixOf, type ProvingTest, titlesIn } from '../../conformance/matrix.ts';
import { packageFile } from '../package-files.ts';
import { CommandFailed, print, table } from './output.ts';

const TEST_FOLDER = 'test/clauses';

export function conformance(options: { json?: boolean; open?: boolean }): void {
  const all = currentMatrix();
  const rows = options.open ? all.filter((row) => !isProven(row)) : all;
  if (options.json) return print(JSON.stringify(rows, null, 2));
  const cells = rows.map(({ clause, builtBy, tests }) => [
    clause.id,
    clause.mode,
    builtBy.join(', ') || 'not built',
    tests.length === 0 ? 'no test' : `${tests.length} test${tests.length === 1 ? '' : 's'}`,
    clause.ambiguities.join(' '),
  ]);
  if (cells.length > 0) print(table(['CLAUSE', 'MODE', 'BUILT BY', 'PROVEN BY', 'AMBIGUITIES'], cells));
  print(`${all.filter(isProven).length} of ${all.length} clauses are built and proven`);
}

function isProven(row: MatrixRow): boolean {
  return row.builtBy.length > 0 && row.tests.length > 0;
}

/** The matrix from the tests where they are at hand, else as it was when the package was made. */
export function currentMatrix(): MatrixRow[] {
  const clauses = JSON.parse(readFileSync(packageFile('spec', 'clauses.json'), 'utf8')) as Clause[];
  if (existsSync(packageFile(TEST_FOLDER))) return matrixOf(clauses, provingTests());
  const made = packageFile('visualizations', 'conformance.json');
  if (!existsSync(made)) throw new CommandFailed('neither tests nor visualizations/conformance.json are at hand');
  return matrixOf(clauses, JSON.parse(readFileSync(made, 'utf8')) as ProvingTest[]);
}

/** Titles of all tests that drive a clause through the SIP surface. */
export function provingTests(): ProvingTest[] {
  const files = readdirSync(packageFile(TEST_FOLDER))
    .filter((name) => name.endsWith('.test.ts'))
    .sort();
  return files.flatMap((name) => {
    const text = readFileSync(packageFile(TEST_FOLDER, name), 'utf8');
    return titlesIn(text).map((title) => ({ file: `${TEST_FOLDER}/${name}`, title }));
  });
}
