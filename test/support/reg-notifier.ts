/** The core as notifier of the `reg` event (RFC 3680), on the socket of a phone that stands for the core. */
import { bytesOfWire } from '../../src/sip/message/bytes.ts';
import { headerField } from '../../src/sip/message/header.ts';
import { type AnyMessage, SipRequest, type SipResponse } from '../../src/sip/message/message.ts';
import { responseTo } from '../../src/sip/message/respond.ts';
import { keyOf, type UdpPhone } from './udp-phone.ts';

export class RegNotifier {
  readonly subscribes: SipRequest[] = [];
  /** Status of the answer to each SUBSCRIBE. */
  status = 200;
  /** What the whole state is; undefined sends no NOTIFY. */
  full: (() => string) | undefined;
  readonly #core: UdpPhone;
  #cseq = 0;

  constructor(core: UdpPhone) {
    this.#core = core;
    const others = core.peer.onMessage;
    core.peer.onMessage = (message: AnyMessage) => {
      if (message.kind !== 'request' || message.method !== 'SUBSCRIBE') return others(message);
      this.#take(message);
      return true;
    };
  }

  #take(subscribe: SipRequest): void {
    if (this.subscribes.some((known) => keyOf(known) === keyOf(subscribe))) return;
    this.subscribes.push(subscribe);
    const { peer } = this.#core;
    const headers = [
      headerField('Expires', subscribe.header('expires') ?? ''),
      headerField('Contact', `<${peer.uri}>`),
    ];
    peer.send(responseTo(subscribe, this.status, { toTag: 'core', headers }));
    if (this.full !== undefined && this.status === 200) void this.notify(this.full());
  }

  /** Sends a NOTIFY in the dialog of the last SUBSCRIBE; its answer. */
  notify(
    body: string,
    state = 'active;expires=3600',
    { event = 'reg', tag = 'core' }: { readonly event?: string; readonly tag?: string } = {},
  ): Promise<SipResponse> {
    const subscribe = this.subscribes.at(-1)!;
    const { peer } = this.#core;
    const cseq = ++this.#cseq;
    const request = new SipRequest('NOTIFY', subscribe.contact?.uri ?? '', [
      headerField('Max-Forwards', '70'),
      headerField('From', `${subscribe.header('to')?.replace(/;tag=.*/, '')};tag=${tag}`),
      headerField('To', subscribe.header('from') ?? ''),
      headerField('Call-ID', subscribe.callId),
      headerField('CSeq', `${cseq} NOTIFY`),
      headerField('Contact', `<${peer.uri}>`),
      headerField('Event', event),
      headerField('Subscription-State', state),
      headerField('Content-Type', 'application/reginfo+xml'),
    ]);
    request.body = bytesOfWire(body);
    peer.send(request, { to: peer.pf });
    return this.#core.answerTo(keyOf(request));
  }
}

/** `registrations`: what stands inside `<reginfo>`. */
export function reginfo(version: number, state: 'full' | 'partial', registrations: string): string {
  return `<?xml version="1.0"?><reginfo xmlns="urn:ietf:params:xml:ns:reginfo" xmlns:gr="urn:ietf:params:xml:ns:gruuinfo" version="${version}" state="${state}">${registrations}</reginfo>`;
}

export function registration(aor: string, contacts: string, id = 'r1', state = 'active'): string {
  return `<registration aor="${aor}" id="${id}" state="${state}">${contacts}</registration>`;
}

/** A device that takes CPM sessions. */
export function contact(
  id: string,
  { state = 'active', event = 'registered', expires = 3600, more = '' } = {},
): string {
  return `<contact id="${id}" state="${state}" event="${event}" expires="${expires}"><uri>sip:bob@10.0.0.${id}</uri><unknown-param name="+g.3gpp.icsi-ref">"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session"</unknown-param><unknown-param name="+sip.instance">"&lt;urn:uuid:${id}&gt;"</unknown-param>${more}</contact>`;
}
