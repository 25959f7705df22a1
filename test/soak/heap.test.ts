/** What the soak calls heap: everything a program keeps, and nothing of what V8 makes of its code. */
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type Program, Scene } from '../support/processes.ts';
import { grownKinds, type Heap, heapSnapshots, readHeap, takeSnapshot } from './heap.ts';

/** Keeps objects, or compiles functions by running them often, as it is told. */
const PROGRAM = `
class Kept { at = 1; }
const kept = [];
const functions = Array.from({ length: 400 }, (_, at) => new Function('a', 'b', \`
  let sum = \${at};
  for (let i = 0; i < a; i++) sum = (sum * 31 + (b[i % b.length]?.length ?? i)) % 65521;
  return sum;
\`));
process.stdin.on('data', (said) => {
  if (String(said) === 'keep') for (let at = 0; at < 10_000; at++) kept.push(new Kept());
  else for (const run of functions) for (let time = 0; time < 100; time++) run(100, ['a', 'bc', undefined]);
  console.log('done');
});
console.log('ready');
`;

let scene: Scene;
let program: Program;

beforeEach(async () => {
  scene = new Scene();
  const file = scene.file('program.mjs', PROGRAM);
  program = scene.start(process.execPath, ['--import', heapSnapshots(scene.folder), file]);
  await program.says(/ready/);
});

afterEach(() => scene.close());

async function heap(): Promise<Heap> {
  const file = await takeSnapshot(program.child, scene.folder);
  const read = readHeap(file);
  rmSync(file);
  return read;
}

async function tell(what: 'keep' | 'compile'): Promise<void> {
  program.child.stdin?.write(what);
  await program.says(/done/);
}

it('is more by each object that is kept, and told by its constructor', async () => {
  const before = await heap();
  await tell('keep');
  const after = await heap();
  expect(after.bytes - before.bytes).toBeGreaterThan(10_000 * 24);
  expect(grownKinds(before, after)).toMatch(/^Kept \d+/);
});

it('is not more by code that is compiled', async () => {
  const before = await heap();
  await tell('compile');
  const after = await heap();
  expect(after.codeBytes - before.codeBytes).toBeGreaterThan(400 * 500);
  expect(after.bytes - before.bytes).toBeLessThan(400 * 50);
});
