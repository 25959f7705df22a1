/** Writing messages down: everything that changed in a turn of the event loop in one commit, before its effects leave. */
import type { HistoryIntent } from '../../history/intent.ts';
import type { EngineOptions } from '../engine.ts';
import { PolicyKeys } from '../policy-keys.ts';
import type { Batch } from '../ports.ts';
import { pagerIntent } from './compose.ts';
import type { Message } from './message.ts';
import { messageOrigin, messageState, recordOf } from './stored-message.ts';

/** Before a deletion that could not be written is tried again. */
const RETRY_MS = 1000;

export class MessageStore {
  readonly #options: EngineOptions;
  readonly #written: (message: Message) => void;
  readonly #dirty = new Set<Message>();
  readonly #policies = new PolicyKeys();
  #flushing = false;
  /** Records of messages that are over. */
  #deletes: string[] = [];

  /** `written`: told of each message whose state is durable, or never will be. */
  constructor(options: EngineOptions, written: (message: Message) => void) {
    this.#options = options;
    this.#written = written;
  }

  /** The message has changed; `written` is called when it may go on. */
  mustStore(message: Message): void {
    const { store, history } = this.#options;
    const nothingToTell = message.closed && !message.written && !message.pending.some(({ type }) => type === 'record');
    if (!store.durable || nothingToTell) {
      const intents = this.#takeIntents(message);
      if (intents.length > 0) history.submit(intents);
      return this.#written(message);
    }
    if (this.#dirty.has(message)) return;
    message.writes++;
    this.#dirty.add(message);
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#options.defer(() => this.flush());
  }

  /** Writes what waits, in one commit. */
  flush(): void {
    this.#flushing = false;
    if (this.#dirty.size === 0 && this.#deletes.length === 0) return;
    const messages = [...this.#dirty];
    this.#dirty.clear();
    const batch = this.#batchOf(messages);
    this.#options.store.commit(batch, (error) => {
      if (error !== undefined) this.#onFailure(batch, messages, error);
      if (batch.intents.length > 0) this.#options.history.submit(batch.intents);
      for (const message of messages) {
        message.writes--;
        this.#written(message);
      }
    });
  }

  #batchOf(messages: readonly Message[]): Batch {
    const puts: Batch['puts'][number][] = [];
    const policies: Batch['policies'][number][] = [];
    const intents: HistoryIntent[] = [];
    const deletes = this.#deletes;
    this.#deletes = [];
    for (const message of messages) {
      intents.push(...this.#takeIntents(message));
      const id = recordOf(message.id);
      if (message.closed) {
        if (message.written) deletes.push(id);
        continue;
      }
      const { key, unwritten } = this.#policies.keyOf(message.context.policy);
      if (unwritten !== undefined) policies.push({ key, body: unwritten });
      const state = messageState(message, this.#options.clock.now());
      puts.push(message.written ? { id, state } : { id, origin: messageOrigin(message, key), state });
      message.written = true;
    }
    return { puts, deletes, intents, policies };
  }

  /** The message goes on: a promise that can't be written down is still kept by this process. */
  #onFailure(batch: Batch, messages: readonly Message[], error: Error): void {
    this.#options.log.problem('messages could not be stored', { error: error.message, messages: messages.length });
    this.#policies.forget(batch.policies.map(({ key }) => key));
    const begun = new Set(batch.puts.flatMap(({ id, origin }) => (origin === undefined ? [] : [id])));
    for (const message of messages) if (begun.has(recordOf(message.id))) message.written = false;
    this.#deletes.push(...batch.deletes);
    if (this.#deletes.length === 0) return;
    this.#options.clock.schedule(RETRY_MS, { onTimer: () => this.#flushSoon() }, 'messageDeletions');
  }

  /** Takes the history work out of the effects that wait: from here on the outbox answers for it. */
  #takeIntents(message: Message): HistoryIntent[] {
    if (!message.pending.some(({ type }) => type === 'record')) return [];
    message.pending = message.pending.filter(({ type }) => type !== 'record');
    return [pagerIntent(message.papers, message.context, this.#options.folderName)];
  }
}
