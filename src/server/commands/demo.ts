/** `cpm-engine demo`: a whole recorded session between two real phones, through two functions, on loopback. */
import { jointText } from '../demo/joint-ladder.ts';
import { keptText } from '../demo/kept.ts';
import { type Paint, paintFor } from '../demo/paint.ts';
import { type Audience, type Party, type Performance, perform } from '../demo/performance.ts';
import { version } from '../version.ts';
import { CommandFailed, print, UsageError } from './output.ts';
import { serve } from './serve.ts';

export interface DemoOptions {
  /** Configuration of the server that is left running; absent: the defaults. */
  readonly config?: string;
  /** Whether a server is left running afterwards: `yes`, `no`, or `auto`, where a terminal is attached. */
  readonly serve: string;
  readonly json: boolean;
}

export async function demo(options: DemoOptions): Promise<void> {
  if (!['yes', 'no', 'auto'].includes(options.serve)) {
    throw new UsageError(`--serve ${options.serve}: expected yes, no or auto`);
  }
  const paint = paintFor(process.stdout);
  const performance = await perform(options.json ? {} : programme(paint)).catch((error: Error) => {
    throw new CommandFailed(error.message);
  });
  if (options.json) print(JSON.stringify(performance, null, 2));
  else for (const line of review(performance, paint)) print(line);
  if (options.serve === 'no' || (options.serve === 'auto' && process.stdout.isTTY !== true)) return;
  if (!options.json) for (const line of serving(options.config, paint)) print(line);
  await serve(options.config === undefined ? {} : { config: options.config });
}

// --- while it happens ----------------------------------------------------------------------------------------

const COLUMN = 26;

function programme(paint: Paint): Audience {
  return {
    begins(parties) {
      print(`${paint.bold(`cpm-engine ${version()}`)}: Alice and Bob hold a CPM session, and it is recorded for both`);
      print();
      for (const line of castLines(parties, paint)) print(line);
      print();
    },
    step({ title, detail }) {
      print(`  ${paint.good('✓')} ${title.padEnd(COLUMN - 6)} ${paint.dim(detail)}`);
    },
  };
}

/** Everybody in a row, as their messages go. */
function castLines(parties: readonly Party[], paint: Paint): string[] {
  const row = (cells: readonly string[], joint: string): string =>
    `  ${cells.map((cell, at) => (at === cells.length - 1 ? cell : `${cell} `.padEnd(COLUMN - 1, joint))).join(' ')}`;
  return [
    paint.bold(
      row(
        parties.map(({ name }) => name),
        '─',
      ),
    ),
    row(
      parties.map(({ what }) => what),
      ' ',
    ),
    paint.dim(
      row(
        parties.map(({ address }) => address),
        ' ',
      ),
    ),
  ];
}

// --- looking back --------------------------------------------------------------------------------------------

function review({ ladder, history }: Performance, paint: Paint): string[] {
  return [
    '',
    paint.bold('The call, as the two Participating Functions saw it'),
    paint.dim('◆ where the statechart of the session is, ◇ where its recording is'),
    '',
    ...jointText(ladder, paint),
    '',
    ...Object.entries(history).flatMap(([user, folders]) => [
      paint.bold(`The history folder of ${user}`),
      ...folders.flatMap((folder) => keptText(folder, paint)),
      '',
    ]),
    paint.dim('The whole of it as JSON, with the objects byte for byte: cpm-engine demo --json'),
  ];
}

function serving(config: string | undefined, paint: Paint): string[] {
  const by = config === undefined ? 'the default configuration, with its stores in ./data' : config;
  return ['', paint.bold(`A server starts now, on ${by}. Ctrl-C ends it.`)];
}
