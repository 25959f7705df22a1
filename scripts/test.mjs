/**
 * Runs the tests. Those that live in virtual time share the processors; those with sockets, programs and a browser then run
 * one after the other, since a machine busy with something else would be what they measure.
 *
 * With arguments they go to jest as they are, in one run: `npm test -- test/races -t CANCEL`.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** Folders below `test/` whose tests need nothing of the machine but its processors. */
const VIRTUAL = [
  'ambiguities',
  'clauses',
  'conformance',
  'cpim',
  'inspect',
  'invariants',
  'machines',
  'model',
  'policy',
  'races',
  'session',
  'sip/(?:dialog|locate|message|transaction)',
  'store',
  'time',
  'torture',
  'trace',
];
const PATTERN = `/test/(?:${VIRTUAL.join('|')})/`;

/** Jest's exit code. */
function jest(args) {
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const program = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  return spawnSync(process.execPath, [...flags, program, ...args], { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
}

const asked = process.argv.slice(2);
const runs =
  asked.length > 0
    ? [asked]
    : [
        [`--maxWorkers=${availableParallelism()}`, '--testPathPatterns', PATTERN],
        // A socket that a test left open must not keep the run from its end, which CI would take for a hang.
        ['--runInBand', '--forceExit', '--testPathIgnorePatterns', PATTERN, '/node_modules/'],
      ];
process.exitCode = Math.max(...runs.map(jest));
