/** What a person does to the network: links that are cut, and what becomes of the next message on one. */
import type { Passage, Weather } from '../testing/virtual-network.ts';

export type Fate = 'drop' | 'delay' | 'double';

/** A message that is to be late by hand is late by so much, ms: longer than T1, so that it is said again meanwhile. */
export const LATE_MS = 700;
/** A second copy made by hand arrives so much behind the first, ms. */
export const BEHIND_MS = 5;

export class Interference {
  readonly #cuts = new Set<string>();
  readonly #fates = new Map<string, Fate[]>();
  readonly #base: Weather;
  readonly #siteOf: (address: string) => string;

  /** `siteOf`: where an address is, by the name that links have. */
  constructor(base: Weather, siteOf: (address: string) => string) {
    this.#base = base;
    this.#siteOf = siteOf;
  }

  readonly weather: Weather = (passage) => {
    const link = this.#linkOf(passage);
    // Drawn also where the message is lost, so that all others fare as they would have.
    const usual = this.#base(passage);
    if (this.#cuts.has(link)) return [];
    const fate = this.#fates.get(link)?.shift();
    if (fate === undefined) return usual;
    if (fate === 'drop') return [];
    return fate === 'delay' ? usual.map((ms) => ms + LATE_MS) : usual.flatMap((ms) => [ms, ms + BEHIND_MS]);
  };

  cut(from: string, to: string): void {
    this.#cuts.add(key(from, to));
  }

  mend(from: string, to: string): void {
    this.#cuts.delete(key(from, to));
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.has(key(from, to));
  }

  /** The next message from one to the other has this fate; several are taken one after the other. */
  next(from: string, to: string, fate: Fate): void {
    const waiting = this.#fates.get(key(from, to)) ?? [];
    this.#fates.set(key(from, to), [...waiting, fate]);
  }

  /** Fates that wait for a message. */
  waiting(from: string, to: string): readonly Fate[] {
    return this.#fates.get(key(from, to)) ?? [];
  }

  #linkOf({ from, to }: Passage): string {
    return key(this.#siteOf(from), this.#siteOf(to));
  }
}

function key(from: string, to: string): string {
  return `${from} ${to}`;
}
