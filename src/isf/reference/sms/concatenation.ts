/**
 * Parts of a long short message on their way in (3GPP TS 23.040 9.2.3.24.1, 9.2.3.24.8): kept until all are there, or
 * for a while, and then given up with what is missing marked.
 */
import type { Clock, Timer, TimerOwner } from '../../../time/clock.ts';

/** What a part says of the whole. */
export interface PartOf {
  /** The same for all parts of one message from one sender. */
  readonly reference: string;
  readonly total: number;
  /** From 1. */
  readonly number: number;
}

/** Elements of a user data header; undefined where none speaks of concatenation, or one speaks nonsense. */
export function partOf(elements: readonly Buffer[]): PartOf | undefined {
  for (const element of elements) {
    const [kind, length] = element;
    const wide = kind === 0x08 && length === 4;
    if (element.length < (wide ? 6 : 5) || !(wide || (kind === 0x00 && length === 3))) continue;
    const reference = wide ? element.readUInt16BE(2) : element.readUInt8(2);
    const [total = 0, number = 0] = element.subarray(wide ? 4 : 3);
    if (number < 1 || number > total) return undefined;
    return { reference: `${wide ? 'w' : 'n'}${reference}`, total, number };
  }
  return undefined;
}

export interface ConcatenationOptions {
  readonly clock: Clock;
  /** Messages of which not all parts are there. */
  readonly maxMessages: number;
  /** ms from the first part to the last. */
  readonly waitMs: number;
  /** Told of a message that is given up: what came of it, with marks where a part is missing. */
  readonly incomplete: (key: string, text: string) => void;
}

interface Collected {
  readonly texts: (string | undefined)[];
  missing: number;
  readonly timer: Timer;
}

export const MISSING_PART = '[…]';

export class Concatenation implements TimerOwner {
  readonly #options: ConcatenationOptions;
  /** The oldest first. */
  readonly #messages = new Map<string, Collected>();

  constructor(options: ConcatenationOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#messages.size;
  }

  /** The whole text once this part completes it; undefined before. `key` names sender and receiver. */
  take(key: string, part: PartOf, text: string): string | undefined {
    const name = `${key} ${part.reference} ${part.total}`;
    const message = this.#messages.get(name) ?? this.#begin(name, part.total);
    if (message.texts[part.number - 1] !== undefined) return undefined;
    message.texts[part.number - 1] = text;
    if (--message.missing > 0) return undefined;
    this.#forget(name);
    return message.texts.join('');
  }

  #begin(name: string, total: number): Collected {
    const { clock, waitMs, maxMessages } = this.#options;
    const [oldest] = this.#messages.keys();
    if (oldest !== undefined && this.#messages.size >= maxMessages) this.onTimer(oldest);
    const texts = new Array<string | undefined>(total).fill(undefined);
    const message = { texts, missing: total, timer: clock.schedule(waitMs, this, name) };
    this.#messages.set(name, message);
    return message;
  }

  onTimer(name: string): void {
    const message = this.#messages.get(name);
    this.#forget(name);
    if (message === undefined) return;
    const key = name.split(' ').slice(0, -2).join(' ');
    this.#options.incomplete(key, message.texts.map((text) => text ?? MISSING_PART).join(''));
  }

  #forget(name: string): void {
    this.#messages.get(name)?.timer.cancel();
    this.#messages.delete(name);
  }

  /** Gives up everything without a word. */
  close(): void {
    for (const name of [...this.#messages.keys()]) this.#forget(name);
  }
}
