/** One session of an IWF with a CPM user: a SIP leg, its streams, and the deadline of its silence. */
import { composeCpim } from '../../../cpim/compose.ts';
import { type DeliveryOutcome, deliveryNotification } from '../../../cpim/imdn.ts';
import type { SipRequest } from '../../../sip/index.ts';
import type { LegId } from '../../../sip/port.ts';
import type { Timer, TimerOwner } from '../../../time/clock.ts';
import type { Contact } from './correspondence.ts';
import type { Iwf } from './iwf.ts';
import type { Read } from './message.ts';
import type { Taken } from './service.ts';
import { Stream } from './stream.ts';

export type Ending = 'peer' | 'idle' | 'mediaLost' | 'unacknowledged' | 'refused' | 'shutdown' | 'streamsGone';

export class Session implements TimerOwner {
  readonly leg: LegId;
  readonly contact: Contact;
  readonly contributionId: string;
  /** Identities of the user, as asserted: the first is the one in `contact`. */
  readonly identities: readonly string[];
  /** Where the far end is: a number, a mailbox. */
  readonly address: string;
  /** Undefined where we have invited. */
  readonly invite: SipRequest | undefined;
  readonly startedAt: number;
  /** By their place in the description. */
  readonly streams = new Map<number, Stream>();
  /** Version of our description; one higher with each change (RFC 3264 8). */
  version = 1;
  /** Our last description. */
  described = '';
  #phase: 'inviting' | 'standing' | 'over' = 'inviting';
  #idle: Timer | undefined;
  readonly #iwf: Iwf;

  constructor(
    iwf: Iwf,
    is: {
      readonly leg: LegId;
      readonly contact: Contact;
      readonly contributionId: string;
      readonly identities: readonly string[];
      readonly address: string;
      readonly invite?: SipRequest;
    },
  ) {
    this.#iwf = iwf;
    this.leg = is.leg;
    this.contact = is.contact;
    this.contributionId = is.contributionId;
    this.identities = is.identities;
    this.address = is.address;
    this.invite = is.invite;
    this.startedAt = iwf.clock.now();
    this.stirred();
  }

  get standing(): boolean {
    return this.#phase === 'standing';
  }

  get over(): boolean {
    return this.#phase === 'over';
  }

  confirm(): void {
    if (this.#phase === 'inviting') this.#phase = 'standing';
  }

  /** A stream at this place, or the one that is there. */
  stream(index: number): Stream {
    const known = this.streams.get(index);
    if (known !== undefined) return known;
    const stream: Stream = new Stream({
      door: this.#iwf.door,
      clock: this.#iwf.clock,
      identifiers: this.#iwf.msrpIdentifiers,
      maxBytes: this.#iwf.service.maxBytes,
      reconnectMs: this.#iwf.limits.reconnectMs,
      take: (read) => this.#take(read, stream),
      stirred: () => this.stirred(),
      lost: () => this.#iwf.end(this, 'mediaLost'),
    });
    this.streams.set(index, stream);
    return stream;
  }

  drop(index: number): void {
    this.streams.get(index)?.close();
    this.streams.delete(index);
  }

  /** Something was said: the deadline of silence begins anew. */
  stirred(): void {
    this.#idle?.cancel();
    if (this.#phase !== 'over') this.#idle = this.#iwf.clock.schedule(this.#iwf.limits.idleMs, this, 'idle');
  }

  onTimer(): void {
    this.#iwf.end(this, 'idle');
  }

  close(): void {
    this.#phase = 'over';
    this.#idle?.cancel();
    for (const index of [...this.streams.keys()]) this.drop(index);
  }

  /** Says a text of the far end to the user: 200 once the user's side has it, else why not (RFC 4975 10). */
  async say(text: string): Promise<number> {
    const { tally, service } = this.#iwf;
    const status = await this.#send('text/plain; charset=utf-8', text, this.#stream);
    tally.add(`${service.name}.${status === 200 ? 'said' : 'unsaid'}`);
    return status;
  }

  /** Says a message as it was once written, with its own CPIM head; status as for `say`. */
  async pass(cpim: Buffer): Promise<number> {
    const stream = this.#stream;
    if (stream === undefined || this.#phase === 'over') return 481;
    return (await stream.send('message/cpim', cpim)).status;
  }

  get #stream(): Stream | undefined {
    const streams = [...this.streams.values()];
    return streams.find(({ connected }) => connected) ?? streams[0];
  }

  async #send(contentType: string, text: string, stream: Stream | undefined): Promise<number> {
    if (stream === undefined || this.#phase === 'over') return 481;
    const { user, peer } = this.contact;
    const parts = {
      from: `<${peer}>`,
      to: `<${user}>`,
      dateTime: new Date(this.#iwf.clock.now()).toISOString(),
      messageId: this.#iwf.msrpIdentifiers.token(),
      contentType,
    };
    const { status } = await stream.send('message/cpim', composeCpim(parts, Buffer.from(text)));
    return status;
  }

  #take({ kind, message }: Read, stream: Stream): number {
    const { service, tally } = this.#iwf;
    const { name } = service;
    if (kind !== 'message') {
      tally.add(`${name}.${kind === 'notification' ? 'notificationsLeft' : 'composingLeft'}`);
      if (kind === 'notification' && message.cpim !== undefined) service.notified?.(this, message.cpim);
      return 200;
    }
    let told = false;
    const tell = (outcome: DeliveryOutcome, status: number): void => {
      if (told) return;
      told = true;
      tally.add(`${name}.${outcome}`);
      const wanted = outcome === 'delivered' ? message.wantsDelivery : message.wantsFailure;
      const { peer } = this.contact;
      const details = { recipient: peer, ...(message.dateTime === undefined ? {} : { dateTime: message.dateTime }) };
      if (wanted) void this.#send('message/imdn+xml', deliveryNotification(message.id, outcome, details), stream);
      // RFC 5438 leaves it to the sender to ask; without that, MSRP's own report says it.
      else if (outcome === 'failed') stream.reportFailure(message, status);
    };
    const taken: Taken = {
      session: this,
      message,
      delivered: () => tell('delivered', 200),
      failed: (status, why) => {
        if (!told) this.#iwf.log.warn({ iwf: name, session: this.leg, status, why }, 'a message failed');
        tell('failed', status);
      },
    };
    const status = service.take(taken);
    tally.add(`${name}.${status === 200 ? 'taken' : `refused${status}`}`);
    return status;
  }
}
