/** Messages that are kept for users who are not there: one queue for each user, in the order in which they came. */
import type { Kept } from '../../../machines/message/context.ts';
import type { DeferredPolicy } from '../../../machines/session/policy.ts';
import { identityKey } from '../../sip/message/uri.ts';
import type { Message } from './message.ts';

export class Queues {
  readonly #queues = new Map<string, Message[]>();
  #size = 0;

  /** Messages kept over all. */
  get size(): number {
    return this.#size;
  }

  *all(): Iterable<Message> {
    for (const queue of this.#queues.values()) yield* queue;
  }

  /** Users for whom something is kept. */
  get users(): string[] {
    return [...this.#queues.values()].flatMap(([first]) => first?.user ?? []);
  }

  /** When the oldest came, ms since the epoch; undefined where none is kept. */
  get oldest(): number | undefined {
    let oldest: number | undefined;
    for (const [first] of this.#queues.values()) {
      const at = first?.context.at;
      if (at !== undefined && (oldest === undefined || at < oldest)) oldest = at;
    }
    return oldest;
  }

  /** What a message of this user's is told of the others (see the chart). */
  about(message: Pick<Message, 'key'>, user: string, bounds: DeferredPolicy): Kept {
    const queue = this.#queues.get(identityKey(user)) ?? [];
    const others = queue.filter((other) => other !== message);
    return {
      room: others.length < bounds.perUser && this.#size - (queue.length - others.length) < bounds.total,
      ahead: others.length > 0,
      known: others.some((other) => other.key === message.key),
    };
  }

  /** The first of the user's; undefined where nothing is kept. */
  first(user: string): Message | undefined {
    return this.#queues.get(identityKey(user))?.[0];
  }

  /** False where it is kept already. */
  join(message: Message): boolean {
    const key = identityKey(message.user);
    const queue = this.#queues.get(key);
    if (queue?.includes(message) === true) return false;
    this.#size++;
    if (queue === undefined) this.#queues.set(key, [message]);
    else queue.push(message);
    return true;
  }

  /** False where it was not kept. */
  leave(message: Message): boolean {
    const key = identityKey(message.user);
    const queue = this.#queues.get(key);
    const at = queue?.indexOf(message) ?? -1;
    if (queue === undefined || at < 0) return false;
    queue.splice(at, 1);
    this.#size--;
    if (queue.length === 0) this.#queues.delete(key);
    return true;
  }
}
