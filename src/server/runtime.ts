/**
 * Settings of V8 for a process that answers calls: each was measured (docs/benchmarks.md), none changes what is
 * computed. They depend on the version, since V8 complains about a flag it does not know.
 */
import { setFlagsFromString } from 'node:v8';

interface Setting {
  readonly flag: string;
  /** First major version of V8 that knows it: 11 is Node 20, 12 is Node 22, 13 is Node 24, 14 is Node 26. */
  readonly from: number;
  /** The last that is known to. */
  readonly to: number;
}

const SETTINGS: readonly Setting[] = [
  // A literal whose objects often outlived the young generation is made in the old one from then on, though its next
  // objects live for a few milliseconds. Dead there, they keep alive whatever they point at.
  { flag: '--no-allocation-site-pretenuring', from: 11, to: 14 },
  // Of the young generation little survives: several threads need as much again to be woken and to wait for each other.
  { flag: '--no-parallel-scavenge', from: 11, to: 14 },
  // A function is optimised when it has run for so many bytes of bytecode; the default of 67 584 lets the first thousands
  // of calls run unoptimised.
  { flag: '--interrupt-budget=8000', from: 11, to: 11 },
  // A message comes when others have had the caches, so most of its code is cold: shorter code is faster, though it jumps
  // more. The defaults inline up to 460 bytes of bytecode at a place and 920 in all, and have loops twice.
  { flag: '--max-inlined-bytecode-size=200', from: 11, to: 11 },
  { flag: '--max-inlined-bytecode-size-cumulative=400', from: 11, to: 11 },
  { flag: '--no-turbo-loop-peeling', from: 11, to: 11 },
  { flag: '--no-turbo-loop-rotation', from: 11, to: 11 },
  // Later versions count calls; their defaults are 400 and 3000.
  { flag: '--invocation-count-for-maglev=100', from: 12, to: 14 },
  { flag: '--invocation-count-for-turbofan=400', from: 12, to: 14 },
];

/** The flags for a version as `process.versions.v8` gives it. */
export function flagsFor(version: string): string[] {
  const major = Number.parseInt(version, 10);
  return SETTINGS.filter(({ from, to }) => from <= major && major <= to).map(({ flag }) => flag);
}

/** Call it before anything is hot. */
export function tuneRuntime(): void {
  for (const flag of flagsFor(process.versions.v8)) setFlagsFromString(flag);
}
