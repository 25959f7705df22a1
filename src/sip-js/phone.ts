/**
 * A SIP phone in a few verbs, on sip.js's own user agent core: Alice and Bob of the demo and of end-to-end tests. It has
 * no media; session descriptions are text it is given. It shares nothing with the engine but the TCP transport.
 */
import type { IncomingInviteRequest, URI } from 'sip.js/lib/core/index.js';
import { createSipJsCore, type SipJsCore } from './core.ts';
import { Happenings } from './happenings.ts';
import { requestOf } from './messages.ts';
import { type CallEvent, description, type HeaderLines, lines, PhoneCall } from './phone-call.ts';
import { VerbatimUri } from './verbatim-uri.ts';
import { type Place, placeOf } from './way.ts';

export interface SipJsPhoneOptions {
  /** User part of its address, `alice`. */
  readonly name: string;
  readonly domain: string;
  /** `host:port` that all its requests go to: its outbound proxy. Absent: where their URI says. */
  readonly proxy?: string;
  /** Where it takes calls; by default 127.0.0.1 and a free port. */
  readonly listen?: Place;
  /** Parameters of its Contact; by default the feature tag of a CPM session. */
  readonly contactParams?: string;
  readonly userAgent?: string;
  /** Milliseconds it waits for what it is told to wait for; by default 5000. */
  readonly timeoutMs?: number;
  /** Called for every incoming call. */
  readonly onCall?: (call: PhoneCall) => void;
  /** Called for everything that happens to any of its calls. */
  readonly onEvent?: (call: PhoneCall, event: CallEvent) => void;
}

export interface CallOptions {
  readonly sdp: string;
  /** Headers of the INVITE beside the usual, such as P-Asserted-Service, Contribution-ID, Conversation-ID. */
  readonly headers?: HeaderLines;
}

const CPM_SESSION = ';+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session"';

/** Listens, and gives a phone. Rejects where its address can't be had. */
export async function createSipJsPhone(options: SipJsPhoneOptions): Promise<SipJsPhone> {
  const { name, domain, listen = { host: '127.0.0.1', port: 0 }, contactParams = CPM_SESSION } = options;
  const peer = options.proxy === undefined ? undefined : placeOf(options.proxy);
  if (options.proxy !== undefined && peer === undefined) throw new RangeError(`proxy: not host:port: ${options.proxy}`);
  const core = await createSipJsCore({
    name,
    domain,
    listen,
    contactParams,
    userAgent: options.userAgent ?? 'CPM-client/OMA2.0 sip.js-phone/0.21',
    ...(peer === undefined ? {} : { peer }),
  });
  return new SipJsPhone(core, options);
}

export class SipJsPhone {
  /** Its address of record, `sip:alice@home.example`. */
  readonly uri: string;
  /** `host:port` it listens on. */
  readonly address: string;
  readonly #core: SipJsCore;
  readonly #options: SipJsPhoneOptions;
  readonly #calls = new Happenings<PhoneCall>(() => 'a call');

  constructor(core: SipJsCore, options: SipJsPhoneOptions) {
    this.#core = core;
    this.#options = options;
    this.uri = `sip:${options.name}@${options.domain}`;
    this.address = core.address;
    core.core.delegate = { onInvite: (invite) => this.#onInvite(invite) };
  }

  #newCall(sdp?: string, invite?: IncomingInviteRequest): PhoneCall {
    const { timeoutMs = 5000, onEvent = () => {} } = this.#options;
    const contact = this.#core.core.configuration.contact.toString();
    const request = invite === undefined ? undefined : requestOf(invite.message);
    return new PhoneCall({ contact, timeoutMs, onEvent }, sdp, request);
  }

  #onInvite(invite: IncomingInviteRequest): void {
    const call = this.#newCall(undefined, invite);
    call.arrived(invite);
    this.#calls.add(call);
    this.#options.onCall?.(call);
  }

  /** Calls somebody. `to` is a URI of any scheme. */
  invite(to: string, { sdp, headers = [] }: CallOptions): PhoneCall {
    const { core } = this.#core;
    const call = this.#newCall(sdp);
    const target: URI = new VerbatimUri(to);
    const extraHeaders = [`Contact: ${core.configuration.contact}`, 'Allow: ACK, BYE, CANCEL, INFO, INVITE, MESSAGE'];
    const message = core.makeOutgoingRequestMessage(
      'INVITE',
      target,
      core.configuration.aor,
      target,
      {},
      [...extraHeaders, ...lines(headers)],
      description(sdp),
    );
    call.sent(core.invite(message, call.inviteDelegate));
    return call;
  }

  /** The next incoming call that nobody has waited for yet; rejects where there is none in time. */
  incoming(): Promise<PhoneCall> {
    return this.#calls.next('incoming call', () => true, this.#options.timeoutMs ?? 5000);
  }

  /** Hangs up nothing: what still goes on is dropped, and the connections are closed. */
  close(): Promise<void> {
    return this.#core.close();
  }
}
