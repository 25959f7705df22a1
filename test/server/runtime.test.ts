/** What V8 is told, by its version. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { flagsFor } from '../../src/server/runtime.ts';

describe('the runtime’s settings', () => {
  it.each([
    [
      '11.3.244.8-node.38',
      [
        '--no-allocation-site-pretenuring',
        '--no-parallel-scavenge',
        '--interrupt-budget=8000',
        '--max-inlined-bytecode-size=200',
        '--max-inlined-bytecode-size-cumulative=400',
        '--no-turbo-loop-peeling',
        '--no-turbo-loop-rotation',
      ],
    ],
    [
      '13.6.233.17-node.53',
      [
        '--no-allocation-site-pretenuring',
        '--no-parallel-scavenge',
        '--invocation-count-for-maglev=100',
        '--invocation-count-for-turbofan=400',
      ],
    ],
    ['10.2.154', []],
    ['99.1', []],
  ])('for V8 %s', (version, flags) => {
    expect(flagsFor(version)).toEqual(flags);
  });

  it('are known to the runtime that is here: it would complain on standard error', () => {
    const flags = flagsFor(process.versions.v8);
    const script = `const v8 = require('node:v8'); for (const flag of ${JSON.stringify(flags)}) v8.setFlagsFromString(flag)`;
    expect(spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    // And it does complain about others.
    const strange = spawnSync(process.execPath, ['-e', "require('node:v8').setFlagsFromString('--no-such-flag')"]);
    expect(strange.stderr.length).toBeGreaterThan(0);
  });
});
