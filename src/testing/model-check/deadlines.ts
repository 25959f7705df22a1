/**
 * The end comes by itself: from every state of the session that was reached, deadlines alone lead to `closed`, in
 * whatever order they come and though nobody else is ever heard of again. Where the session has none armed, its stack must
 * have promised an event: in proxy mode the ringing is bounded by timer C (RFC 3261 16.6 step 11).
 */
import type { ChartEvent, ChartGraph, ChartState } from './chart-graph.ts';
import type { Configuration } from './configuration.ts';
import { deadlineEvent } from './moves.ts';
import { failed } from './user-agent.ts';

export interface Silence {
  /** Most deadlines that pass before the end. */
  readonly deadlines: number;
  readonly stuck: { readonly state: ChartState; readonly law: string } | null;
}

// Free of any exchange a session can have under way.
const STEP = 99;

export function longestSilence(
  graph: ChartGraph,
  states: readonly ChartState[],
  configuration: Configuration,
): Silence {
  const longest = new Map<number, number>();
  let deadlines = 0;
  for (const state of states) {
    const law = follow(graph, state, configuration, longest, new Set());
    if (law !== null) return { deadlines, stuck: { state, law } };
    deadlines = Math.max(deadlines, longest.get(state.id) ?? 0);
  }
  return { deadlines, stuck: null };
}

/** Notes the longest way to the end by deadlines alone; gives what is wrong where there is none. */
function follow(
  graph: ChartGraph,
  state: ChartState,
  configuration: Configuration,
  longest: Map<number, number>,
  above: Set<number>,
): string | null {
  if (longest.has(state.id)) return null;
  if (state.call === 'closed') {
    longest.set(state.id, 0);
    return null;
  }
  if (above.has(state.id)) return `liveness: deadlines go round in circles in ${state.call}`;
  above.add(state.id);
  let most = -1;
  for (const event of promised(state, configuration)) {
    const { state: after } = graph.take(state, event, STEP);
    // A deadline that nobody takes does not fire again.
    if (after === state) continue;
    const law = follow(graph, after, configuration, longest, above);
    if (law !== null) return law;
    most = Math.max(most, (longest.get(after.id) as number) + 1);
  }
  above.delete(state.id);
  if (most < 0) return `liveness: no deadline leads out of ${state.call}`;
  longest.set(state.id, most);
  return null;
}

function promised({ call, context }: ChartState, { mode }: Configuration): ChartEvent[] {
  const armed = Object.keys(context.deadlines).map(deadlineEvent);
  const { current } = context;
  const open = current === null ? undefined : context.legs[current]?.phase;
  if (
    mode === 'proxy' &&
    call.startsWith('inviting') &&
    current !== null &&
    (open === 'inviting' || open === 'cancelling')
  ) {
    armed.push(failed(current, 408, true));
  }
  return armed;
}
