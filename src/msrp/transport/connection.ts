/** One TCP or TLS socket as a carrier of MSRP. What is written in one turn leaves in one piece. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Clock, Timer, TimerOwner } from '../../time/clock.ts';
import type { Carrier, CarrierUser } from '../carrier.ts';
import type { MsrpCounters } from '../counters.ts';
import type { MsrpLimits } from '../limits.ts';
import { Packing } from './packing.ts';

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly limits: MsrpLimits;
  readonly counters: () => MsrpCounters;
  /** True for one that we dial: it is not open yet. */
  readonly dialled: boolean;
  readonly gone: (connection: MsrpConnection) => void;
}

export class MsrpConnection implements Carrier, TimerOwner {
  readonly secure: boolean;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  #user: CarrierUser | undefined;
  readonly #packing = new Packing();
  #opened: boolean;
  #paused = false;
  /** Not before it is open: a socket that was paused and goes on earlier reads then, whatever has been said since. */
  #listening = false;
  #ending = false;
  #cause = '';
  #limit: Timer | undefined;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.secure = socket instanceof TLSSocket;
    this.#opened = !options.dialled;
    socket.on('error', (error) => {
      this.#cause ||= error.message;
      if (this.#opened && !this.#ending) options.counters().closedBroken++;
    });
    socket.on('close', () => this.#onGone());
  }

  /** Who is told of what happens; before this nothing is read. */
  use(user: CarrierUser): void {
    this.#user = user;
    const socket = this.#socket;
    if (this.#options.dialled) this.#awaitOpening(user);
    else this.#listen(user);
    socket.on('drain', () => user.onDrain());
    socket.on('end', () => {
      if (this.#opened && !this.#ending) this.#options.counters().closedByPeer++;
      this.#cause ||= 'closed by the peer';
      this.close(true);
    });
  }

  #listen(user: CarrierUser): void {
    this.#listening = true;
    if (this.#paused) this.#socket.pause();
    this.#socket.on('data', (bytes: Buffer) => user.onData(bytes));
  }

  #awaitOpening(user: CarrierUser): void {
    const { clock, limits, counters } = this.#options;
    this.#limit = clock.schedule(limits.connectMs, this, 'connect');
    this.#socket.once(this.secure ? 'secureConnect' : 'connect', () => {
      this.#listen(user);
      if (!this.open) return;
      this.#limit?.cancel();
      this.#opened = true;
      counters().dialled++;
      user.onOpen();
    });
  }

  get open(): boolean {
    return !this.#ending && !this.#socket.destroyed;
  }

  get remote(): string {
    return `${this.#socket.remoteAddress}:${this.#socket.remotePort}`;
  }

  get fingerprint(): string | undefined {
    if (!(this.#socket instanceof TLSSocket)) return undefined;
    return this.#socket.getPeerCertificate()?.fingerprint256;
  }

  get full(): boolean {
    return this.#socket.writableLength + this.#packing.size > this.#options.limits.sendBufferBytes;
  }

  write(text: string): void {
    this.#packing.text(text);
  }

  writeBytes(bytes: Buffer): void {
    this.#packing.bytes(bytes);
  }

  writePart(bytes: Buffer, from: number, to: number): void {
    this.#packing.part(bytes, from, to);
  }

  flush(): void {
    if (this.#packing.size > 0) this.#packing.send(this.#socket);
  }

  pause(): void {
    this.#paused = true;
    if (this.#listening) this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#listening) this.#socket.resume();
  }

  close(gently: boolean): void {
    if (!gently) {
      this.#ending = true;
      this.#socket.destroy();
    } else if (!this.#ending) {
      this.flush();
      this.#ending = true;
      this.#cause ||= 'closed by us';
      this.#socket.end();
      // What still comes is read and dropped, so that the peer's end is seen.
      this.#socket.resume();
      this.#limit?.cancel();
      this.#limit = this.#options.clock.schedule(this.#options.limits.lingerMs, this, 'linger');
      this.#user?.onClosed(this.#cause);
    }
  }

  onTimer(): void {
    this.#cause ||= 'out of time';
    this.#socket.destroy();
  }

  #onGone(): void {
    this.#limit?.cancel();
    this.#ending = true;
    this.#options.gone(this);
    this.#user?.onClosed(this.#cause || 'closed');
  }
}
