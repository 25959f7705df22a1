/** SIP over a byte stream, TCP or TLS (RFC 3261 18.3, RFC 5923). */
import type { Socket } from 'node:net';
import { type Departing, leaveAtEndOfTurn } from '../../host/end-of-turn.ts';
import type { Timer, TimerOwner } from '../../time/clock.ts';
import { StreamFramer } from '../message/frame.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import type { ConnectionTable } from './connection-table.ts';

/** TCP asks a silent peer for a sign of life after this many milliseconds, so that a vanished one is noticed. */
export const KEEP_ALIVE_MS = 60_000;

/** Up to three bytes may be the front half of a keep-alive and are no message that somebody holds back. */
const KEEP_ALIVE_BYTES = 3;

export interface StreamOptions extends ConnectionOptions {
  /** Sees each message before the user does, until it answers true. */
  readonly learn?: (message: Uint8Array, connection: Connection) => boolean;
}

export class StreamConnection extends Connection implements TimerOwner, Departing {
  protected opened: boolean;
  readonly #socket: Socket;
  readonly #framer: StreamFramer;
  #learn: StreamOptions['learn'];
  #held = 0;
  /** True while what is sent waits for the end of the turn. */
  #gathering = false;
  #dialLimit: Timer | undefined;
  #messageLimit: Timer | undefined;
  #lingerLimit: Timer | undefined;

  constructor(table: ConnectionTable, socket: Socket, options: StreamOptions) {
    super(table, options);
    this.#socket = socket;
    this.#framer = new StreamFramer(table.messages);
    this.#learn = options.learn;
    this.opened = options.target === undefined;
    if (!this.opened) this.#awaitOpening(options.transport === 'TLS' ? 'secureConnect' : 'connect');
    socket.on('data', (chunk: Uint8Array) => this.#onData(chunk));
    socket.on('end', () => this.close('closedByPeer', 'the peer closed the connection'));
    socket.on('error', (error) => this.close('closedBroken', error.message));
    socket.on('close', () => this.#onGone());
    table.add(this);
  }

  /** Nothing may leave before the peer's certificate has been checked, hence the cork. */
  #awaitOpening(event: 'connect' | 'secureConnect'): void {
    this.#socket.cork();
    this.#dialLimit = this.table.clock.schedule(this.table.limits.connectMs, this, 'dial');
    this.#socket.once(event, () => {
      this.#dialLimit?.cancel();
      if (!this.open) return;
      this.opened = true;
      this.table.counters.dialled++;
      this.#socket.uncork();
    });
  }

  protected get waitingBytes(): number {
    return this.#socket.writableLength;
  }

  protected write(bytes: Uint8Array, done: ((error?: Error | null) => void) | undefined): void {
    if (!this.#gathering) {
      this.#gathering = true;
      this.#socket.cork();
      leaveAtEndOfTurn(this);
    }
    this.#socket.write(bytes, done);
  }

  /** The messages of a turn, in one write. */
  leave(): void {
    this.#gathering = false;
    this.#socket.uncork();
  }

  protected shut(gently: boolean): void {
    this.#dialLimit?.cancel();
    this.#messageLimit?.cancel();
    if (!gently || !this.opened) {
      this.#socket.destroy();
      return;
    }
    this.#socket.end();
    this.#lingerLimit = this.table.clock.schedule(this.table.limits.lingerMs, this, 'linger');
  }

  onTimer(name: string): void {
    const { connectMs, messageMs } = this.table.limits;
    if (name === 'dial') this.close('closedBroken', `no connection within ${connectMs} ms`);
    else if (name === 'message') this.close('closedUnfinished', `a message took more than ${messageMs} ms`);
    else this.#socket.destroy();
  }

  #onData(chunk: Uint8Array): void {
    if (!this.open) return;
    this.heard();
    const frames = this.#framer.push(chunk);
    for (const frame of frames) {
      if (frame.kind === 'message' && this.#learn?.(frame.bytes, this) === true) this.#learn = undefined;
      if (!this.table.user.receiveFrame(frame, this)) this.close('closedUnreadable', 'the peer sent no SIP messages');
      if (!this.open) return;
    }
    this.#watchUnfinished(frames.length > 0);
  }

  /** A message that is begun has to end in time; `progress` says that it is not the one that was watched before. */
  #watchUnfinished(progress: boolean): void {
    const waiting = this.#framer.pendingBytes;
    this.#hold(waiting);
    if (waiting <= KEEP_ALIVE_BYTES || progress) {
      this.#messageLimit?.cancel();
      this.#messageLimit = undefined;
    }
    if (waiting <= KEEP_ALIVE_BYTES) return;
    const { table } = this;
    if (table.unfinishedBytes > table.limits.unfinishedBytes) {
      this.close('closedUnfinished', `more than ${table.limits.unfinishedBytes} bytes of unfinished messages`);
    } else this.#messageLimit ??= table.clock.schedule(table.limits.messageMs, this, 'message');
  }

  #hold(bytes: number): void {
    this.table.unfinishedBytes += bytes - this.#held;
    this.#held = bytes;
  }

  #onGone(): void {
    this.close('closedByPeer', 'the connection closed');
    this.#lingerLimit?.cancel();
    this.#hold(0);
    this.table.gone(this);
  }
}
