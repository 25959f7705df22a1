/** Recorded INVITEs under two policies. */
import type { Engine } from '../../engine/engine.ts';
import type { Explanation, Supposed } from '../../engine/explain.ts';
import type { RecordedInvite } from './recorded.ts';
import { type Comparison, compared } from './verdict.ts';

/** Who is asked, and what is supposed there. */
export interface Asked {
  readonly engine: Engine;
  readonly supposed?: Supposed;
}

export interface ReplayOptions {
  /** For INVITEs of which it is not known when they came, ms since the epoch. */
  readonly at: number;
}

/** Each INVITE under both. A server goes on with its calls in between. */
export async function replayed(
  invites: readonly RecordedInvite[],
  before: Asked,
  after: Asked,
  options: ReplayOptions,
): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const invite of invites) {
    const at = invite.at ?? options.at;
    comparisons.push(compared(invite.name, await explained(invite, before, at), await explained(invite, after, at)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return comparisons;
}

function explained({ request }: RecordedInvite, { engine, supposed }: Asked, at: number): Promise<Explanation> {
  // Recorded where the core is believed.
  const source = { address: '127.0.0.1', port: 0, transport: 'UDP', trusted: true };
  return new Promise((resolve) => engine.explain(request, source, resolve, { ...supposed, at }));
}
