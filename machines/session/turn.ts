/** One action's work on a session. */
import { withEntry } from '../changed.ts';
import { Turn as AnyTurn } from '../turn.ts';
import type { LegName, LegRecord, SessionContext } from './context.ts';
import type { Effect, Order } from './effects.ts';

// V8 finds a property by a text that was put together only when it has found that text among all names of the program.
const OF_LEG = {
  a: { sessionExpired: 'sessionExpired:a', refreshDue: 'refreshDue:a' },
  b: { sessionExpired: 'sessionExpired:b', refreshDue: 'refreshDue:b' },
};

/** Name of a deadline that each leg has its own of. */
export function deadlineOf(event: 'sessionExpired' | 'refreshDue', leg: LegName): string {
  return leg === 'a' || leg === 'b' ? OF_LEG[leg][event] : `${event}:${leg}`;
}

export class Turn extends AnyTurn<Effect, SessionContext, Order> {
  get legs(): SessionContext['legs'] {
    return this.get('legs');
  }

  leg(name: LegName): LegRecord | undefined {
    return this.legs[name];
  }

  /** Changes a leg; an unknown one stays unknown. */
  setLeg(name: LegName, change: Partial<LegRecord>): void {
    const leg = this.legs[name];
    if (leg !== undefined) this.set('legs', withEntry(this.legs, name, legAfter(leg, change)));
  }

  addLeg(name: LegName, leg: LegRecord): void {
    this.set('legs', withEntry(this.legs, name, leg));
  }
}

/** Field by field, so that every leg has one shape. */
function legAfter(before: LegRecord, change: Partial<LegRecord>): LegRecord {
  return {
    peer: change.peer ?? before.peer,
    phase: change.phase ?? before.phase,
    streams: change.streams === undefined ? before.streams : change.streams,
    timer: change.timer === undefined ? before.timer : change.timer,
    allowsUpdate: change.allowsUpdate ?? before.allowsUpdate,
  };
}
