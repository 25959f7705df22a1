/**
 * `npm run invariants -- --runs 1000000 --seed 1`: plays generated scenes in threads, in stretches of a thousand with a
 * seed each. Exit 0 where all invariants held, 1 with the ladder of the first scene in which one did not.
 */
import { availableParallelism } from 'node:os';
import { stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Broken, Stretch } from './drawing.ts';

const STRETCH = 1000;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);
const firstSeed = Number(values.seed);
const stretches = Math.ceil(runs / STRETCH);
const began = performance.now();
let given = 0;
let done = 0;
let broken: Broken | undefined;

function nextStretch(): Stretch | undefined {
  if (given >= stretches || broken !== undefined) return undefined;
  const at = given++;
  return { seed: firstSeed + at, runs: Math.min(STRETCH, runs - at * STRETCH) };
}

function work(): Promise<void> {
  const worker = new Worker(new URL('./stretches.js', import.meta.url));
  return new Promise((resolve, reject) => {
    let stretch = nextStretch();
    const give = (): void => {
      if (stretch === undefined) void worker.terminate().then(() => resolve());
      else worker.postMessage(stretch);
    };
    worker.on('error', reject);
    worker.on('message', (found: Broken | null) => {
      done += stretch?.runs ?? 0;
      broken ??= found ?? undefined;
      progress();
      stretch = nextStretch();
      give();
    });
    give();
  });
}

function progress(): void {
  if (values.json) return;
  const rate = Math.round((done * 1000) / (performance.now() - began));
  stderr.write(`\r${done} of ${runs} runs, ${rate} a second `);
}

await Promise.all(Array.from({ length: Number(values.threads) }, work));
const seconds = Math.round((performance.now() - began) / 1000);
const seeds = `${firstSeed} to ${firstSeed + given - 1}`;
if (values.json) {
  const { report: _report, ...found } = broken ?? { report: '' };
  stdout.write(
    `${JSON.stringify({ runs: done, seeds: [firstSeed, firstSeed + given - 1], seconds, broken: broken === undefined ? null : found })}\n`,
  );
} else {
  stderr.write('\n');
  stdout.write(`${done} runs, seeds ${seeds} (${STRETCH} runs each), ${seconds} s: `);
  stdout.write(broken === undefined ? 'every invariant held\n' : `broken with seed ${broken.seed}\n${broken.report}\n`);
}
process.exitCode = broken === undefined ? 0 : 1;
