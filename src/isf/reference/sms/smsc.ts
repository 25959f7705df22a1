/**
 * The connection to an SMSC (SMPP 3.4): one transceiver bind, kept alive, opened again after a pause where it is lost.
 * What is to be sent waits in order while the SMSC is away, each for as long as its sender has patience.
 */
import smpp, { type Fields, type Pdu, type Session as SmppSession } from 'smpp';
import type { Clock, Timer, TimerOwner } from '../../../time/clock.ts';
import type { ReferenceLog, Tally } from '../log.ts';

export interface SmscOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly systemId: string;
  readonly password: string;
  readonly systemType: string;
  /** submit_sm without an answer at a time. */
  readonly window: number;
  /** Messages that wait for their turn. */
  readonly queue: number;
  /** ms between enquire_links. */
  readonly enquireMs: number;
  /** ms the SMSC has for an answer, and to be connected to. */
  readonly responseMs: number;
  /** ms a message may wait to be sent. */
  readonly patienceMs: number;
  /** Pauses before the next attempt to connect, ms: the first, and the longest. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  readonly clock: Clock;
  readonly log: ReferenceLog;
  readonly tally: Tally;
  /** A deliver_sm, and the command_status it is answered with. */
  readonly deliver: (pdu: Pdu) => Promise<number>;
}

/** SMPP 3.4 5.1.3 */
export const ESME = {
  ROK: 0x00,
  RINVCMDID: 0x03,
  RMSGQFUL: 0x14,
  RTHROTTLED: 0x58,
  RX_T_APPN: 0x64,
  RX_P_APPN: 0x65,
} as const;

export type Submitted =
  | { readonly accepted: true; readonly messageId: string }
  /** `late`: time ran out, which says nothing of the message itself. */
  | { readonly accepted: false; readonly late: boolean; readonly why: string };

const THROTTLE_MS = 1000;
/** deliver_sm that have no answer yet; the SMSC is asked to wait beyond. */
const DELIVERING = 100;
const VERSION = 0x34;

export class Smsc implements TimerOwner {
  readonly #options: SmscOptions;
  #session: SmppSession | undefined;
  #bound = false;
  #closed = false;
  #pauseMs: number;
  /** One for each thing that is waited for, by name. */
  readonly #timers = new Map<string, Timer>();
  readonly #queue: Submission[] = [];
  readonly #sent = new Set<Submission>();
  #throttled = false;
  #delivering = 0;
  #idle: (() => void) | undefined;

  constructor(options: SmscOptions) {
    this.#options = options;
    this.#pauseMs = options.firstPauseMs;
  }

  get bound(): boolean {
    return this.#bound;
  }

  /** Messages of which it is not known yet what becomes of them. */
  get waiting(): number {
    return this.#queue.length + this.#sent.size;
  }

  /** True where so many more may wait. */
  hasRoom(count: number): boolean {
    return this.#queue.length + count <= this.#options.queue;
  }

  /** Connects; from now on it is seen to that it stays so. */
  open(): void {
    if (this.#closed) return;
    const { host, port, tls, responseMs } = this.#options;
    const session = smpp.connect({ host, port, tls });
    this.#session = session;
    this.#await('bind', responseMs);
    session.on(tls ? 'secureConnect' : 'connect', () => this.#bind(session));
    // `close` follows.
    session.on('error', (error: Error) => {
      this.#options.log.warn({ error: error.message }, 'SMSC connection');
      session.destroy();
    });
    session.on('close', () => this.#onClosed(session));
    session.on('pdu', (pdu: Pdu) => this.#onPdu(session, pdu));
  }

  #bind(session: SmppSession): void {
    const { systemId, password, systemType } = this.#options;
    const fields = { system_id: systemId, password, system_type: systemType, interface_version: VERSION };
    session.bind_transceiver(fields, ({ command_status: status }) => {
      if (status !== ESME.ROK) {
        this.#options.log.error({ status }, 'SMSC refuses the bind');
        session.destroy();
        return;
      }
      this.#timers.get('bind')?.cancel();
      this.#bound = true;
      this.#pauseMs = this.#options.firstPauseMs;
      this.#options.tally.add('sms.binds');
      this.#options.log.info({ host: this.#options.host, port: this.#options.port }, 'SMSC bound');
      this.#await('enquire', this.#options.enquireMs);
      this.#pump();
    });
  }

  #onClosed(session: SmppSession): void {
    if (session !== this.#session) return;
    this.#session = undefined;
    for (const name of ['bind', 'enquire', 'enquireOver']) this.#timers.get(name)?.cancel();
    if (this.#bound) this.#options.tally.add('sms.bindsLost');
    this.#bound = false;
    // Whether the SMSC has them, nobody knows; sent again they might arrive twice, and cost twice.
    for (const submission of [...this.#sent])
      this.#settle(submission, lost('the connection was lost before the answer'));
    if (this.#closed) return;
    this.#options.log.warn({ pauseMs: this.#pauseMs, waiting: this.#queue.length }, 'SMSC not connected');
    this.#await('reconnect', this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.#options.longestPauseMs);
  }

  #await(name: string, ms: number): void {
    this.#timers.get(name)?.cancel();
    this.#timers.set(name, this.#options.clock.schedule(ms, this, name));
  }

  onTimer(name: string): void {
    if (name === 'reconnect') this.open();
    else if (name === 'unthrottle') {
      this.#throttled = false;
      this.#pump();
    } else if (name === 'enquire') this.#enquire();
    else this.#session?.destroy();
  }

  #enquire(): void {
    const { responseMs, enquireMs } = this.#options;
    this.#await('enquireOver', responseMs);
    this.#session?.enquire_link({}, () => {
      this.#timers.get('enquireOver')?.cancel();
      if (this.#bound) this.#await('enquire', enquireMs);
    });
  }

  // --- toward the SMSC -----------------------------------------------------------------------------------------

  submit(fields: Fields): Promise<Submitted> {
    return new Promise((resolve) => {
      if (this.#closed || !this.hasRoom(1)) return resolve(lost('too many messages wait'));
      const submission: Submission = new Submission(fields, resolve, () =>
        this.#settle(submission, lost('no answer of the SMSC in time')),
      );
      submission.timer = this.#options.clock.schedule(this.#options.patienceMs, submission, 'patience');
      this.#queue.push(submission);
      this.#pump();
    });
  }

  #pump(): void {
    const { window, clock, responseMs } = this.#options;
    while (this.#bound && !this.#throttled && this.#sent.size < window) {
      const submission = this.#queue.shift();
      if (submission === undefined) break;
      submission.timer?.cancel();
      submission.timer = clock.schedule(responseMs, submission, 'response');
      this.#sent.add(submission);
      this.#session?.submit_sm(submission.fields, (pdu) => this.#onAnswer(submission, pdu));
    }
    if (this.waiting === 0) this.#idle?.();
  }

  #onAnswer(submission: Submission, pdu: Pdu): void {
    const { command_status: status } = pdu;
    if (!this.#sent.has(submission)) return;
    if (status === ESME.RTHROTTLED || status === ESME.RMSGQFUL) return this.#throttle(submission);
    if (status === ESME.ROK)
      return this.#settle(submission, { accepted: true, messageId: String(pdu.message_id ?? '') });
    const code = `0x${status.toString(16).padStart(8, '0')}`;
    this.#settle(submission, { accepted: false, late: false, why: `SMSC refused it with ${code}` });
  }

  /** It is said again after a pause, before all others, while its sender has patience. */
  #throttle(submission: Submission): void {
    const { clock, tally } = this.#options;
    tally.add('sms.throttled');
    this.#sent.delete(submission);
    submission.timer?.cancel();
    const left = submission.giveUpAt(clock.now(), this.#options.patienceMs) - clock.now();
    if (left <= THROTTLE_MS) return this.#settle(submission, lost('the SMSC has no room'));
    submission.timer = clock.schedule(left, submission, 'patience');
    this.#queue.unshift(submission);
    this.#throttled = true;
    this.#await('unthrottle', THROTTLE_MS);
  }

  #settle(submission: Submission, outcome: Submitted): void {
    submission.timer?.cancel();
    this.#sent.delete(submission);
    const at = this.#queue.indexOf(submission);
    if (at >= 0) this.#queue.splice(at, 1);
    submission.settle(outcome);
    this.#pump();
  }

  // --- from the SMSC -------------------------------------------------------------------------------------------

  #onPdu(session: SmppSession, pdu: Pdu): void {
    if (pdu.isResponse()) return;
    const answer = (status: number): void => void session.send(pdu.response({ command_status: status }));
    if (pdu.command === 'enquire_link') return answer(ESME.ROK);
    if (pdu.command === 'unbind') {
      answer(ESME.ROK);
      return session.close();
    }
    if (pdu.command !== 'deliver_sm') return answer(ESME.RINVCMDID);
    if (this.#delivering >= DELIVERING) return answer(ESME.RTHROTTLED);
    this.#delivering++;
    void this.#options
      .deliver(pdu)
      .catch((error: Error) => {
        this.#options.log.error({ error: error.message }, 'a deliver_sm could not be handled');
        return ESME.RX_T_APPN;
      })
      .then((status) => {
        this.#delivering--;
        answer(status);
      });
  }

  /** Sends what waits while time is left, unbinds and closes. */
  async close(graceMs: number): Promise<void> {
    if (this.#bound && this.waiting > 0) await this.#within(graceMs, (done) => (this.#idle = done));
    this.#closed = true;
    for (const submission of [...this.#queue, ...this.#sent]) this.#settle(submission, lost('stopping'));
    const session = this.#session;
    if (session !== undefined) {
      const gone = this.#within(Math.min(graceMs, 1000), (done) => session.once('close', done));
      if (this.#bound) session.unbind({}, () => session.close());
      else session.destroy();
      await gone;
      session.destroy();
    }
    for (const timer of this.#timers.values()) timer.cancel();
  }

  #within(ms: number, begin: (done: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const limit = this.#options.clock.schedule(ms, { onTimer: () => resolve() }, 'grace');
      begin(() => {
        limit.cancel();
        resolve();
      });
    });
  }
}

class Submission implements TimerOwner {
  readonly fields: Fields;
  readonly settle: (outcome: Submitted) => void;
  timer: Timer | undefined;
  readonly #over: () => void;
  #giveUpAt: number | undefined;

  constructor(fields: Fields, settle: (outcome: Submitted) => void, over: () => void) {
    this.fields = fields;
    this.settle = settle;
    this.#over = over;
  }

  /** Fixed when it is first asked for. */
  giveUpAt(now: number, patienceMs: number): number {
    this.#giveUpAt ??= now + patienceMs;
    return this.#giveUpAt;
  }

  onTimer(): void {
    this.#over();
  }
}

function lost(why: string): Submitted {
  return { accepted: false, late: true, why };
}
