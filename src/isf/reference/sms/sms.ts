/** Chat as short messages: what a CPM user writes goes to the SMSC, what the SMSC delivers goes to the user. */
import { randomUUID } from 'node:crypto';
import type { Pdu } from 'smpp';
import type { Clock } from '../../../time/clock.ts';
import { destinationOf } from '../destination.ts';
import type { Contact } from '../iwf/correspondence.ts';
import type { Iwf } from '../iwf/iwf.ts';
import type { Service, Taken } from '../iwf/service.ts';
import type { ReferenceLog, Tally } from '../log.ts';
import { Concatenation, partOf } from './concatenation.ts';
import { isReceipt, readReceipt } from './receipt.ts';
import { Receipts } from './receipts.ts';
import { shortMessageOf } from './segments.ts';
import { ESME, Smsc, type SmscOptions, type Submitted } from './smsc.ts';

export interface SmsOptions {
  readonly smsc: Omit<SmscOptions, 'clock' | 'log' | 'tally' | 'deliver'>;
  /** Number short messages come from whose writer has none. */
  readonly number: string;
  /** Parts one message may take. */
  readonly segments: number;
  /** Whether delivery receipts are asked for. */
  readonly receipts: boolean;
  /** Receipts awaited at a time. */
  readonly awaited: number;
  /** Long messages of which parts are missing, at a time, and for how long, ms. */
  readonly incomplete: number;
  readonly incompleteMs: number;
  readonly clock: Clock;
  readonly log: ReferenceLog;
  readonly tally: Tally;
}

/** UTF-8 octets of a character, at the most, and the head of the CPIM message around it. */
const OCTETS = 4;
const CPIM_HEAD = 16_384;
const SEPTETS = 153;
/** SMPP 3.4 5.2.5, 5.2.6 */
const INTERNATIONAL = 1;
const UNKNOWN = 0;
const ISDN = 1;
/** 5.2.12, 5.2.17 */
const HAS_HEADER = 0x40;
const FINAL_RECEIPT = 1;

export class Sms implements Service {
  readonly name = 'sms';
  readonly maxBytes: number;
  readonly #options: SmsOptions;
  readonly #smsc: Smsc;
  readonly #receipts: Receipts;
  readonly #concatenation: Concatenation;
  #iwf: Iwf | undefined;
  #reference = Math.floor(Math.random() * 256);

  constructor(options: SmsOptions) {
    const { clock, log, tally } = options;
    this.#options = options;
    this.maxBytes = CPIM_HEAD + options.segments * SEPTETS * OCTETS;
    this.#receipts = new Receipts(options.awaited);
    this.#smsc = new Smsc({ ...options.smsc, clock, log, tally, deliver: (pdu) => this.#deliver(pdu) });
    this.#concatenation = new Concatenation({
      clock,
      maxMessages: options.incomplete,
      waitMs: options.incompleteMs,
      incomplete: (key, text) => {
        tally.add('sms.incomplete');
        const [own = '', peer = ''] = key.split('|');
        void this.#reach(own, peer, text);
      },
    });
  }

  get ready(): boolean {
    return this.#smsc.bound;
  }

  /** What waits: messages for the SMSC, receipts, and parts of long messages. */
  get held(): Readonly<Record<string, number>> {
    return {
      submits: this.#smsc.waiting,
      receipts: this.#receipts.waiting,
      parts: this.#concatenation.waiting,
    };
  }

  /** Connects to the SMSC; what comes from there goes by this IWF. */
  open(iwf: Iwf): void {
    this.#iwf = iwf;
    this.#smsc.open();
  }

  take(taken: Taken): number {
    const { text } = taken.message;
    if (text === undefined) return 415;
    const reference = (this.#reference + 1) & 0xff;
    const { dataCoding, parts } = shortMessageOf(text, reference);
    const { segments, number, clock, tally } = this.#options;
    if (parts.length > segments) return 413;
    // RFC 4975 10.5: its sender is to stop sending it; there is no code for "later".
    if (!this.#smsc.hasRoom(parts.length)) return 413;
    this.#reference = reference;
    tally.add('sms.segments', parts.length);
    const { session } = taken;
    const own = numberOf(session.identities) ?? number;
    this.#iwf?.correspondence.note(keyOf(own, session.address), session, clock.now());
    void this.#submit(own, session.address, dataCoding, parts).then((outcomes) => this.#submitted(taken, outcomes));
    return 200;
  }

  #submit(own: string, peer: string, dataCoding: number, parts: readonly Buffer[]): Promise<Submitted[]> {
    const source = addressOf(own);
    const destination = addressOf(peer);
    return Promise.all(
      parts.map((part) =>
        this.#smsc.submit({
          source_addr_ton: source.ton,
          source_addr_npi: ISDN,
          source_addr: source.digits,
          dest_addr_ton: destination.ton,
          dest_addr_npi: ISDN,
          destination_addr: destination.digits,
          esm_class: parts.length > 1 ? HAS_HEADER : 0,
          registered_delivery: this.#options.receipts ? FINAL_RECEIPT : 0,
          data_coding: dataCoding,
          short_message: part,
        }),
      ),
    );
  }

  #submitted(taken: Taken, outcomes: readonly Submitted[]): void {
    const ids: string[] = [];
    for (const outcome of outcomes) {
      if (!outcome.accepted) return taken.failed(outcome.late ? 408 : 403, outcome.why);
      ids.push(outcome.messageId);
    }
    // Without receipts nobody knows more than that the SMSC has it, and nothing is told.
    if (this.#options.receipts) {
      this.#receipts.expect(ids, { delivered: () => taken.delivered(), failed: (why) => taken.failed(403, why) });
    }
  }

  // --- from the SMSC -------------------------------------------------------------------------------------------

  async #deliver(pdu: Pdu): Promise<number> {
    const { text, header } = contentOf(pdu);
    if (isReceipt(Number(pdu.esm_class ?? 0))) {
      this.#onReceipt(pdu, text);
      return ESME.ROK;
    }
    const own = numberIn(pdu.destination_addr, pdu.dest_addr_ton);
    const peer = numberIn(pdu.source_addr, pdu.source_addr_ton);
    this.#options.tally.add('sms.received');
    const part = partOf(header);
    const whole = part === undefined ? text : this.#concatenation.take(`${own}|${peer}`, part, text);
    return whole === undefined ? ESME.ROK : this.#reach(own, peer, whole);
  }

  #onReceipt(pdu: Pdu, text: string): void {
    const messageId = pdu.receipted_message_id === undefined ? undefined : String(pdu.receipted_message_id);
    const state = pdu.message_state === undefined ? undefined : Number(pdu.message_state);
    const receipt = readReceipt(text, { messageId: messageId?.replace(/\0+$/, ''), state });
    const known = receipt !== undefined && this.#receipts.take(receipt);
    this.#options.tally.add(known ? 'sms.receipts' : 'sms.receiptsUnknown');
  }

  async #reach(own: string, peer: string, text: string): Promise<number> {
    if (this.#iwf === undefined) return ESME.RX_T_APPN;
    // A number of the provider's own is nobody's: only whoever wrote from it last can be meant.
    const shared = keyOf(own, '') === keyOf(this.#options.number, '');
    const contact: Contact = { user: `tel:${own}`, peer: `tel:${peer}`, conversationId: randomUUID() };
    const outcome = await this.#iwf.invitations.reach(keyOf(own, peer), peer, shared ? undefined : contact, text);
    if (outcome === 'said') return ESME.ROK;
    this.#options.tally.add(`sms.undelivered.${outcome}`);
    this.#options.log.warn({ from: peer, to: own, outcome }, 'a short message reaches no user');
    return outcome === 'later' ? ESME.RX_T_APPN : ESME.RX_P_APPN;
  }

  async close(graceMs = 1000): Promise<void> {
    this.#concatenation.close();
    await this.#smsc.close(graceMs);
  }
}

/** The user's own number, among identities; undefined where the user has none. */
function numberOf(identities: readonly string[]): string | undefined {
  for (const identity of identities) {
    const destination = destinationOf(identity, { mailDomains: [], also: new Map() });
    if (typeof destination !== 'string' && destination.number !== undefined) return destination.number;
  }
  return undefined;
}

function keyOf(own: string, peer: string): string {
  return `sms ${own.replace(/^\+/, '')} ${peer.replace(/^\+/, '')}`;
}

/** 5.2.5: an international number goes without its plus. */
function addressOf(number: string): { readonly ton: number; readonly digits: string } {
  return number.startsWith('+') ? { ton: INTERNATIONAL, digits: number.slice(1) } : { ton: UNKNOWN, digits: number };
}

/** What is no number, such as a company's name, keeps only what a URI may hold (RFC 3966 3). */
function numberIn(address: unknown, ton: unknown): string {
  const text = String(address ?? '').replace(/[^\w+.-]/g, '');
  return ton === INTERNATIONAL && /^\d+$/.test(text) ? `+${text}` : text;
}

/** The text, from wherever the SMSC put it, and the elements of its header. */
function contentOf(pdu: Pdu): { readonly text: string; readonly header: readonly Buffer[] } {
  const short = pdu.short_message as Content | undefined;
  const payload = pdu.message_payload as Content | undefined;
  const content = (short?.message?.length ?? 0) > 0 ? short : (payload ?? short);
  const message = content?.message ?? '';
  const header = content?.udh;
  return {
    // The package leaves what is in a coding it does not know as octets.
    text: typeof message === 'string' ? message : Buffer.from(message).toString('latin1'),
    header: Array.isArray(header) ? header : [],
  };
}

interface Content {
  readonly message?: string | Uint8Array;
  readonly udh?: readonly Buffer[];
}
