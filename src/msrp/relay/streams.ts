/** The bindings of one session: by leg, and by the place of the m-line in the inviter's offer. */
import type { LegName } from '../../../machines/session/context.ts';
import type { Binding } from './binding.ts';

const INVITER: LegName = 'a';

export class Streams {
  readonly #streams = new Map<number, Map<LegName, Binding>>();
  /** Descriptions that were read already, by leg. */
  readonly read = new Map<LegName, string>();

  get(leg: LegName, stream: number): Binding | undefined {
    return this.#streams.get(stream)?.get(leg);
  }

  add(binding: Binding): void {
    const { leg, stream } = binding.key;
    const legs = this.#streams.get(stream) ?? new Map<LegName, Binding>();
    this.#streams.set(stream, legs.set(leg, binding));
  }

  remove(binding: Binding): void {
    const { leg, stream } = binding.key;
    const legs = this.#streams.get(stream);
    legs?.delete(leg);
    if (legs?.size === 0) this.#streams.delete(stream);
    this.read.delete(leg);
    if (binding.far !== undefined) binding.far.far = undefined;
    binding.far = undefined;
  }

  get all(): Binding[] {
    return [...this.#streams.values()].flatMap((legs) => [...legs.values()]);
  }

  of(legs: readonly LegName[]): Binding[] {
    return this.all.filter(({ key }) => legs.includes(key.leg));
  }

  /** Joins the inviter's end of each stream with that of the first far leg that took it; gives those that are joined. */
  join(): Binding[] {
    const joined: Binding[] = [];
    for (const legs of this.#streams.values()) {
      const near = legs.get(INVITER);
      if (near?.peer === undefined) continue;
      const far = near.far ?? [...legs.values()].find((end) => end !== near && end.peer !== undefined);
      if (far === undefined) continue;
      near.far = far;
      far.far = near;
      joined.push(near, far);
    }
    return joined;
  }
}
