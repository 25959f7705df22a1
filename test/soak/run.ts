/**
 * `npm run soak -- --minutes 10 --seed 1`: calls with mixed endings and faults through a server, over real sockets.
 * Exit 0 where nothing is left and nothing grew, 1 with what did, 2 on bad usage.
 */
import { exit, stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { COURSES } from './courses.ts';
import type { Rest } from './judgement.ts';
import { type SoakReport, soak } from './soak.ts';

const { values } = options();
const minutes = positive('minutes', values.minutes);
const seed = positive('seed', values.seed);
const rate = positive('rate', values.rate);
if (!COURSES.some(({ name }) => name.includes(values.only))) misused(`--only ${values.only}: no course is called so`);

function options() {
  try {
    return parseArgs({
      options: {
        minutes: { type: 'string', default: '10' },
        seed: { type: 'string', default: '1' },
        rate: { type: 'string', default: '25' },
        only: { type: 'string', default: '' },
        tolerate: { type: 'string' },
        snapshots: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return misused((error as Error).message);
  }
}

function positive(name: string, text: string): number {
  if (/^\d{1,9}(\.\d{1,3})?$/.test(text) && Number(text) > 0) return Number(text);
  return misused(`--${name} ${text}: a number above 0`);
}

function misused(why: string): never {
  stderr.write(
    `${why}\nnpm run soak -- [--minutes N] [--seed N] [--rate CALLS_A_SECOND] [--only COURSE] [--tolerate BYTES_A_CALL] [--snapshots FOLDER] [--json]\n`,
  );
  return exit(2);
}

function progress({ calls, heapBytes, codeBytes, descriptors, timers }: Rest, secondsLeft: number): void {
  const heap = `${megabytes(heapBytes)} MB of heap and ${megabytes(codeBytes)} of code`;
  const line = `${calls} calls, ${heap}, ${descriptors} descriptors, ${timers} timers at rest`;
  if (stderr.isTTY) stderr.write(`\r${line}, ${Math.round(secondsLeft)} s left  `);
  else if (!values.json) stdout.write(`${line}\n`);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(2);
}

function tell(report: SoakReport): void {
  const { calls, seconds, growth, faults, reasons, storeFailures, historyFailures } = report;
  for (const [course, count] of Object.entries(report.courses))
    stdout.write(`${String(count).padStart(6)}  ${course}\n`);
  stdout.write(
    `ended by ${Object.entries(reasons)
      .map(([reason, count]) => `${reason} ${count}`)
      .join(', ')}\n`,
  );
  stdout.write(`session store failed ${storeFailures} times, message store ${historyFailures} times\n`);
  for (const { what, perCall, certain, tolerated } of growth) {
    stdout.write(
      `${what}: ${perCall.toPrecision(3)} a call (at least ${certain.toPrecision(3)}, tolerated ${tolerated.toPrecision(3)})\n`,
    );
  }
  for (const fault of faults) stdout.write(`FAULT: ${fault}\n`);
  const verdict = faults.length === 0 ? 'nothing left, nothing grew' : `${faults.length} faults`;
  stdout.write(`soak: ${calls} calls in ${seconds} s, seed ${seed}: ${verdict}\n`);
}

const tolerated = values.tolerate === undefined ? {} : { tolerated: positive('tolerate', values.tolerate) };
const kept = values.snapshots === undefined ? {} : { snapshots: values.snapshots };
const report = await soak({ seconds: minutes * 60, seed, rate, only: values.only, progress, ...tolerated, ...kept });
if (stderr.isTTY) stderr.write('\n');
if (values.json) stdout.write(`${JSON.stringify(report)}\n`);
else tell(report);
process.exitCode = report.faults.length === 0 ? 0 : 1;
