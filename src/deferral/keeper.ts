/**
 * Takes part in sessions in the place of users who are away (docs/messages.md): a service behind the endpoint that IWFs
 * are, whose far end is time. What is said is kept; when the user is there, the user is invited and told.
 */
import { randomUUID, timingSafeEqual } from 'node:crypto';
import type { Iwf } from '../isf/reference/iwf/iwf.ts';
import type { Service, Taken } from '../isf/reference/iwf/service.ts';
import type { Session } from '../isf/reference/iwf/session.ts';
import { type HeaderField, headerField, parseNameAddress, SipRequest } from '../sip/index.ts';
import { addressParam } from '../sip/message/address.ts';
import type { Timer } from '../time/clock.ts';
import { composeForwarded } from './notification.ts';

export interface KeeperHost {
  /** Keeps a message (the INVITE of its session with the message as its body); false where there is no room. */
  keep(id: string, said: SipRequest): boolean;
  /** What became of a message that was to be delivered, as a status of SIP. */
  said(id: string, status: number): void;
  /** Sends a MESSAGE to the core. */
  send(id: string, request: SipRequest): void;
}

/** Silence after which a session is left in which everything has been said, ms: the next message follows at once. */
const LINGER_MS = 2000;
/** Headers of an INVITE that its messages need later. */
const KEPT_HEADERS = [
  'p-asserted-identity',
  'p-asserted-service',
  'privacy',
  'referred-by',
  'subject',
  'conversation-id',
  'contribution-id',
  'inreplyto-contribution-id',
  'p-served-user',
];
/** Those of them that the user's client is to see, beside what every invitation of ours says. */
const SHOWN_HEADERS = ['privacy', 'referred-by', 'subject', 'inreplyto-contribution-id'];

const REACHED = { said: 200, later: 480, never: 403 } as const;

export class Keeper implements Service {
  readonly name = 'deferral';
  readonly ready = true;
  /** As for a user for whom nothing is kept. */
  readonly noStream = 480;
  readonly maxBytes: number;
  readonly #host: KeeperHost;
  /** By this an INVITE is known as ours where it comes back to the function. */
  readonly #mark = randomUUID();
  readonly #leaving = new Map<Session, Timer>();
  #iwf: Iwf | undefined;

  constructor(maxBytes: number, host: KeeperHost) {
    this.maxBytes = maxBytes;
    this.#host = host;
  }

  open(iwf: Iwf): void {
    this.#iwf = iwf;
  }

  isDelivery(request: SipRequest): boolean {
    const served = parseNameAddress(request.header('p-served-user') ?? '');
    const mark = Buffer.from((served && addressParam(served, 'deferral')) ?? '');
    return mark.length === this.#mark.length && timingSafeEqual(mark, Buffer.from(this.#mark));
  }

  // --- what is said to somebody who is away ----------------------------------------------------------------------

  take({ session, message }: Taken): number {
    // What the user answers: its sender is not here, and is to be reached by a session of the user's own.
    if (session.invite === undefined) return 403;
    if (message.cpim === undefined) return 415;
    // RFC 4975 10.5: nothing more of this is to be sent.
    return this.#host.keep(randomUUID(), saidIn(session.invite, message.cpim)) ? 200 : 413;
  }

  // --- saying it ---------------------------------------------------------------------------------------------------

  deliver(id: string, said: SipRequest): void {
    void this.#reached(said).then((status) => this.#host.said(id, status));
  }

  async #reached(said: SipRequest): Promise<number> {
    const iwf = this.#iwf;
    if (iwf === undefined) return 480;
    const value = (name: string): string => said.header(name) ?? '';
    const contributionId = value('contribution-id') || said.callId;
    const conversationId = value('conversation-id') || said.callId;
    const peer = parseNameAddress(said.list('p-asserted-identity')[0] ?? '')?.uri ?? said.from?.uri ?? '';
    const served = parseNameAddress(value('p-served-user'))?.uri ?? said.uri;
    const wanted = {
      key: [served, conversationId, contributionId].join('\n'),
      address: served,
      contact: { user: said.uri, peer, conversationId },
      as: {
        contributionId,
        from: said.fromAddress,
        headers: [
          headerField('P-Served-User', `<${served}>;sescase=term;deferral=${this.#mark}`),
          ...SHOWN_HEADERS.flatMap((name) => said.lines(name)),
        ],
      },
    };
    const reached = await iwf.invitations.bring(wanted, (session) => this.#pass(session, Buffer.from(said.body)));
    return REACHED[reached];
  }

  async #pass(session: Session, cpim: Buffer): Promise<number> {
    this.#leaving.get(session)?.cancel();
    this.#leaving.delete(session);
    const status = await session.pass(cpim);
    const { clock } = this.#iwf as Iwf;
    if (!session.over) this.#leaving.set(session, clock.schedule(LINGER_MS, this.#leaver(session), 'leaving'));
    return status;
  }

  #leaver(session: Session) {
    return {
      onTimer: () => {
        this.#leaving.delete(session);
        this.#iwf?.end(session, 'idle');
      },
    };
  }

  /** What the user's client says of a message goes to its sender; of what the sender says of others nothing is kept. */
  notified(session: Session, cpim: Buffer): void {
    if (session.invite !== undefined) return;
    this.#host.send(randomUUID(), composeForwarded(session, cpim));
  }

  async close(): Promise<void> {
    for (const timer of this.#leaving.values()) timer.cancel();
  }
}

/** As much of the INVITE as its delivery asks for, with the message as its body. */
function saidIn(invite: SipRequest, cpim: Buffer): SipRequest {
  const headers: HeaderField[] = [
    headerField('From', invite.header('from') ?? ''),
    headerField('To', invite.header('to') ?? ''),
    headerField('Call-ID', invite.callId),
    headerField('CSeq', '1 INVITE'),
    ...KEPT_HEADERS.flatMap((name) => invite.lines(name)),
    headerField('Content-Type', 'message/cpim'),
  ];
  return new SipRequest('INVITE', invite.uri, headers, cpim);
}
