/** Inbound sockets that have to get through a TLS or WebSocket handshake before they count as connections. */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../time/clock.ts';
import type { TransportCounters } from './counters.ts';
import type { TransportLimits } from './limits.ts';

interface Guest {
  readonly socket: Socket;
  readonly limit: Timer;
}

export class Handshakes {
  readonly #guests = new Map<string, Guest>();
  readonly #clock: Clock;
  readonly #limits: TransportLimits;
  readonly #counters: TransportCounters;

  constructor(clock: Clock, limits: TransportLimits, counters: TransportCounters) {
    this.#clock = clock;
    this.#limits = limits;
    this.#counters = counters;
  }

  /** A socket has been accepted. It is gone after `connectMs` unless `done` is told of it. */
  begin(socket: Socket): void {
    const key = placeOf(socket);
    if (this.#guests.size >= this.#limits.handshakes || key === undefined) {
      this.#counters.refused++;
      socket.destroy();
      return;
    }
    const limit = this.#clock.schedule(this.#limits.connectMs, { onTimer: () => socket.destroy() }, 'handshake');
    this.#guests.set(key, { socket, limit });
    socket.once('close', () => {
      if (this.#guests.get(key)?.socket !== socket) return;
      this.#counters.refused++;
      limit.cancel();
      this.#guests.delete(key);
    });
  }

  /** The handshake is done. TLS wraps the socket, so it is known again by the peer's address. */
  done(socket: Socket): void {
    const key = placeOf(socket) ?? '';
    this.#guests.get(key)?.limit.cancel();
    this.#guests.delete(key);
  }

  close(): void {
    for (const { socket } of [...this.#guests.values()]) socket.destroy();
  }
}

function placeOf(socket: Socket): string | undefined {
  return socket.remoteAddress === undefined ? undefined : `${socket.remoteAddress} ${socket.remotePort}`;
}
