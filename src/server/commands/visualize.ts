/** `cpm-engine visualize`: what is generated from the code and committed beside it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, normalize } from 'node:path';
import { matrixPage, storedRows } from '../../conformance/matrix.ts';
import { pictures } from '../../conformance/pictures.ts';
import type { Elk } from '../../inspect/chart-layout.ts';
import { isfSchema } from '../config/isf.ts';
import { withTables } from '../config/reference.ts';
import { configSchema } from '../config/schema.ts';
import { packageFile } from '../package-files.ts';
import { currentMatrix } from './conformance.ts';
import { CommandFailed, print } from './output.ts';
import { playgroundPage } from './playground-page.ts';

const FOLDER = 'visualizations';
/** Folders of which every file is generated: one that no longer is, goes. */
const PICTURES = ['statechart', 'sequences'];
/** Of this one the tables only. */
const CONFIGURATION = '../docs/configuration.md';
/** Lays statecharts out; only whoever works on this project draws them, so it is not installed with the package. */
const LAYOUT = 'elkjs/lib/elk.bundled.js';

export async function visualize(options: { check?: boolean }): Promise<void> {
  const files = await generated();
  const differing = files.filter(([name, text]) => committed(name) !== text).map(([name]) => name);
  const stale = committedPictures().filter((name) => !files.some(([each]) => each === name));
  const wrong = [...differing, ...stale].map((name) => normalize(`${FOLDER}/${name}`));
  if (options.check) {
    if (wrong.length > 0) throw new CommandFailed(`not up to date: ${wrong.join(', ')}; run "cpm-engine visualize"`);
    return print(`${files.length} files are up to date`);
  }
  for (const [name, text] of files) write(name, text);
  for (const name of stale) rmSync(packageFile(FOLDER, name));
  print(wrong.length === 0 ? `${files.length} files were up to date` : `written: ${wrong.join(', ')}`);
}

function committed(name: string): string | undefined {
  const path = packageFile(FOLDER, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function committedPictures(): string[] {
  const there = PICTURES.filter((folder) => existsSync(packageFile(FOLDER, folder)));
  return there.flatMap((folder) => readdirSync(packageFile(FOLDER, folder)).map((name) => `${folder}/${name}`));
}

function write(name: string, text: string): void {
  const path = packageFile(FOLDER, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Name and text of every generated file. */
async function generated(): Promise<[name: string, text: string][]> {
  const matrix = currentMatrix();
  return [
    ['conformance.md', matrixPage(matrix)],
    ['conformance.json', `${JSON.stringify(storedRows(matrix), null, 1)}\n`],
    ['isf.schema.json', `${JSON.stringify(isfSchema.toJSONSchema({ io: 'input' }), null, 2)}\n`],
    ['config.schema.json', `${JSON.stringify(configSchema.toJSONSchema({ io: 'input' }), null, 2)}\n`],
    [CONFIGURATION, withTables(committed(CONFIGURATION) ?? '')],
    ...(await pictures(await layoutEngine())),
    ['playground.html', await playgroundPage()],
  ];
}

async function layoutEngine(): Promise<Elk> {
  try {
    const { default: Engine } = (await import(LAYOUT)) as { default: new () => Elk };
    return new Engine();
  } catch {
    throw new CommandFailed('pictures are drawn with elkjs, which only a checkout has: git clone, npm ci');
  }
}
