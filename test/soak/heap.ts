/**
 * What lives in the heap of a process, out of a snapshot of it: what the program made, without what V8 made of the
 * program. Compiled code and what belongs to it grows for some ten thousand calls, and by more than a leak would.
 */
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT } from '../support/server.ts';

export interface Heap {
  /** Bytes of everything but code. What lies outside the heap, such as buffers' bytes, is held by some object in it. */
  readonly bytes: number;
  /** Bytes of code, compiled or not, of what it was compiled by, and of V8's own lists. */
  readonly codeBytes: number;
  /** The former by what it is: constructors, functions as `name()`, and kinds that have no name as `(string)`. */
  readonly kinds: ReadonlyMap<string, number>;
}

/** The parts of V8's format that are read here: nodes are so many numbers each, `meta` says which. */
export interface HeapSnapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly [readonly string[], ...unknown[]];
    };
  };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

/** Types of nodes that are V8's: bytecode, machine code, feedback, and lists such as that of the code a shape is used in. */
const CODE = new Set(['code', 'hidden']);

/** A heap of a hundred megabytes takes some seconds to be written down. */
const SNAPSHOT_MS = 60_000;
const LOOK_MS = 50;

/** URL of a module that makes the program that loads it write a snapshot of its heap into a folder at SIGUSR2. */
export function heapSnapshots(folder: string): string {
  const url = pathToFileURL(join(PROJECT, 'test', 'soak', 'heap-snapshots.mjs'));
  url.searchParams.set('into', folder);
  return url.href;
}

/** Makes a program that has loaded {@link heapSnapshots} write one; its file, for the caller to remove. */
export async function takeSnapshot(program: ChildProcess, folder: string): Promise<string> {
  const file = join(folder, 'heap.heapsnapshot');
  const end = performance.now() + SNAPSHOT_MS;
  program.kill('SIGUSR2');
  while (!existsSync(file)) {
    if (performance.now() > end) throw new Error(`no snapshot of the heap within ${SNAPSHOT_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return file;
}

export function readHeap(file: string): Heap {
  return heapOf(JSON.parse(readFileSync(file, 'utf8')) as HeapSnapshot);
}

export function heapOf({ snapshot: { meta }, nodes, strings }: HeapSnapshot): Heap {
  const [types] = meta.node_types;
  const [type, name, size] = ['type', 'name', 'self_size'].map((field) => meta.node_fields.indexOf(field)) as [
    number,
    number,
    number,
  ];
  const kinds = new Map<string, number>();
  let [bytes, codeBytes] = [0, 0];
  for (let at = 0; at < nodes.length; at += meta.node_fields.length) {
    const kind = types[nodes[at + type] as number] as string;
    const own = nodes[at + size] as number;
    if (CODE.has(kind)) codeBytes += own;
    else if (kind !== 'native') {
      bytes += own;
      const called = calledBy(kind, strings[nodes[at + name] as number] as string);
      kinds.set(called, (kinds.get(called) ?? 0) + own);
    }
  }
  return { bytes, codeBytes, kinds };
}

function calledBy(kind: string, name: string): string {
  if (kind === 'object') return name;
  if (kind === 'closure') return `${name}()`;
  return kind.endsWith('string') ? '(string)' : `(${kind})`;
}

const MOST_TOLD = 6;

/** What has grown most from one heap to another, the largest first. */
export function grownKinds(from: Heap, to: Heap): string {
  const grown = [...to.kinds]
    .map(([kind, bytes]) => ({ kind, more: bytes - (from.kinds.get(kind) ?? 0) }))
    .filter(({ more }) => more > 0)
    .sort((one, other) => other.more - one.more);
  return grown
    .slice(0, MOST_TOLD)
    .map(({ kind, more }) => `${kind} ${(more / 1000).toFixed(1)} kB`)
    .join(', ');
}
