/** Which received message a sent one was made from, and the other way round: what the side-by-side view compares. */

export interface Placed {
  readonly n: number;
  readonly leg: string;
  readonly direction: 'in' | 'out';
  readonly label: string;
  /** A repetition has the partner of the first copy. */
  readonly again: number | null;
}

/** The other one of the pair; undefined for a message that was not passed on. */
export function partnerOf<M extends Placed>(messages: readonly M[], message: M): M | undefined {
  const first = message.again === null ? message : (messages.find(({ n }) => n === message.again) ?? message);
  const fits = (other: M): boolean =>
    other.again === null &&
    other.leg !== first.leg &&
    other.direction !== first.direction &&
    other.label === first.label;
  return first.direction === 'out'
    ? messages.findLast((other) => other.n < first.n && fits(other))
    : messages.find((other) => other.n > first.n && fits(other));
}
