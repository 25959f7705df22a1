/** What of the server has grown over a soak: a straight line through what it holds whenever all calls have ended. */
import type { AtRest } from './server-under-soak.ts';
import { certainGrowth, slopeOf } from './slope.ts';

/** The state of the server at rest, after so many calls. */
export interface Rest extends AtRest {
  readonly calls: number;
}

export interface Growth {
  readonly what: keyof AtRest;
  /** For each call, and how much of it is surely no chance. */
  readonly perCall: number;
  readonly certain: number;
  /** What it may be at the most. */
  readonly tolerated: number;
  readonly grew: boolean;
}

/** Bytes of heap a call may leave: bounded caches fill, by a third of it; the smallest object with an id is more. */
const HEAP_BYTES_PER_CALL = 100;
/** Handles that may be more at the end than at the beginning: connections are opened again after they were broken. */
const HANDLES_IN_ALL = 4;
/** Rests it takes to tell growth from chance: with four, Student's quantile is twice that of six. */
export const FEWEST_RESTS = 6;

/** Looks at each thing that must stay as it is. At least {@link FEWEST_RESTS} rests; `heapBytesPerCall` are tolerated. */
export function judge(rests: readonly Rest[], heapBytesPerCall = HEAP_BYTES_PER_CALL): Growth[] {
  const [first, last] = [rests[0], rests.at(-1)];
  if (first === undefined || last === undefined) throw new Error('a soak needs rests');
  const calls = last.calls - first.calls;
  return (['heapBytes', 'descriptors', 'sockets', 'timers'] as const).map((what) => {
    const slope = slopeOf(rests.map((rest) => ({ x: rest.calls, y: rest[what] })));
    const tolerated = what === 'heapBytes' ? heapBytesPerCall : HANDLES_IN_ALL / calls;
    const certain = certainGrowth(slope);
    return { what, perCall: slope.perUnit, certain, tolerated, grew: certain > tolerated };
  });
}
