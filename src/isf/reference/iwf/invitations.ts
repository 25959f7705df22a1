/** Sessions that begin at the far end: a CPM user is invited, and told what came, once there is a way. */
import { randomUUID } from 'node:crypto';
import { nodeIdentifiers } from '../../../host/node-identifiers.ts';
import { isActive } from '../../../msrp/relay/describing.ts';
import { msrpLines } from '../../../sdp/msrp-lines.ts';
import type { HeaderField, SipResponse } from '../../../sip/index.ts';
import { sdpOf } from '../../../sip/message/body.ts';
import { bytesOfWire } from '../../../sip/message/bytes.ts';
import type { TimerOwner } from '../../../time/clock.ts';
import type { Contact } from './correspondence.ts';
import { offerOf } from './describing.ts';
import { invitationHeaders } from './headers.ts';
import type { Iwf } from './iwf.ts';
import { Session } from './session.ts';

/**
 * What became of a text for a user: said; not now, and perhaps later; or never. The far side answers its own sender by
 * it, so nothing is taken that nobody keeps.
 */
export type Reached = 'said' | 'later' | 'never';

/** Texts that wait for one user to answer. */
const WAITING = 32;
/** Refusals that time may heal (RFC 3261 21.4, 21.5); 486 and 600 are a user who is busy. */
const LATER = [408, 480, 486, 487, 491, 600];

/** RFC 4975 10: what says nothing of the message itself. */
const GONE = [408, 481];

interface Opening {
  readonly done: Promise<Session | number>;
  readonly settle: (outcome: Session | number) => void;
  readonly key: string;
  waiting: number;
}

/** Whom to reach, and in whose name. */
export interface Wanted {
  /** Names who writes to whom. */
  readonly key: string;
  /** Where the far end is. */
  readonly address: string;
  /** Needed where nobody under this key was ever reached. */
  readonly contact: Contact | undefined;
  /** What its INVITE says beside; by default it is a session of its own. */
  readonly as?: {
    readonly contributionId: string;
    /** Value of From, without a tag. */
    readonly from: string;
    readonly headers: readonly HeaderField[];
  };
}

type Found = Wanted & { readonly contact: Contact };

export class Invitations implements TimerOwner {
  readonly #iwf: Iwf;
  readonly #core: string | undefined;
  readonly #tokens = nodeIdentifiers();
  /** By the key of who writes to whom: one INVITE, however many texts wait for it. */
  readonly #byKey = new Map<string, Opening>();
  readonly #byLeg = new Map<string, Opening>();
  /** Contribution-IDs of the sessions that began here. */
  readonly #begun = new Set<string>();

  constructor(iwf: Iwf, core: string | undefined) {
    this.#iwf = iwf;
    this.#core = core;
  }

  /** Says a text of the far end, in the session that is there or in one that begins now. */
  reach(key: string, address: string, contact: Contact | undefined, text: string): Promise<Reached> {
    return this.bring({ key, address, contact }, (session) => session.say(text));
  }

  /** The same for whatever is to be said; `say` gives its status as of RFC 4975 10. */
  async bring(wanted: Wanted, say: (session: Session) => Promise<number>): Promise<Reached> {
    const { key } = wanted;
    const { correspondence, clock } = this.#iwf;
    const known = correspondence.find(key, clock.now());
    if (known?.session !== undefined) {
      const status = await say(known.session);
      // A session whose connection fails just now is over for us; the text begins another one.
      if (!GONE.includes(status)) return status === 200 ? 'said' : 'never';
    }
    const contact = known?.contact ?? wanted.contact;
    if (contact === undefined || this.#core === undefined) return 'never';
    const session = await this.#session({ ...wanted, contact }, this.#core);
    if (typeof session === 'number') return LATER.includes(session) || session >= 500 ? 'later' : 'never';
    const status = await say(session);
    if (status === 200) return 'said';
    return GONE.includes(status) ? 'later' : 'never';
  }

  #session(wanted: Found, core: string): Promise<Session | number> {
    const { key } = wanted;
    const known = this.#byKey.get(key);
    if (known !== undefined && known.waiting >= WAITING) return Promise.resolve(503);
    if (known === undefined && this.#iwf.full) return Promise.resolve(503);
    const opening = known ?? this.#invite(wanted, core);
    opening.waiting++;
    return opening.done;
  }

  #invite({ key, address, contact, as }: Found, core: string): Opening {
    const leg = `${this.#tokens.token()}.b`;
    const contributionId = as?.contributionId ?? randomUUID();
    const identities = [contact.user];
    const session = new Session(this.#iwf, { leg, contact, contributionId, identities, address });
    let settle: Opening['settle'] = () => {};
    const done = new Promise<Session | number>((resolve) => {
      settle = resolve;
    });
    const opening: Opening = { done, settle, key, waiting: 0 };
    this.#byKey.set(key, opening);
    this.#byLeg.set(leg, opening);
    this.#begun.add(contributionId);
    this.#iwf.add(session);
    session.described = offerOf(session.stream(0).uri, this.#iwf.own(session));
    const invite = {
      uri: contact.user,
      from: as?.from ?? `<${contact.peer}>`,
      to: `<${contact.user}>`,
      maxForwards: 70,
      routeSets: [[`<${core}>`]],
      headers: [...invitationHeaders(contact, contributionId, this.#iwf.stack.contact), ...(as?.headers ?? [])],
      body: bytesOfWire(session.described),
    };
    this.#iwf.clock.schedule(this.#iwf.limits.ringingMs, this, leg);
    this.#iwf.stack.execute({ type: 'invite', leg, invite });
    this.#iwf.log.info({ iwf: this.#iwf.service.name, session: leg, user: contact.user }, 'user invited');
    return opening;
  }

  answered(session: Session, response: SipResponse): void {
    const { leg } = session;
    this.#iwf.stack.execute({ type: 'acknowledge', leg, headers: [] });
    const answer = sdpOf(response.header('content-type'), response.body);
    const line = answer === undefined ? undefined : msrpLines(answer)[0];
    if (line === undefined || line.port === 0 || line.secure) {
      this.#settle(leg, 488);
      return this.#iwf.end(session, 'refused');
    }
    session.confirm();
    session.stream(0).join(line, isActive('actpass', line.setup));
    const opening = this.#byLeg.get(leg);
    if (opening !== undefined) this.#iwf.correspondence.note(opening.key, session, this.#iwf.clock.now());
    this.#settle(leg, session);
  }

  failed(session: Session, status: number): void {
    this.#iwf.tally.add(`${this.#iwf.service.name}.invitesRefused`);
    this.#iwf.log.info({ iwf: this.#iwf.service.name, session: session.leg, status }, 'user not reached');
    this.#settle(session.leg, status);
    this.#iwf.over(session, 'refused');
  }

  /**
   * True for a session that began here: its user is reached by nothing but this IWF, and what it brought would go out
   * again the way it came.
   */
  hasBegun(contributionId: string | undefined): boolean {
    return contributionId !== undefined && this.#begun.has(contributionId);
  }

  over({ contributionId }: Session): void {
    this.#begun.delete(contributionId);
  }

  /** True while an INVITE of ours has no final answer. */
  isOpen(leg: string): boolean {
    return this.#byLeg.has(leg);
  }

  /** Nobody answers. */
  onTimer(leg: string): void {
    if (this.#byLeg.has(leg)) this.#iwf.stack.execute({ type: 'cancel', leg, headers: [] });
  }

  #settle(leg: string, outcome: Session | number): void {
    const opening = this.#byLeg.get(leg);
    if (opening === undefined) return;
    this.#byLeg.delete(leg);
    this.#byKey.delete(opening.key);
    opening.settle(outcome);
  }

  /** Nobody waits any longer. */
  close(): void {
    for (const leg of [...this.#byLeg.keys()]) this.#settle(leg, 503);
  }
}
