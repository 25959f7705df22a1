/**
 * `npm run invariants -- --runs 1000000 --seed 1`: plays generated scenes in threads, in stretches of a thousand with a
 * seed each. Exit 0 where all invariants held, 1 with the ladder of each scene in which one did not, 2 on bad usage.
 *
 * The first violation ends it, unless `--keep-going`. With `--journal FILE` each finished stretch is written down, and
 * a run that was stopped goes on where it was; Ctrl-C stops it, with the closing line.
 */
import { availableParallelism } from 'node:os';
import process, { exit, stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Broken, Stretch, Stretched } from './drawing.ts';
import { journalAt } from './journal.ts';

const STRETCH = 1000;

const { values } = options();
const runs = whole('runs', values.runs);
const firstSeed = whole('seed', values.seed);
const threads = whole('threads', values.threads);
const stretches = Math.ceil(runs / STRETCH);
const journal = journalAt(values.journal);
const began = performance.now();
const finished = new Map<number, number>();
const broken: Broken[] = [];
let given = 0;
let playedBefore = 0;
let stopped = false;

function options() {
  try {
    return parseArgs({
      options: {
        runs: { type: 'string', default: '20000' },
        seed: { type: 'string', default: '1' },
        threads: { type: 'string', default: String(availableParallelism()) },
        'keep-going': { type: 'boolean', default: false },
        journal: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return misused((error as Error).message);
  }
}

function whole(name: string, text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  return misused(`--${name} ${text}: a whole number from 1 on`);
}

function misused(why: string): never {
  stderr.write(
    `${why}\nnpm run invariants -- [--runs N] [--seed N] [--threads N] [--keep-going] [--journal FILE] [--json]\n`,
  );
  return exit(2);
}

function nextStretch(): Stretch | undefined {
  while (!stopped && given < stretches) {
    const at = given++;
    const seed = firstSeed + at;
    const before = journal.done.get(seed);
    const wanted = Math.min(STRETCH, runs - at * STRETCH);
    if (before === undefined || before.played < wanted) return { seed, runs: wanted, keepGoing: values['keep-going'] };
    playedBefore += before.played;
    account(before);
  }
  return undefined;
}

function account({ seed, played, broken: found }: Stretched): void {
  finished.set(seed, played);
  broken.push(...found);
  if (found.length > 0 && !values['keep-going']) stopped = true;
}

function work(): Promise<void> {
  const worker = new Worker(new URL('./stretches.js', import.meta.url));
  return new Promise((resolve, reject) => {
    const give = (): void => {
      const stretch = nextStretch();
      if (stretch === undefined) void worker.terminate().then(() => resolve());
      else worker.postMessage(stretch);
    };
    worker.on('error', reject);
    worker.on('message', (stretched: Stretched) => {
      journal.note(stretched);
      account(stretched);
      tell(stretched);
      give();
    });
    give();
  });
}

function playedInAll(): number {
  return [...finished.values()].reduce((sum, played) => sum + played, 0);
}

/** How far it is, and whatever has just been found. */
function tell({ broken: found }: Stretched): void {
  if (values.json) return;
  for (const { report } of found) stdout.write(`${stderr.isTTY ? '\n' : ''}${report}\n\n`);
  if (!stderr.isTTY) return;
  const rate = Math.round(((playedInAll() - playedBefore) * 1000) / (performance.now() - began));
  stderr.write(`\r${playedInAll()} of ${runs} scenes, ${rate} a second, ${broken.length} violations `);
}

/** Seeds of finished stretches as ranges, `1-40 42`. */
function seedsDone(): string {
  const ranges: [number, number][] = [];
  for (const seed of [...finished.keys()].sort((one, other) => one - other)) {
    const last = ranges.at(-1);
    if (last !== undefined && seed === last[1] + 1) last[1] = seed;
    else ranges.push([seed, seed]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(' ');
}

process.on('SIGINT', () => {
  stopped = true;
});
await Promise.all(Array.from({ length: threads }, work));
const seconds = Math.round((performance.now() - began) / 1000);
const played = playedInAll();
if (values.json) {
  const scenes = broken.map(({ report: _report, ...found }) => found);
  stdout.write(
    `${JSON.stringify({ scenes: played, seeds: seedsDone(), seconds, violations: scenes.length, broken: scenes })}\n`,
  );
} else {
  if (stderr.isTTY) stderr.write('\n');
  const verdict = broken.length === 0 ? 'every invariant held' : `${broken.length} violations`;
  stdout.write(`${played} scenes, seeds ${seedsDone()} (${STRETCH} scenes each), ${seconds} s: ${verdict}\n`);
}
process.exitCode = broken.length === 0 && played > 0 ? 0 : 1;
