/** `cpm-engine conformance`: the matrix of the clauses. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import {
  type Clause,
  citedIn,
  isProven,
  type MatrixRow,
  matrixOf,
  type ProvingTest,
  type StoredRow,
  testsIn,
  titlesIn,
} from '../../conformance/matrix.ts';
import { packageFile } from '../package-files.ts';
import { CommandFailed, print, table } from './output.ts';

/** Tests in these folders drive what they prove through the SIP surface: bytes in, bytes out. */
const PROVING_FOLDERS = ['test/clauses', 'test/session', 'test/sip-js', 'test/interop'];

/** Prints the matrix; fails where a clause is not built or not proven. */
export function conformance(options: { json?: boolean; open?: boolean }): void {
  const all = currentMatrix();
  const unproven = all.filter((row) => !isProven(row));
  const rows = options.open ? unproven : all;
  if (options.json) print(JSON.stringify(rows, null, 2));
  else {
    if (rows.length > 0) print(rowsTable(rows));
    print(`${all.length - unproven.length} of ${all.length} clauses are built and proven`);
  }
  if (unproven.length > 0) throw new CommandFailed(`not proven: ${unproven.map((row) => row.clause.id).join(', ')}`);
}

function rowsTable(rows: readonly MatrixRow[]): string {
  const cells = rows.map(({ clause, builtBy, tests }) => [
    clause.id,
    clause.mode,
    builtBy.join(', ') || 'not built',
    tests.length === 0 ? 'no test' : `${tests.length} test${tests.length === 1 ? '' : 's'}`,
    clause.ambiguities.join(' '),
  ]);
  return table(['CLAUSE', 'MODE', 'BUILT BY', 'PROVEN BY', 'AMBIGUITIES'], cells);
}

/** The matrix with the tests as they are; an installed package has none and brings along what they were. */
export function currentMatrix(): MatrixRow[] {
  const clauses = JSON.parse(readFileSync(packageFile('spec', 'clauses.json'), 'utf8')) as Clause[];
  if (PROVING_FOLDERS.some((folder) => existsSync(packageFile(folder)))) return matrixOf(clauses, provingTests());
  const made = packageFile('visualizations', 'conformance.json');
  if (!existsSync(made)) throw new CommandFailed('neither tests nor visualizations/conformance.json are at hand');
  return matrixOf(clauses, testsIn(JSON.parse(readFileSync(made, 'utf8')) as StoredRow[]));
}

/** All tests that drive a clause through the SIP surface, in the order of their files. */
export function provingTests(): ProvingTest[] {
  return PROVING_FOLDERS.filter((folder) => existsSync(packageFile(folder))).flatMap((folder) =>
    readdirSync(packageFile(folder))
      .filter((name) => name.endsWith('.test.ts'))
      .sort()
      .flatMap((name) => testsOf(`${folder}/${name}`)),
  );
}

function testsOf(file: string): ProvingTest[] {
  return titlesIn(readFileSync(packageFile(file), 'utf8'))
    .filter((title) => citedIn(title).length > 0)
    .map((title) => ({ file, title }));
}
