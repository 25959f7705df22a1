/** What an IWF interworks with, as far as the SIP and MSRP side has to know. */
import type { IwfName } from '../selection.ts';
import type { ChatMessage } from './message.ts';
import type { Session } from './session.ts';

/** A message that was taken from a CPM user. One of the two is called, once, when it is known what became of it. */
export interface Taken {
  readonly session: Session;
  readonly message: ChatMessage;
  /** It has reached the far end. */
  delivered(): void;
  /** It never will: by `status` of RFC 4975 10 where the user's client wants no notification. */
  failed(status: 403 | 408, why: string): void;
}

export interface Service {
  /** `deferral`: the endpoint that takes sessions for users who are away. */
  readonly name: IwfName | 'deferral';
  /** False while nothing can be sent: new sessions get 503. */
  readonly ready: boolean;
  /** Bytes of one message. */
  readonly maxBytes: number;
  /** Takes a message on its way; its status (RFC 4975 10), 200 where it goes on. */
  take(taken: Taken): number;
  /** What an offer gets that has no stream it takes; absent: 488. */
  readonly noStream?: number;
  /** What a client says became of messages (RFC 5438), as CPIM; absent: nobody wants to know. */
  notified?(session: Session, cpim: Buffer): void;
  close(): Promise<void>;
}
