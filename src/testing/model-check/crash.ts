/**
 * Killed and started again within 64*T1 (`src/engine/stored-session.ts`): the session is as it was at its last
 * checkpoint, the effects that followed it are carried out again, and open transactions of the stack are forgotten.
 */
import type { SessionContext } from '../../../machines/session/context.ts';
import type { Effect } from '../../../machines/session/effects.ts';
import type { ChartState } from './chart-graph.ts';
import { carriedOut } from './user-agent.ts';
import type { Fault, StoreState, Wire, World, Written } from './world.ts';

/** Records by what they hold, so that two worlds with the same one are the same. */
export class Records {
  readonly #known = new Map<string, Written>();

  of(chart: ChartState, pending: readonly Effect[]): Written {
    const key = `${chart.id} ${JSON.stringify(pending)}`;
    let record = this.#known.get(key);
    if (record === undefined) {
      record = { id: this.#known.size, chart, pending };
      this.#known.set(key, record);
    }
    return record;
  }
}

/** The world after a crash and a restart; null where nothing was written yet. */
export function restarted(world: World, faults: readonly Fault[]): World | null {
  const { written } = world;
  if (written === null) return null;
  const { context, recording } = written.chart;
  const wires = world.wires.map((wire) => restoredWire(wire, context, written.pending));
  const store = orderedAgain(world.store, recording, context);
  let after: World = { ...world, chart: written.chart, wires, store, faults, written: null };
  for (const effect of written.pending) {
    const isKnown = effect.type === 'invite' && wires.some(({ leg }) => leg === effect.leg);
    const isHistory = effect.type === 'openHistory' || effect.type === 'sealHistory';
    if (!isKnown && !isHistory) after = carriedOut(after, effect, undefined);
  }
  return after;
}

function restoredWire(wire: Wire, context: SessionContext, pending: readonly Effect[]): Wire {
  // Whoever has no answer yet says its request again.
  const again = wire.theirs.map(requestNamed);
  const forgotten = { ...wire, ours: [], theirs: [], due: [], unacked: null, up: [...again, ...wire.up] };
  const phase = context.legs[wire.leg]?.phase;
  if (wire.leg === 'a') {
    const unanswered = phase === 'inviting' || pending.some(({ type }) => type === 'answer');
    return unanswered ? { ...forgotten, invite: 'open' } : forgotten;
  }
  return phase === 'inviting' || phase === 'cancelling' ? invitedAgain(forgotten) : forgotten;
}

/** `bye-1`, and in proxy mode `a-bye-1`, was `BYE bye-1` when it came. */
function requestNamed(exchange: string): string {
  const name = exchange.replace(/^[ab]-/, '');
  return `${name.startsWith('bye') ? 'BYE' : 'INVITE'} ${name}`;
}

/** A copy of an open INVITE: who has answered it by 2xx says so again, who has refused it keeps silent. */
function invitedAgain(wire: Wire): Wire {
  const open = { ...wire, invite: 'open' } as const;
  if (wire.peer === 'over') return { ...open, due: ['invite'] };
  const answered = wire.peer === 'up' || wire.peer === 'leaving';
  return answered && !wire.up.includes('200') ? { ...open, up: ['200', ...wire.up] } : open;
}

/** Work whose outcome the session has not heard is ordered again; the outbox knows its own. */
function orderedAgain(store: StoreState, recording: string, context: SessionContext): StoreState {
  const { settled, sessionInfoUid } = context.history;
  const job =
    recording === 'sealing' && !settled
      ? 'seal'
      : recording === 'opening' || (recording === 'degraded' && sessionInfoUid === null)
        ? 'open'
        : undefined;
  if (job === undefined || store.jobs.includes(job)) return store;
  return { ...store, jobs: [...store.jobs, job] };
}
