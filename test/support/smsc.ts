/** An SMSC for tests, on the server side of the package smpp: takes short messages, sends receipts and answers. */
import type { AddressInfo, Server } from 'node:net';
import smpp, { type Pdu, type Session } from 'smpp';

/** A short message as it was submitted. */
export interface Submit {
  readonly messageId: string;
  readonly from: string;
  readonly to: string;
  /** Of this part. */
  readonly text: string;
  /** Elements of the header; none where it stands alone. */
  readonly header: readonly Buffer[];
  readonly dataCoding: number;
  readonly wantsReceipt: boolean;
}

export interface Delivery {
  readonly from: string;
  readonly to: string;
  /** A text, or octets with a header of its own. */
  readonly text: string | Buffer;
  readonly fields?: Readonly<Record<string, unknown>>;
}

export class SimulatedSmsc {
  readonly submits: Submit[] = [];
  /** Sessions that are bound now; the last is asked first. */
  readonly bound: Session[] = [];
  binds = 0;
  /** command_status of the next submit_sm_resp, in order; 0 once there is none left. */
  readonly refusals: number[] = [];
  /** False leaves submit_sm and enquire_link without an answer. */
  answers = true;
  password = '';
  /** Sends receipts of what it takes by itself: `DELIVRD`, `UNDELIV` …; undefined: none. */
  receipts: string | undefined;
  readonly #server: Server;
  readonly #sessions = new Set<Session>();
  #port: number;
  #messages = 0;

  private constructor(port: number) {
    this.#port = port;
    this.#server = smpp.createServer({}, (session) => this.#onSession(session));
  }

  static async start(port = 0): Promise<SimulatedSmsc> {
    const smsc = new SimulatedSmsc(port);
    await smsc.#listen();
    return smsc;
  }

  get port(): number {
    return this.#port;
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  #onSession(session: Session): void {
    this.#sessions.add(session);
    session.on('error', () => {});
    session.on('close', () => {
      this.#sessions.delete(session);
      if (this.bound.includes(session)) this.bound.splice(this.bound.indexOf(session), 1);
    });
    session.on('pdu', (pdu: Pdu) => this.#onPdu(session, pdu));
  }

  #onPdu(session: Session, pdu: Pdu): void {
    if (pdu.isResponse()) return;
    if (pdu.command === 'bind_transceiver') {
      const status = pdu.password === this.password ? 0 : 0x0e;
      session.send(pdu.response({ command_status: status, system_id: 'simulated' }));
      if (status !== 0) return;
      this.binds++;
      this.bound.unshift(session);
    } else if (pdu.command === 'unbind') {
      session.send(pdu.response());
      session.close();
    } else if (!this.answers) return;
    else if (pdu.command === 'submit_sm') this.#onSubmit(session, pdu);
    else session.send(pdu.response());
  }

  #onSubmit(session: Session, pdu: Pdu): void {
    const status = this.refusals.shift() ?? 0;
    if (status !== 0) {
      session.send(pdu.response({ command_status: status }));
      return;
    }
    const { message, udh } = pdu.short_message as { message: string; udh?: readonly Buffer[] };
    const messageId = `A${String(++this.#messages).padStart(7, '0')}`;
    const submit = {
      messageId,
      from: String(pdu.source_addr),
      to: String(pdu.destination_addr),
      text: message,
      header: udh ?? [],
      dataCoding: Number(pdu.data_coding),
      wantsReceipt: (Number(pdu.registered_delivery) & 1) === 1,
    };
    this.submits.push(submit);
    session.send(pdu.response({ message_id: messageId }));
    if (this.receipts !== undefined && submit.wantsReceipt) void this.receipt(submit, this.receipts);
  }

  /** Tells what became of a message; command_status of the answer. */
  receipt({ from, to, messageId }: Submit, state: string): Promise<number> {
    const text = `id:${messageId} sub:001 dlvrd:001 submit date:2601021504 done date:2601021504 stat:${state} err:000 text:`;
    return this.deliver({ from: to, to: from, text, fields: { esm_class: 0x04 } });
  }

  /** Delivers to the client that is bound; command_status of its answer. */
  deliver({ from, to, text, fields = {} }: Delivery): Promise<number> {
    const [session] = this.bound;
    if (session === undefined) throw new Error('nobody is bound to the SMSC');
    return new Promise((resolve) => {
      const addresses = { source_addr: from, source_addr_ton: 1, destination_addr: to, dest_addr_ton: 1 };
      session.deliver_sm({ ...addresses, short_message: text, ...fields }, (pdu) => resolve(pdu.command_status));
    });
  }

  /** Cuts every connection; it listens on. */
  cut(): void {
    for (const session of [...this.#sessions]) session.destroy();
  }

  /** Is away: connections are cut and refused until `back`. */
  async away(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }

  back(): Promise<void> {
    return this.#listen();
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.away();
  }
}
