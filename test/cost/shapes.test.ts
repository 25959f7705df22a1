/**
 * What a call costs depends on how few shapes its objects have. In Node 20 an object to which a property is added behind
 * a spread gets a hidden class of its own, and so does one made behind a prototype of its own; whoever reads it then has
 * to search. V8 says of each class that it makes, so a call can be asked how many it needed.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';

/** Whole calls through stack, engine and session store, without sockets. */
const PROGRAM = `
import { Scene } from '${new URL('../../bench/scene.mjs', import.meta.url).href}';
const [folder, calls] = process.argv.slice(1);
const scene = new Scene(folder);
for (let call = 0; call < Number(calls); call++) {
  const end = await scene.establish();
  await end();
  scene.sent.length = 0;
}
process.exit();
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shapes-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Hidden classes that are made while so many calls are handled. */
function classesMade(calls: number): number {
  const log = join(folder, `${calls}.log`);
  const flags = ['--log-maps', `--logfile=${log}`, '--no-logfile-per-isolate'];
  execFileSync(process.execPath, [...flags, '--input-type=module', '-e', PROGRAM, '--', folder, String(calls)]);
  return readFileSync(log, 'latin1').match(/^map,Transition,/gm)?.length ?? 0;
}

it('a call needs no hidden classes of its own', () => {
  const perCall = (classesMade(400) - classesMade(200)) / 200;
  expect(perCall).toBeLessThan(0.5);
});
