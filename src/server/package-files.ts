/** Files that come with the package, found from where the code runs: its sources, or the compiled `dist/`. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let root: string | undefined;

/** Folder of the package: the nearest one upwards with a package.json. */
export function packageRoot(): string {
  if (root !== undefined) return root;
  let at = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(at, 'package.json')) && dirname(at) !== at) at = dirname(at);
  root = at;
  return at;
}

export function packageFile(...path: string[]): string {
  return join(packageRoot(), ...path);
}
