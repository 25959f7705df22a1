/** The soak finds what it is there to find: leaks on purpose, in the server's own process. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { PROJECT } from '../support/server.ts';
import { judge, type Rest } from './judgement.ts';
import { certainGrowth, slopeOf } from './slope.ts';
import { type SoakOptions, soak } from './soak.ts';

const leak = (name: string): string[] => [pathToFileURL(join(PROJECT, 'test', 'soak', 'leaks', name)).href];

/** As short as it can be and still tell. */
const SHORT: SoakOptions = { seconds: 25, seed: 1, rate: 15, waveSeconds: 1.5, slow: false, warmUp: 1 };

describe('a soak', () => {
  it('fails where sessions are kept behind their end, and where files are', async () => {
    const { faults, calls } = await soak({ ...SHORT, modules: leak('sessions-and-files.mjs') });
    expect(calls).toBeGreaterThan(50);
    expect(faults.map((fault) => fault.replace(/ grew by .*/s, ''))).toEqual(['heapBytes', 'descriptors']);
  }, 180_000);

  it('fails where the media plane releases nothing', async () => {
    const { faults } = await soak({ ...SHORT, seconds: 1, drainMs: 6000, modules: leak('media.mjs') });
    expect(faults[0]).toMatch(/^still held 6 s after the last call: .*media_bindings \d+/);
  }, 180_000);
});

describe('its judgement', () => {
  const noise = [3, -2, 1, -3, 2, 0, -1, 2, -2, 1];
  const rests = (heap: (calls: number) => number, descriptors: (calls: number) => number = () => 30): Rest[] =>
    noise.map((off, at) => {
      const calls = 1000 + 100 * at;
      const heapBytes = 18e6 + heap(calls) + off * 6_000;
      // The compiler is still at work.
      const codeBytes = 12e6 + calls * 1000;
      return { calls, heapBytes, codeBytes, descriptors: descriptors(calls) + Math.sign(off), sockets: 12, timers: 1 };
    });
  const grown = (measured: readonly Rest[]): string[] =>
    judge(measured).flatMap(({ what, grew }) => (grew ? [what] : []));

  it('takes what goes up and down for flat', () => {
    expect(grown(rests(() => 0))).toEqual([]);
  });

  it('finds 200 bytes left of each call, and a descriptor of every tenth', () => {
    expect(
      grown(
        rests(
          (calls) => calls * 200,
          (calls) => 30 + calls / 10,
        ),
      ),
    ).toEqual(['heapBytes', 'descriptors']);
  });

  it('takes a growth within what is tolerated for none', () => {
    expect(
      grown(
        rests(
          (calls) => calls * 50,
          (calls) => 30 + calls / 1000,
        ),
      ),
    ).toEqual([]);
  });

  it('draws the line of least squares', () => {
    const { perUnit, error } = slopeOf([0, 1, 2, 3].map((x) => ({ x, y: 5 + 2 * x })));
    expect([perUnit, error]).toEqual([2, 0]);
    expect(certainGrowth(slopeOf([1, 2, 3, 4].map((x, at) => ({ x, y: [4, 1, 4, 2][at] ?? 0 }))))).toBeLessThan(0);
  });
});
