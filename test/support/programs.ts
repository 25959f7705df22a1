/** Programs from outside that a test needs: absent on a laptop the test is passed over loudly, absent in CI it fails. */
import { spawnSync } from 'node:child_process';
import { describe } from '@jest/globals';

/** A program by its name, a module of Kamailio as `kamailio/xcap_server`. */
function isInstalled(program: string): boolean {
  const [, module] = /^kamailio\/(\w+)$/.exec(program) ?? [];
  if (module !== undefined) return spawnSync('sh', ['-c', `ls /usr/lib/*/kamailio/modules/${module}.so`]).status === 0;
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** A describe block that runs where all the programs are at hand. */
export function describeWith(programs: readonly string[], name: string, tests: () => void): void {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length === 0) {
    describe(name, tests);
  } else if (process.env.CI !== undefined) {
    throw new Error(`${name}: ${missing.join(', ')} must be installed in CI`);
  } else {
    process.stderr.write(`\nNOT RUN, ${missing.join(' and ')} not installed: ${name}\n`);
    describe(`${name} (not run: no ${missing.join(', ')})`, () => {
      describe.skip('', tests);
    });
  }
}
