/** Which bytes of a message are there: ranges that neither overlap nor touch, in order. Positions begin with 0. */
export class Ranges {
  #ranges: { readonly start: number; readonly end: number }[] = [];

  /** Ranges apart from each other. */
  get pieces(): number {
    return this.#ranges.length;
  }

  /** Adds the bytes from `start` up to, not including, `end`. */
  add(start: number, end: number): void {
    if (end <= start) return;
    const last = this.#ranges.at(-1);
    // Nearly always: what comes goes on where the last chunk ended.
    if (last !== undefined && last.end === start) {
      this.#ranges[this.#ranges.length - 1] = { start: last.start, end };
      return;
    }
    const apart = this.#ranges.filter((range) => range.end < start || range.start > end);
    const joined = this.#ranges.filter((range) => range.end >= start && range.start <= end);
    const from = Math.min(start, ...joined.map((range) => range.start));
    const to = Math.max(end, ...joined.map((range) => range.end));
    this.#ranges = [...apart, { start: from, end: to }].sort((left, right) => left.start - right.start);
  }

  /** Whether every byte up to `total` is there. */
  covers(total: number): boolean {
    if (total === 0) return true;
    const [first] = this.#ranges;
    return first !== undefined && first.start === 0 && first.end >= total;
  }
}
