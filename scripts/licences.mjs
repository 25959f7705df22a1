/**
 * Checks the licence of every package that is installed with this one. Exit 1 with the offenders: packages whose licence
 * asks for more than naming its authors, or that name none.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ALLOWED = new Set([
  'Apache-2.0',
  'MIT',
  'MIT-0',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'Python-2.0',
  'Unlicense',
  'WTFPL',
  'Zlib',
]);

/** Whether an SPDX expression can be met: one side of an OR, both sides of an AND. */
export function isAllowed(expression) {
  const tokens = expression.match(/\(|\)|[^\s()]+/g) ?? [];
  const either = () => {
    let met = both();
    while (tokens[0] === 'OR') {
      tokens.shift();
      met = both() || met;
    }
    return met;
  };
  const both = () => {
    let met = one();
    while (tokens[0] === 'AND') {
      tokens.shift();
      met = one() && met;
    }
    return met;
  };
  const one = () => {
    const token = tokens.shift();
    if (token !== '(') return ALLOWED.has(token);
    const met = either();
    tokens.shift();
    return met;
  };
  return either() && tokens.length === 0;
}

/** The licence a manifest names: an expression, or one of the forms before SPDX. */
export function licenceOf({ license, licenses }) {
  const named = license ?? licenses;
  if (Array.isArray(named)) return named.map((each) => each.type ?? each).join(' OR ');
  return named?.type ?? named ?? '';
}

function manifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Where `name` is found from a package's folder, as Node looks for it; undefined for an optional one left out. */
function find(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name);
    if (existsSync(join(found, 'package.json'))) return found;
    if (dirname(folder) === folder) return undefined;
  }
}

/** Name, version and licence of everything a package brings along, by folder. */
export function installedWith(root) {
  const found = new Map();
  const visit = (folder) => {
    const { dependencies = {}, optionalDependencies = {} } = manifest(folder);
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const at = find(name, folder);
      if (at === undefined && name in optionalDependencies) continue;
      if (at === undefined) throw new Error(`${name} is not installed, run npm ci`);
      if (found.has(at)) continue;
      const { version, ...rest } = manifest(at);
      found.set(at, { name, version, licence: licenceOf(rest) });
      visit(at);
    }
  };
  visit(root);
  return [...found.values()];
}

function main() {
  const packages = installedWith(fileURLToPath(new URL('..', import.meta.url)));
  const offenders = packages.filter(({ licence }) => !isAllowed(licence));
  for (const { name, version, licence } of offenders) console.log(`${name} ${version}: ${licence || 'no licence'}`);
  console.log(`${packages.length - offenders.length} of ${packages.length} packages have a licence that is allowed`);
  process.exitCode = offenders.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
