/**
 * One action's work on a session: reads the context, notes what changes, leaves effects. Pure: the context it was
 * given stays as it was.
 */
import { changed, withEntry, withoutEntry } from '../changed.ts';
import type { LegName, LegRecord, SessionContext } from './context.ts';
import type { Effect, Order } from './effects.ts';

type Changes = { -readonly [K in keyof SessionContext]?: SessionContext[K] };

export class Turn {
  /** Everything that differs afterwards. */
  readonly changes: Changes = {};
  readonly #before: SessionContext;
  readonly #step: number;
  /** ms since the epoch. */
  readonly at: number;

  constructor(before: SessionContext, step: number, at: number) {
    this.#before = before;
    this.#step = step;
    this.at = at;
  }

  get<K extends keyof SessionContext>(key: K): SessionContext[K] {
    return key in this.changes ? (this.changes[key] as SessionContext[K]) : this.#before[key];
  }

  set<K extends keyof SessionContext>(key: K, value: SessionContext[K]): void {
    this.changes[key] = value;
  }

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

  /** Leaves an effect. Those of an earlier event are no longer in the context. */
  order(order: Order): void {
    const before = this.changes.effects ?? (this.#before.step === this.#step ? this.#before.effects : []);
    // The order was made for this call, so it may become the effect itself.
    const effect = order as Effect & { id: string };
    effect.id = `${this.#step}.${before.length}`;
    this.changes.effects = before.length === 0 ? [effect] : [...before, effect];
    this.changes.step = this.#step;
  }

  /** Sets a deadline, by the name of the event it raises and, where there is one, its leg. */
  setDeadline(event: string, at: number, leg?: LegName): void {
    const name = leg === undefined ? event : `${event}:${leg}`;
    this.changes.deadlines = withEntry(this.get('deadlines'), name, at);
  }

  clearDeadline(event: string, leg?: LegName): void {
    const name = leg === undefined ? event : `${event}:${leg}`;
    const deadlines = this.get('deadlines');
    if (deadlines[name] !== undefined) this.changes.deadlines = withoutEntry(deadlines, name);
  }

  clearDeadlines(): void {
    this.changes.deadlines = {};
  }

  /** What this event leads to must be stored before its effects leave. */
  checkpoint(): void {
    this.changes.checkpoint = this.#before.checkpoint + 1;
  }
}
