/**
 * One pager-mode message: where its chart is, its papers, and the effects that wait for their turn. The chart is stepped
 * by itself, without an actor: a message has a handful of events, and thousands of them may wait for their users.
 */
import { compiled } from '../../../machines/compiled.ts';
import { copyOf, type MessageContext, type MessageInput } from '../../../machines/message/context.ts';
import type { Effect } from '../../../machines/message/effects.ts';
import type { MessageEvent } from '../../../machines/message/events.ts';
import { messageMachine } from '../../../machines/message/machine.ts';
import { wireOfBytes } from '../../sip/message/bytes.ts';
import { serialize } from '../../sip/message/serialize.ts';
import type { Timer } from '../../time/clock.ts';
import { statePath } from '../state-path.ts';
import type { MessagePapers } from './papers.ts';

const CHART = compiled(messageMachine, copyOf);
type Snapshot = ReturnType<typeof CHART.resolveState>;
/** A compiled chart sends nothing to anybody. */
const NO_SCOPE = undefined as never;

export class Message {
  readonly id: string;
  /** See {@link MessagePapers}. */
  readonly key: string;
  readonly #served: string;
  readonly #again: (text: string) => MessagePapers;
  /** The papers, or the text they are read from. */
  #papers: MessagePapers | string;
  /** Effects that have not been carried out. */
  pending: Effect[] = [];
  /** Writes under way that must be finished before effects leave. */
  writes = 0;
  /** True once it has been written down, and so must be deleted at its end. */
  written = false;
  /** Waits for the earliest of its deadlines. */
  timer: Timer | undefined;
  step = 0;
  #snapshot: Snapshot;

  private constructor(id: string, papers: MessagePapers, snapshot: Snapshot) {
    this.id = id;
    this.key = papers.key;
    this.#served = papers.asked.served;
    this.#again = papers.again;
    this.#papers = papers;
    this.#snapshot = snapshot;
  }

  /** A new one, with its first transitions behind it. */
  static begin(input: MessageInput, papers: MessagePapers): Message {
    const message = new Message(input.id, papers, CHART.getInitialSnapshot(NO_SCOPE, input) as Snapshot);
    message.#takeEffects(0);
    return message;
  }

  /** One as it was stored. */
  static resume(papers: MessagePapers, stored: ResumedMessage): Message {
    const { context, value } = stored;
    const message = new Message(context.id, papers, CHART.resolveState({ value: value as never, context }));
    message.step = stored.step;
    message.pending = [...stored.pending];
    message.written = true;
    return message;
  }

  /** What came. Of one that waits folded it is read anew each time, so ask once. */
  get papers(): MessagePapers {
    return typeof this.#papers === 'string' ? this.#again(this.#papers) : this.#papers;
  }

  /** One that waits for its user, perhaps for days, is held as the text it came as. */
  fold(): void {
    const idle = this.state === 'kept.waiting' && this.pending.length === 0 && this.writes === 0;
    if (idle && typeof this.#papers !== 'string') this.#papers = wireOfBytes(serialize(this.#papers.request));
  }

  get context(): MessageContext {
    return this.#snapshot.context;
  }

  get value(): unknown {
    return this.#snapshot.value;
  }

  /** As a path: `kept.waiting`. */
  get state(): string {
    return statePath(this.value);
  }

  get kept(): boolean {
    return this.state.startsWith('kept.');
  }

  get closed(): boolean {
    return this.value === 'closed';
  }

  /** The served user's own address; as it stands in the request where no other is known. */
  get user(): string {
    return this.context.profile?.user ?? this.#served;
  }

  send(event: MessageEvent): void {
    this.#snapshot = CHART.transition(this.#snapshot, event, NO_SCOPE) as Snapshot;
    this.#takeEffects(event.step);
  }

  #takeEffects(step: number): void {
    if (this.context.step === step) this.pending.push(...this.context.effects);
  }
}

export interface ResumedMessage {
  readonly value: unknown;
  readonly context: MessageContext;
  readonly step: number;
  readonly pending: readonly Effect[];
}
