/** Bad weather from a seed: messages are lost, come twice, late or out of order, and hosts are cut off. */
import type { SeededRandom } from './seeded.ts';
import type { Passage, Weather } from './virtual-network.ts';

export interface NetworkFaults {
  /** Share of messages that never arrive, in percent. */
  readonly loss: number;
  /** Share of messages that arrive twice, in percent. */
  readonly duplication: number;
  /** A message takes from one to this many ms, so later ones may overtake it. */
  readonly delayMs: number;
}

export const NO_FAULTS: NetworkFaults = { loss: 0, duplication: 0, delayMs: 1 };

interface Partition {
  readonly from: string | null;
  readonly to: string | null;
  /** ms since the epoch; infinite where it lasts for ever. */
  readonly until: number;
}

export class SeededWeather {
  faults: NetworkFaults;
  readonly #random: SeededRandom;
  #partitions: Partition[] = [];

  constructor(random: SeededRandom, faults: NetworkFaults = NO_FAULTS) {
    this.#random = random;
    this.faults = faults;
  }

  /** Nothing passes from one address to another until then; null stands for any address. */
  cut(from: string | null, to: string | null, until: number): void {
    this.#partitions.push({ from, to, until });
  }

  /** All cuts are mended, and no message is lost any more. */
  calm(): void {
    this.#partitions = [];
    this.faults = NO_FAULTS;
  }

  /** The network's weather, to be put in place of the fair one. */
  readonly weather: Weather = (passage) => {
    if (this.#isCut(passage)) return [];
    const { loss, duplication } = this.faults;
    if (loss > 0 && this.#random.below(100) < loss) return [];
    const first = this.#delay();
    return duplication > 0 && this.#random.below(100) < duplication ? [first, this.#delay()] : [first];
  };

  #delay(): number {
    const { delayMs } = this.faults;
    return delayMs <= 1 ? 1 : 1 + this.#random.below(delayMs);
  }

  #isCut({ from, to, at }: Passage): boolean {
    if (this.#partitions.length === 0) return false;
    return this.#partitions.some(
      (cut) => cut.until > at && (cut.from === null || cut.from === from) && (cut.to === null || cut.to === to),
    );
  }
}
