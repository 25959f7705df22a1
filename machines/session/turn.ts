/** One action's work on a session. */
import { changed, withEntry } from '../changed.ts';
import { Turn as AnyTurn } from '../turn.ts';
import type { LegName, LegRecord, SessionContext } from './context.ts';
import type { Effect, Order } from './effects.ts';

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
    if (leg !== undefined) this.changes.legs = withEntry(this.legs, name, changed(leg, change));
  }

  addLeg(name: LegName, leg: LegRecord): void {
    this.changes.legs = withEntry(this.legs, name, leg);
  }
}
