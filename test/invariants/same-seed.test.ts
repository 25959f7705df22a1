/** The same scene gives the same run: byte for byte, and in another process too. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { play, type Scene } from '../../src/testing/index.ts';
import { scenes } from './scenes.ts';

/** Everything that was sent, when and by whom, lost messages included. */
function transcriptOf(scene: Scene): string {
  const { network } = play(scene).stage.world;
  return network.transcript.map(({ at, from, to, message }) => `${at} ${from} ${to}\n${message}`).join('\n');
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What the other process does: plays the scene that it reads, and prints the hash of its transcript. */
const PROGRAM = `
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { play } from '${new URL('../../dist/src/testing/index.js', import.meta.url).href}';
const { network } = play(JSON.parse(readFileSync(0, 'utf8'))).stage.world;
const text = network.transcript.map(({ at, from, to, message }) => at + ' ' + from + ' ' + to + '\\n' + message).join('\\n');
process.stdout.write(createHash('sha256').update(text).digest('hex'));
`;

describe('a scene', () => {
  const drawn = fc.sample(scenes(), { numRuns: 60, seed: 7 });

  it('played twice gives the same transcript, byte for byte', () => {
    for (const scene of drawn) expect(transcriptOf(scene)).toBe(transcriptOf(scene));
  });

  it('played by another process gives the same transcript', () => {
    for (const scene of drawn.slice(0, 3)) {
      const other = execFileSync(process.execPath, ['--input-type=module', '-e', PROGRAM], {
        input: JSON.stringify(scene),
        encoding: 'utf8',
      });
      expect(other).toBe(hash(transcriptOf(scene)));
    }
  });

  it('with another seed goes another way', () => {
    const stormy = { ...(drawn[0] as Scene), commands: [] };
    const setting = { ...stormy.setting, network: { loss: 20, duplication: 20, delayMs: 40 } };
    expect(transcriptOf({ ...stormy, setting, seed: 1 })).not.toBe(transcriptOf({ ...stormy, setting, seed: 2 }));
  });

  it('takes milliseconds for minutes', () => {
    const before = performance.now();
    let virtual = 0;
    for (const scene of drawn) virtual += play(scene).stage.world.clock.elapsed;
    expect(virtual / (performance.now() - before)).toBeGreaterThan(1000);
  });
});
