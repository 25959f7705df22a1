/** Invariant 14: after everything has ended, nothing of any session is held: not in memory, not on the disk. */
import type { Violation } from './violation.ts';

export function invariant14NothingHeld(held: readonly string[]): Violation[] {
  return held.map((what) => ({ invariant: 14, what: `still held: ${what}` }));
}
