/** One TCP connection of a sip.js transport: whole messages in, whole messages out. */
import type { Socket } from 'node:net';
import { TransportError } from 'sip.js/lib/core/index.js';
import { StreamFramer } from '../sip/message/frame.ts';
import { DEFAULT_LIMITS } from '../sip/message/parse.ts';
import { DEFAULT_TRANSPORT_LIMITS } from '../sip/transport/limits.ts';
import { hostPort, type Place } from './way.ts';

const PONG = '\r\n';

export interface ConnectionUser {
  onMessage(bytes: Uint8Array, from: Place): void;
  /** It has closed, once. */
  onClose(connection: TcpConnection, error: Error | undefined): void;
}

export class TcpConnection {
  readonly remote: Place;
  readonly #socket: Socket;
  readonly #framer = new StreamFramer(DEFAULT_LIMITS);
  readonly #user: ConnectionUser;
  #error: Error | undefined;
  #gone = false;

  /** `remote` is where it was dialled to, or where it came from. */
  constructor(socket: Socket, remote: Place, user: ConnectionUser) {
    this.#socket = socket;
    this.remote = remote;
    this.#user = user;
    socket.setNoDelay(true);
    socket.setTimeout(DEFAULT_TRANSPORT_LIMITS.idleMs, () => this.close(new Error('idle for too long')));
    socket.on('data', (bytes) => this.#receive(bytes));
    socket.on('error', (error) => {
      this.#error = error;
    });
    // A peer that has closed its side takes nothing more that matters: the next message needs another connection.
    socket.on('end', () => this.#closed());
    socket.on('close', () => this.#closed());
  }

  #closed(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#user.onClose(this, this.#error);
  }

  #receive(bytes: Uint8Array): void {
    for (const frame of this.#framer.push(bytes)) {
      if (frame.kind === 'message') this.#user.onMessage(frame.bytes, this.remote);
      else if (frame.kind === 'ping') this.#socket.write(PONG);
      else if (frame.kind === 'lost') this.close(new Error(frame.fault.detail));
    }
  }

  /** Resolves once the system has it; rejects with a TransportError where the connection could not be opened or broke. */
  send(bytes: Uint8Array): Promise<void> {
    if (this.#socket.writableLength > DEFAULT_TRANSPORT_LIMITS.sendBufferBytes) {
      this.close(new Error('the peer reads too slowly'));
    }
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(new TransportError(`${hostPort(this.remote)}: ${(this.#error ?? error).message}`));
      });
    });
  }

  close(error?: Error): void {
    this.#error ??= error;
    this.#socket.destroy();
  }
}
