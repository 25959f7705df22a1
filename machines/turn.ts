/**
 * One action's work on what a chart holds: reads the context, changes it, leaves effects. It has a copy of the context, and
 * what that holds is replaced, never changed in place.
 */
import { copied, withoutEntry } from './changed.ts';

/** What every chart's context has, so that its engine can store it, wake it and carry out what it wants done. */
export interface Turned<E extends { readonly id: string }> {
  /** Absolute times, ms since the epoch, by name of the event they raise. */
  readonly deadlines: Readonly<Record<string, number>>;
  /** Counts the points at which it must be stored before its effects leave. */
  readonly checkpoint: number;
  /** Number of the event that caused `effects`. */
  readonly step: number;
  readonly effects: readonly E[];
}

type Own<C> = { -readonly [K in keyof C]: C[K] };

export class Turn<E extends { readonly id: string }, C extends Turned<E>, O> {
  /** This turn's own: nobody else has seen it yet. */
  readonly #context: Own<C>;
  readonly #common: Own<Turned<E>>;
  readonly #step: number;
  readonly #checkpoint: number;
  /** Copies of this turn's own. */
  #effects: E[] | undefined;
  #deadlines: Record<string, number> | undefined;
  /** ms since the epoch. */
  readonly at: number;

  /** `context` is a copy that changes. */
  constructor(context: C, step: number, at: number) {
    this.#context = context;
    this.#common = context;
    this.#step = step;
    this.#checkpoint = context.checkpoint;
    this.at = at;
  }

  get<K extends keyof C>(key: K): C[K] {
    return this.#context[key];
  }

  set<K extends keyof C>(key: K, value: C[K]): void {
    this.#context[key] = value;
  }

  /** Leaves an effect. Those of an earlier event are no longer in the context. */
  order(order: O): void {
    this.#effects ??= this.#common.step === this.#step ? [...this.#common.effects] : [];
    // The order was made for this call, so it may become the effect itself.
    const effect = order as unknown as E & { id: string };
    effect.id = `${this.#step}.${this.#effects.length}`;
    this.#effects.push(effect);
    this.#common.effects = this.#effects;
    this.#common.step = this.#step;
  }

  /** Sets a deadline, by the name of the event it raises. */
  setDeadline(name: string, at: number): void {
    this.#ownDeadlines()[name] = at;
  }

  clearDeadline(name: string): void {
    const { deadlines } = this.#common;
    if (deadlines[name] === undefined) return;
    this.#deadlines = withoutEntry(deadlines, name);
    this.#common.deadlines = this.#deadlines;
  }

  clearDeadlines(): void {
    this.#deadlines = {};
    this.#common.deadlines = this.#deadlines;
  }

  #ownDeadlines(): Record<string, number> {
    this.#deadlines ??= copied(this.#common.deadlines);
    this.#common.deadlines = this.#deadlines;
    return this.#deadlines;
  }

  /** What this event leads to must be stored before its effects leave. */
  checkpoint(): void {
    this.#common.checkpoint = this.#checkpoint + 1;
  }
}
