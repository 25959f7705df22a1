/**
 * History work that is under way and stands nowhere but in the record of its session: from that a restart orders it again.
 * It is written down by itself, into the outbox's rows, where the record goes before the work is done, or where the
 * message store fails: what it is given hours later shall be what was ordered now. So a session whose store works has
 * no row of history at all.
 */
import type { HistoryIntent, HistoryOutcome } from '../history/intent.ts';
import { Registry } from '../registry.ts';
import { historyWorkIds } from './compose/history.ts';

export class OwedHistory {
  readonly #owed = new Registry<HistoryIntent>();
  /** To be written down with the next batch, unless it is done by then. */
  readonly #due = new Set<HistoryIntent>();

  add(intents: readonly HistoryIntent[]): void {
    for (const intent of intents) this.#owed.set(intent.id, intent);
  }

  /** True where it has to be written down now. */
  outcome({ id }: HistoryIntent, { ok }: HistoryOutcome): boolean {
    const intent = this.#owed.get(id);
    if (intent === undefined) return false;
    if (ok) this.#owed.delete(id);
    else this.#due.add(intent);
    return !ok;
  }

  /** The session's record will go. True where something has to be written down before. */
  sessionOver(session: string): boolean {
    if (this.#owed.size === 0) return false;
    const owed = historyWorkIds(session).flatMap((id) => this.#owed.get(id) ?? []);
    for (const intent of owed) this.#due.add(intent);
    return owed.length > 0;
  }

  get isDue(): boolean {
    return this.#due.size > 0;
  }

  /** What the next batch writes down. */
  takeDue(): HistoryIntent[] {
    if (this.#due.size === 0) return [];
    const due = [...this.#due].filter(({ id }) => this.#owed.has(id));
    this.#due.clear();
    return due;
  }

  /** It is written down, or still has to be. Gives what was done in the meantime, and whose row nobody takes away. */
  written(intents: readonly HistoryIntent[], stands: boolean): HistoryIntent[] {
    if (!stands) {
      for (const intent of intents) this.#due.add(intent);
      return [];
    }
    return intents.filter(({ id }) => !this.#owed.delete(id));
  }
}
