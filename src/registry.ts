/**
 * Things by name that come and go quickly: live sessions, legs, open INVITEs. A map that loses its entries again.
 *
 * V8 makes a new table whenever additions and removals have used one up, and the old one goes on pointing at the new
 * one and at all it held. Where an old table lived long enough to be promoted, everything hung to it, each session that
 * passed in the meantime, outlives the young generation and is copied twice before it dies. Here such tables hold empty
 * slots only (docs/benchmarks.md).
 */
interface Slot<T> {
  value: T | undefined;
}

export class Registry<T extends object> {
  readonly #slots = new Map<string, Slot<T>>();

  get size(): number {
    return this.#slots.size;
  }

  get(name: string): T | undefined {
    return this.#slots.get(name)?.value;
  }

  has(name: string): boolean {
    return this.#slots.has(name);
  }

  set(name: string, value: T): void {
    const slot = this.#slots.get(name);
    if (slot !== undefined) slot.value = value;
    else this.#slots.set(name, { value });
  }

  /** False where there was nothing by that name. */
  delete(name: string): boolean {
    const slot = this.#slots.get(name);
    if (slot === undefined) return false;
    slot.value = undefined;
    return this.#slots.delete(name);
  }

  clear(): void {
    for (const slot of this.#slots.values()) slot.value = undefined;
    this.#slots.clear();
  }

  /** In the order in which they came. What comes or goes meanwhile is seen as in a `Map`. */
  keys(): IterableIterator<string> {
    return this.#slots.keys();
  }

  *values(): IterableIterator<T> {
    for (const { value } of this.#slots.values()) if (value !== undefined) yield value;
  }
}
