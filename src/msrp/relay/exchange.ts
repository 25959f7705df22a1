/**
 * The answer that a relayed SEND will get: the worst of those that its parts get on the other side, when all have
 * theirs (RFC 4975 7.2). So a 200 says that the far end has the bytes, and a 413 or 415 is the far end's own.
 */
import { type Answered, type Answerer, respondTo } from '../message/answering.ts';
import type { Beginning } from '../message/head.ts';

interface Abandonable {
  abandon(): void;
}

export class Exchange implements Answered {
  /** Which answers the sender wants (RFC 4975 7.1.1 Failure-Report). */
  readonly wanted: 'yes' | 'partial';
  /** Answers outstanding: one for each part, one while the request still comes in, one for whoever holds it back. */
  #awaited = 1;
  #done = false;
  readonly id: string;
  readonly beginning: Beginning;
  readonly #from: Answerer;
  /** What is abandoned after an error, so that nothing more of the message is passed on. */
  passage: Abandonable | undefined;

  constructor(request: Answered, wanted: 'yes' | 'partial', from: Answerer) {
    // Not the request itself: it holds the bytes it was read from.
    this.id = request.id;
    this.beginning = request.beginning;
    this.#from = from;
    this.wanted = wanted;
  }

  /** One more answer has to come. */
  await(): void {
    this.#awaited++;
  }

  /** One of the awaited answers is there. The first error is told at once, so that the sender can stop. */
  settle(status: number): void {
    if (this.#done) return;
    this.#awaited--;
    if (status !== 200) {
      this.#answer(status);
      this.passage?.abandon();
    } else if (this.#awaited === 0) this.#answer(200);
  }

  #answer(status: number): void {
    this.#done = true;
    respondTo(this, status, this.wanted, this.#from);
  }
}
