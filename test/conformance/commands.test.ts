/** `visualize` and `conformance` as their users run them: in the project, and in a package that was installed. */
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { StoredRow } from '../../src/conformance/matrix.ts';
import { PROJECT, runCommand } from '../support/server.ts';

/** What npm puts into the package, as far as these commands read it. */
const PACKED = ['package.json', 'dist', 'docs', 'machines', 'src', 'spec', 'visualizations'];

let installed: string;

/** A package as `npm install` leaves it: no tests. */
beforeAll(() => {
  installed = mkdtempSync(join(tmpdir(), 'cpm-installed-'));
  for (const name of PACKED) cpSync(join(PROJECT, name), join(installed, name), { recursive: true });
  symlinkSync(join(PROJECT, 'node_modules'), join(installed, 'node_modules'));
});

afterAll(() => rmSync(installed, { recursive: true }));

function change(file: string, edit: (text: string) => string): () => void {
  const path = join(installed, file);
  const before = readFileSync(path, 'utf8');
  writeFileSync(path, edit(before));
  return () => writeFileSync(path, before);
}

describe('visualize --check', () => {
  it('finds the committed files up to date', () => {
    expect(runCommand(PROJECT, 'visualize', '--check')).toEqual({ code: 0, out: '51 files are up to date\n', err: '' });
  }, 120_000);

  it('exits 1 with the names of the files that differ, and writes nothing', () => {
    const edits = ['visualizations/conformance.md', 'visualizations/config.schema.json'].map((file) =>
      change(file, (text) => `${text} `),
    );
    edits.push(
      change('docs/configuration.md', (text) => text.replace('| `policy.mediaPath` |', '| `policy.mediaPth` |')),
    );
    const { code, err } = runCommand(installed, 'visualize', '--check');
    expect(code).toBe(1);
    expect(err).toContain('visualizations/conformance.md, visualizations/config.schema.json, docs/configuration.md;');
    expect(err).not.toContain('conformance.json');
    expect(readFileSync(join(installed, 'visualizations/conformance.md'), 'utf8')).toMatch(/ $/);
    for (const undo of edits) undo();
  }, 120_000);
});

describe('conformance', () => {
  it('finds every clause built and proven, from the tests', () => {
    const { code, out } = runCommand(PROJECT, 'conformance');
    expect(code).toBe(0);
    expect(out).toMatch(/^183 of 183 clauses are built and proven$/m);
  });

  it('prints the same matrix from an installed package, which has no tests', () => {
    expect(runCommand(installed, 'conformance', '--json')).toEqual(runCommand(PROJECT, 'conformance', '--json'));
  });

  it('exits 1 with the ids of clauses that no test proves', () => {
    const undo = change('visualizations/conformance.json', (text) => {
      const rows = JSON.parse(text) as StoredRow[];
      const without = ({ tests }: StoredRow) =>
        tests.filter(({ title }) => !/\bO-ACK\b/.test(title.split(':')[0] ?? ''));
      return JSON.stringify(rows.map((row) => ({ ...row, tests: without(row) })));
    });
    const { code, out, err } = runCommand(installed, 'conformance', '--open');
    undo();
    expect(code).toBe(1);
    expect(out).toMatch(/^O-ACK +both +action acknowledgeFarLegs, action forwardAck +no test/m);
    expect(err).toContain('not proven: O-ACK');
  });

  it('says what is missing where there are neither tests nor a stored matrix', () => {
    const stored = join(installed, 'visualizations/conformance.json');
    renameSync(stored, `${stored}.away`);
    const { code, err } = runCommand(installed, 'conformance');
    renameSync(`${stored}.away`, stored);
    expect(code).toBe(1);
    expect(err).toContain('neither tests nor visualizations/conformance.json are at hand');
  });
});
