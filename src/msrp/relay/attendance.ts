/**
 * Seeing to it that a binding has its connection: dialling where we are the active side, dialling again, and waiting for
 * a peer that connects itself or that has to come back. Whoever is not there in time has failed.
 */
import type { Clock, Timer, TimerOwner } from '../../time/clock.ts';
import type { MsrpLimits } from '../limits.ts';
import type { Binding } from './binding.ts';

export interface AttendanceHost {
  readonly clock: Clock;
  readonly limits: MsrpLimits;
  /** Opens a connection to the binding's peer. */
  dial(binding: Binding): void;
  /** The peer was not there in time. */
  failed(binding: Binding): void;
}

/** Before a second attempt to connect, ms; each further one waits twice as long. */
const FIRST_RETRY_MS = 250;

export class Attendance implements TimerOwner {
  readonly #host: AttendanceHost;
  readonly #binding: Binding;
  #deadline: Timer | undefined;
  #retry: Timer | undefined;
  #retryMs = FIRST_RETRY_MS;

  constructor(host: AttendanceHost, binding: Binding) {
    this.#host = host;
    this.#binding = binding;
  }

  /** The peer is to be there within this time. Does nothing where it is, or is expected already. */
  expect(withinMs: number): void {
    const { channel, dialling, active, peer } = this.#binding;
    if (channel?.open === true) return;
    this.#deadline ??= this.#host.clock.schedule(withinMs, this, 'absent');
    if (active && peer !== undefined && dialling === undefined && this.#retry === undefined) {
      this.#host.dial(this.#binding);
    }
  }

  /** The peer is there. */
  met(): void {
    this.stop();
    this.#retryMs = FIRST_RETRY_MS;
  }

  /** A connection of ours did not open. */
  refused(): void {
    if (this.#deadline === undefined) return;
    this.#retry = this.#host.clock.schedule(this.#retryMs, this, 'dial');
    this.#retryMs *= 2;
  }

  stop(): void {
    this.#deadline?.cancel();
    this.#deadline = undefined;
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  onTimer(name: string): void {
    if (name === 'dial') {
      this.#retry = undefined;
      this.#host.dial(this.#binding);
      return;
    }
    this.stop();
    this.#host.failed(this.#binding);
  }
}
