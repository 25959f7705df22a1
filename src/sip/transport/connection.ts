/** What every connection does, whatever carries it: it sends, tells of failures, and once closed finds another way. */
import type { Flow, SendFailure, Target, TransportName } from '../flow.ts';
import type { ConnectionTable } from './connection-table.ts';
import type { CloseCause } from './counters.ts';
import { isResponse, responseTarget } from './way-back.ts';

export interface ConnectionOptions {
  readonly transport: TransportName;
  readonly address: string;
  readonly port: number;
  /** Where it was dialled to; absent for an inbound connection. */
  readonly target?: Target;
}

/** Requests without an answer that are told when the connection breaks. A peer far behind loses the rest to timer F. */
const MAX_UNANSWERED = 1_000;

/** These end gently: what has been sent is delivered first. */
const GENTLE: readonly CloseCause[] = ['closedByPeer', 'closedIdle', 'closedUnreadable', 'closedByUs'];

export abstract class Connection implements Flow {
  readonly transport: TransportName;
  readonly reliable = true;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly table: ConnectionTable;
  /** Milliseconds since the epoch, of the last bytes in either direction. Kept by the table. */
  lastActive = 0;
  /** What the table finds it by. */
  readonly names = new Set<string>();
  /** True for a name that the peer's certificate proves; absent where it gave none. */
  proves: ((name: string) => boolean) | undefined;
  readonly #target: Target | undefined;
  #unanswered: SendFailure[] = [];
  #reason: string | undefined;

  constructor(table: ConnectionTable, options: ConnectionOptions) {
    this.table = table;
    this.transport = options.transport;
    this.remoteAddress = options.address;
    this.remotePort = options.port;
    this.#target = options.target;
  }

  /** Bytes given to it that the peer's side has not taken. */
  protected abstract readonly waitingBytes: number;
  protected abstract write(bytes: Uint8Array, done: ((error?: Error | null) => void) | undefined): void;
  /** Ends the carrier; gently means that what was written is delivered first, within the time to linger. */
  protected abstract shut(gently: boolean): void;

  get open(): boolean {
    return this.#reason === undefined;
  }

  get dialled(): boolean {
    return this.#target !== undefined;
  }

  send(bytes: Uint8Array, failure?: SendFailure): void {
    if (!this.open) {
      this.#sendElsewhere(bytes, failure);
      return;
    }
    if (this.waitingBytes + bytes.length > this.table.limits.sendBufferBytes) {
      this.close('closedSlowReader', `more than ${this.table.limits.sendBufferBytes} bytes wait for the peer`);
      this.#tell(failure);
      return;
    }
    this.table.touch(this);
    this.table.sent(bytes, this);
    if (failure === undefined) this.write(bytes, undefined);
    else this.write(bytes, (error) => this.#onWritten(bytes, failure, error));
  }

  #onWritten(bytes: Uint8Array, failure: SendFailure, error: Error | null | undefined): void {
    if (error !== null && error !== undefined) failure.onTransportError(this.#reason ?? error.message);
    // A peer that goes away without having answered anything since has most likely not handled the request:
    // its idle connection was closed as we wrote. Without this the request would wait for timer B or F.
    else if (this.open && this.#unanswered.length < MAX_UNANSWERED && !isResponse(bytes))
      this.#unanswered.push(failure);
  }

  /** Something came from the peer: it is alive, and so are the requests it has. */
  protected heard(): void {
    if (this.#unanswered.length > 0) this.#unanswered = [];
    this.table.touch(this);
  }

  /**
   * RFC 3261 18.2.2: a response whose connection has closed goes to a new one, to where its Via says. A request
   * goes to a new connection to the same target; a peer that had connected to us can't be dialled for one.
   */
  #sendElsewhere(bytes: Uint8Array, failure: SendFailure | undefined): void {
    const target = isResponse(bytes) ? responseTarget(bytes, this) : this.#target;
    const flow = (target === undefined ? undefined : this.table.connect(target)) ?? this.#successor();
    if (flow === undefined) this.#tell(failure);
    else flow.send(bytes, failure);
  }

  /** The connection that its peer opened anew, known by a name both have claimed. */
  #successor(): Flow | undefined {
    for (const name of this.names) {
      const found = this.table.find(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Later, never within `send`: whoever sends is in the middle of its own change. */
  #tell(failure: SendFailure | undefined): void {
    const reason = this.#reason ?? 'connection closed';
    if (failure !== undefined) queueMicrotask(() => failure.onTransportError(reason));
  }

  /** Ends it, once. `reason` is what the senders of undelivered messages are told. */
  close(cause: CloseCause, reason: string): void {
    if (!this.open) return;
    this.#reason = reason;
    this.table.remove(this);
    this.table.counters[this.opened ? cause : 'dialFailed']++;
    this.shut(GENTLE.includes(cause));
    const unanswered = this.#unanswered;
    this.#unanswered = [];
    if (cause !== 'closedByUs') for (const failure of unanswered) this.#tell(failure);
  }

  /** False while an outbound connection is still being dialled. */
  protected abstract readonly opened: boolean;
}
