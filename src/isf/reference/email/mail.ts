/** Chat as mail: what a CPM user writes goes to a mail server, what is answered goes to the user. */
import { randomBytes, randomUUID } from 'node:crypto';
import { isSipUri, parseUri } from '../../../sip/message/uri.ts';
import type { Clock } from '../../../time/clock.ts';
import { isNumber } from '../destination.ts';
import type { Contact } from '../iwf/correspondence.ts';
import type { Iwf } from '../iwf/iwf.ts';
import type { Service, Taken } from '../iwf/service.ts';
import type { Session } from '../iwf/session.ts';
import type { ReferenceLog, Tally } from '../log.ts';
import { Inbox, type InboxOptions, type SmtpAnswer } from './inbox.ts';
import { type Incoming, readMail } from './incoming.ts';
import { mailOf, tokenIn } from './outgoing.ts';
import { Sender, type SenderOptions } from './sender.ts';
import { conversationIn } from './thread.ts';

export interface MailOptions {
  readonly smtp: Omit<SenderOptions, 'clock' | 'tally'>;
  readonly inbox: Omit<InboxOptions, 'tally' | 'take' | 'domain'>;
  /** Domain of the users' mail addresses, which leads to our inbox; lower case. */
  readonly domain: string;
  /** Domain of the users' SIP addresses. */
  readonly homeDomain: string;
  /** Domains whose mail addresses are SIP addresses too. */
  readonly mailDomains: readonly string[];
  readonly subject: string;
  /** Bytes of one message. */
  readonly maxBytes: number;
  /** Delivery status notifications awaited at a time. */
  readonly awaited: number;
  readonly clock: Clock;
  readonly log: ReferenceLog;
  readonly tally: Tally;
}

const TAKEN: SmtpAnswer = { code: 250, text: 'taken' };

export class Mail implements Service {
  readonly name = 'email';
  readonly ready = true;
  readonly maxBytes: number;
  readonly #options: MailOptions;
  readonly #sender: Sender;
  readonly #inbox: Inbox;
  /** Mails of which a status is awaited, by token; the oldest first. */
  readonly #awaited = new Map<string, Taken>();
  /** Message-ID of the last mail of a session, either way. */
  readonly #last = new WeakMap<Session, string>();
  #iwf: Iwf | undefined;

  constructor(options: MailOptions) {
    const { clock, tally, domain } = options;
    this.#options = options;
    this.maxBytes = options.maxBytes;
    this.#sender = new Sender({ ...options.smtp, clock, tally });
    const take = (localPart: string, bytes: Buffer): Promise<SmtpAnswer> => this.#onMail(localPart, bytes);
    this.#inbox = new Inbox({ ...options.inbox, domain, tally, take });
  }

  get held(): Readonly<Record<string, number>> {
    return { mails: this.#sender.waiting, statuses: this.#awaited.size };
  }

  /** Hears on the inbox's address, which it gives back; what comes goes by this IWF. */
  open(iwf: Iwf): Promise<string> {
    this.#iwf = iwf;
    return this.#inbox.open();
  }

  take(taken: Taken): number {
    // RFC 4975 10.5: its sender is to stop sending it; there is no code for "later".
    if (!this.#sender.hasRoom) return 413;
    const { session, message } = taken;
    const { domain, subject, clock } = this.#options;
    const { conversationId, user } = session.contact;
    const local = this.#localOf(user);
    const token = randomBytes(12).toString('hex');
    const from = `${local}@${domain}`;
    const last = this.#last.get(session);
    const to = session.address;
    const mail = mailOf({ message, conversationId, from, to, subject, last, token, domain, now: clock.now() });
    this.#last.set(session, mail.messageId);
    this.#note(session, local, to);
    // Before it leaves: the status may be as fast as the answer to DATA.
    this.#await(token, taken);
    void this.#sender.send(mail).then((sent) => {
      if (sent.accepted) return this.#options.tally.add('email.mails');
      this.#awaited.delete(token);
      taken.failed(sent.late ? 408 : 403, sent.why);
    });
    return 200;
  }

  #note(session: Session, local: string, mail: string): void {
    const { correspondence, clock } = this.#iwf as Iwf;
    correspondence.note(pairKey(local, mail), session, clock.now());
    correspondence.note(threadKey(session.contact.conversationId, mail), session, clock.now());
  }

  #await(token: string, taken: Taken): void {
    const [oldest] = this.#awaited.keys();
    if (oldest !== undefined && this.#awaited.size >= this.#options.awaited) this.#awaited.delete(oldest);
    this.#awaited.set(token, taken);
  }

  // --- what comes in -------------------------------------------------------------------------------------------

  async #onMail(localPart: string, bytes: Buffer): Promise<SmtpAnswer> {
    const mail = await readMail(bytes);
    const token = tokenIn(localPart);
    this.#options.tally.add(`email.${mail.kind}`);
    if (token !== undefined) {
      if (mail.kind === 'status') this.#onStatus(token, mail.status);
      return TAKEN;
    }
    return mail.kind === 'message' ? this.#onMessage(localPart, mail) : TAKEN;
  }

  #onStatus(token: string, { outcome, status }: Extract<Incoming, { kind: 'status' }>['status']): void {
    const taken = this.#awaited.get(token);
    if (taken === undefined) return this.#options.tally.add('email.statusUnknown');
    if (outcome === 'delayed') return;
    this.#awaited.delete(token);
    if (outcome === 'delivered') taken.delivered();
    else if (outcome === 'failed') taken.failed(403, `a mail server reports ${status}`);
  }

  async #onMessage(localPart: string, mail: Extract<Incoming, { kind: 'message' }>): Promise<SmtpAnswer> {
    const iwf = this.#iwf;
    const user = this.#userOf(localPart);
    if (iwf === undefined || user === undefined) return { code: 550, text: 'no such user' };
    if (mail.text === '') return TAKEN;
    const { correspondence, clock } = iwf;
    const now = clock.now();
    const local = localPart.toLowerCase();
    const conversationId = conversationIn(mail.refersTo, this.#options.domain);
    const byThread = conversationId === undefined ? undefined : threadKey(conversationId, mail.from);
    const known = byThread === undefined ? undefined : correspondence.find(byThread, now);
    const isTheirs = known !== undefined && this.#localOf(known.contact.user) === local;
    const key = isTheirs && byThread !== undefined ? byThread : pairKey(local, mail.from);
    const contact: Contact = { user, peer: this.#uriOf(mail.from), conversationId: conversationId ?? randomUUID() };
    const outcome = await iwf.invitations.reach(key, mail.from, contact, mail.text);
    const session = correspondence.find(key, now)?.session;
    if (session !== undefined && mail.messageId !== undefined) this.#last.set(session, mail.messageId);
    if (outcome === 'said') return TAKEN;
    this.#options.tally.add(`email.undelivered.${outcome}`);
    this.#options.log.warn({ from: mail.from, to: user, outcome }, 'a mail reaches no user');
    if (outcome === 'later') return { code: 450, text: 'the user is not there now' };
    return { code: 550, text: 'the user takes no messages' };
  }

  // --- addresses -----------------------------------------------------------------------------------------------

  /** Local part of a user's mail address; a letter that may not stand in one is given by its number. */
  #localOf(user: string): string {
    const uri = parseUri(user);
    const name =
      uri === undefined ? user : isSipUri(uri) ? (uri.user ?? 'user') : uri.text.slice(uri.scheme.length + 1);
    return name
      .toLowerCase()
      .replace(/;.*$/, '')
      .replace(/[^a-z0-9+_.-]/g, (letter) => `=${letter.charCodeAt(0).toString(16).padStart(2, '0')}`)
      .slice(0, 64);
  }

  #userOf(localPart: string): string | undefined {
    const name = localPart
      .toLowerCase()
      .replace(/=([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
    if (name.startsWith('+') && isNumber(name)) return `tel:${name}`;
    const uri = `sip:${encodeURIComponent(name).replace(/%2B/g, '+')}@${this.#options.homeDomain}`;
    return name === '' || parseUri(uri) === undefined ? undefined : uri;
  }

  #uriOf(mail: string): string {
    const host = mail.slice(mail.lastIndexOf('@') + 1);
    const local = encodeURIComponent(mail.slice(0, mail.lastIndexOf('@')));
    return this.#options.mailDomains.includes(host) ? `sip:${local}@${host}` : `mailto:${local}@${host}`;
  }

  async close(graceMs = 1000): Promise<void> {
    await this.#inbox.close();
    await this.#sender.close(graceMs);
  }
}

function pairKey(local: string, mail: string): string {
  return `mail ${local} ${mail.toLowerCase()}`;
}

function threadKey(conversationId: string, mail: string): string {
  return `thread ${conversationId} ${mail.toLowerCase()}`;
}
