/** `cpm-engine visualize`: what is generated from the code and committed beside it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { matrixPage, storedRows } from '../../conformance/matrix.ts';
import { configSchema } from '../config/schema.ts';
import { packageFile } from '../package-files.ts';
import { currentMatrix } from './conformance.ts';
import { CommandFailed, print } from './output.ts';

const FOLDER = 'visualizations';

export function visualize(options: { check?: boolean }): void {
  const files = generated();
  const differing = files.filter(([name, text]) => committed(name) !== text).map(([name]) => `${FOLDER}/${name}`);
  if (options.check) {
    if (differing.length > 0)
      throw new CommandFailed(`not up to date: ${differing.join(', ')}; run "cpm-engine visualize"`);
    return print(`${files.length} files are up to date`);
  }
  mkdirSync(packageFile(FOLDER), { recursive: true });
  for (const [name, text] of files) writeFileSync(packageFile(FOLDER, name), text);
  print(differing.length === 0 ? `${files.length} files were up to date` : `written: ${differing.join(', ')}`);
}

function committed(name: string): string | undefined {
  const path = packageFile(FOLDER, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** Name and text of every generated file. */
function generated(): [name: string, text: string][] {
  const matrix = currentMatrix();
  return [
    ['conformance.md', matrixPage(matrix)],
    ['conformance.json', `${JSON.stringify(storedRows(matrix), null, 1)}\n`],
    ['config.schema.json', `${JSON.stringify(configSchema.toJSONSchema({ io: 'input' }), null, 2)}\n`],
  ];
}
