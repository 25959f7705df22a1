/** Mails on their way to the next mail server: at once, or again after a pause where it says "later" (RFC 5321 4.5.4.1). */
import { createTransport, type SendMailOptions } from 'nodemailer';
import type { Clock, Timer, TimerOwner } from '../../../time/clock.ts';
import type { Tally } from '../log.ts';

export interface SenderOptions {
  readonly host: string;
  readonly port: number;
  /** `implicit`: from the first byte; `required`, `opportunistic`: STARTTLS; `off`. */
  readonly tls: 'implicit' | 'required' | 'opportunistic' | 'off';
  readonly auth: { readonly user: string; readonly pass: string } | undefined;
  /** Name in EHLO. */
  readonly name: string;
  readonly connections: number;
  /** Mails on their way at a time, those that wait for another attempt included. */
  readonly queue: number;
  /** ms for a connection, and for an answer. */
  readonly timeoutMs: number;
  /** ms a mail may wait for a server that says "later". */
  readonly patienceMs: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  readonly clock: Clock;
  readonly tally: Tally;
}

export type Sent =
  | { readonly accepted: true }
  /** `late`: time ran out, which says nothing of the mail itself. */
  | { readonly accepted: false; readonly late: boolean; readonly why: string };

interface Failure extends Error {
  readonly responseCode?: number;
  readonly response?: string;
}

export class Sender {
  readonly #options: SenderOptions;
  readonly #transport;
  readonly #pauses = new Set<Pause>();
  #under = 0;
  #closed = false;
  #drained: (() => void) | undefined;

  constructor(options: SenderOptions) {
    const { host, port, tls, auth, name, connections, timeoutMs } = options;
    this.#options = options;
    this.#transport = createTransport({
      pool: true,
      host,
      port,
      name,
      secure: tls === 'implicit',
      requireTLS: tls === 'required',
      ignoreTLS: tls === 'off',
      maxConnections: connections,
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      ...(auth === undefined ? {} : { auth }),
    });
  }

  get waiting(): number {
    return this.#under;
  }

  get hasRoom(): boolean {
    return !this.#closed && this.#under < this.#options.queue;
  }

  async send(mail: SendMailOptions): Promise<Sent> {
    const { clock, patienceMs, firstPauseMs, longestPauseMs, tally } = this.#options;
    const giveUpAt = clock.now() + patienceMs;
    this.#under++;
    try {
      for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
        const sent = await this.#attempt(mail);
        if (sent.accepted || !sent.late) return sent;
        tally.add('email.attemptsFailed');
        if (this.#closed || clock.now() + pauseMs > giveUpAt) return sent;
        await this.#pause(pauseMs);
      }
    } finally {
      if (--this.#under === 0) this.#drained?.();
    }
  }

  async #attempt(mail: SendMailOptions): Promise<Sent> {
    try {
      await this.#transport.sendMail(mail);
      return { accepted: true };
    } catch (error) {
      const { responseCode, response, message } = error as Failure;
      // 4.2.1: 5yz shall not be tried again; all else, an unreachable server too, may be.
      return { accepted: false, late: (responseCode ?? 0) < 500, why: response ?? message };
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const pause = new Pause(() => {
        this.#pauses.delete(pause);
        resolve();
      });
      pause.timer = this.#options.clock.schedule(ms, pause, 'again');
      this.#pauses.add(pause);
    });
  }

  /** Gives what is on its way a last attempt within the time. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    for (const pause of [...this.#pauses]) pause.end();
    if (this.#under > 0) {
      await new Promise<void>((resolve) => {
        const limit = this.#options.clock.schedule(graceMs, { onTimer: () => resolve() }, 'grace');
        this.#drained = () => {
          limit.cancel();
          resolve();
        };
      });
    }
    this.#transport.close();
  }
}

class Pause implements TimerOwner {
  timer: Timer | undefined;
  readonly #over: () => void;

  constructor(over: () => void) {
    this.#over = over;
  }

  end(): void {
    this.timer?.cancel();
    this.#over();
  }

  onTimer(): void {
    this.#over();
  }
}
