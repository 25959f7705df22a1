/** Short messages whose receipts are awaited: bounded, the oldest given up first. */
import type { Receipt } from './receipt.ts';

export interface Awaiting {
  delivered(): void;
  failed(why: string): void;
}

interface Parts {
  left: number;
  readonly awaiting: Awaiting;
}

/** Receipts that came before the answer to their submit_sm; the SMSC may be that fast. */
const EARLY = 256;

export class Receipts {
  readonly #byId = new Map<string, Parts>();
  readonly #early = new Map<string, Receipt>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get waiting(): number {
    return this.#byId.size;
  }

  /** Awaits the receipt of each part. */
  expect(messageIds: readonly string[], awaiting: Awaiting): void {
    const parts = { left: messageIds.length, awaiting };
    for (const id of messageIds) {
      const [oldest] = this.#byId.keys();
      if (oldest !== undefined && this.#byId.size >= this.#max) this.#byId.delete(oldest);
      this.#byId.set(keyOf(id), parts);
    }
    for (const id of messageIds) {
      const early = this.#early.get(keyOf(id));
      this.#early.delete(keyOf(id));
      if (early !== undefined) this.take(early);
    }
  }

  /** False for a receipt of a message that nobody waits for (any more, or yet). */
  take(receipt: Receipt): boolean {
    if (receipt.outcome === 'underway') return true;
    const key = keyOf(receipt.messageId);
    const parts = this.#byId.get(key);
    if (parts === undefined) {
      const [oldest] = this.#early.keys();
      if (oldest !== undefined && this.#early.size >= EARLY) this.#early.delete(oldest);
      this.#early.set(key, receipt);
      return false;
    }
    this.#byId.delete(key);
    if (receipt.outcome === 'failed') parts.awaiting.failed(`the SMSC says ${receipt.state}`);
    else if (--parts.left === 0) parts.awaiting.delivered();
    return true;
  }
}

/** SMSCs write the same id with and without leading zeros, in either case. */
function keyOf(messageId: string): string {
  return messageId.toLowerCase().replace(/^0+(?=.)/, '');
}
