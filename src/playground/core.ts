/**
 * The SIP/IP core between the two functions: a stateless proxy (RFC 3261 16.11) that stays in the path of what it passes
 * on, and asks the terminating function first before an invitation goes to its user.
 */
import { parseNameAddress } from '../sip/message/address.ts';
import { headerField } from '../sip/message/header.ts';
import { SipRequest, type SipResponse } from '../sip/message/message.ts';
import { paramOf } from '../sip/message/params.ts';
import { isSipUri, parseUri } from '../sip/message/uri.ts';
import { MAGIC_COOKIE } from '../sip/message/via.ts';
import { Peer } from '../testing/peer.ts';
import type { SeededRandom } from '../testing/seeded.ts';
import type { VirtualNetwork } from '../testing/virtual-network.ts';

export class Core {
  readonly peer: Peer;
  /** Address of the terminating function. */
  readonly #home: string;

  constructor(network: VirtualNetwork, random: SeededRandom, address: string, home: string) {
    this.#home = home;
    this.peer = new Peer(network, random, 'core', address, home);
    this.peer.onMessage = (message) => {
      if (message.kind === 'request') this.#request(message);
      else this.#response(message);
      return true;
    };
  }

  #request(received: SipRequest): void {
    const hops = Number(received.header('max-forwards') ?? 70);
    if (hops <= 0) return;
    const routes = received.list('route').filter((route) => !this.#isOwn(route));
    const opens = received.toTag === undefined && received.method === 'INVITE';
    const request = new SipRequest(
      received.method,
      received.uri,
      [
        // 16.11: the branch follows from that of the request, so that its copies and its CANCEL get the same.
        headerField('Via', `SIP/2.0/UDP ${this.peer.address};branch=${MAGIC_COOKIE}core-${ownPart(received)}`),
        ...received.headers.filter(({ name }) => name === 'via'),
        ...routes.map((route) => headerField('Route', route)),
        ...(opens ? [headerField('Record-Route', `<sip:${this.peer.address};lr>`)] : []),
        ...received.headers.filter(({ name }) => !['via', 'route', 'max-forwards'].includes(name)),
        headerField('Max-Forwards', String(hops - 1)),
      ],
      received.body,
    );
    const elsewhere = addressIn(routes[0] ?? received.uri);
    if (elsewhere === undefined && opens) request.headers.push(headerField('P-Served-User', SERVED));
    this.peer.sendRaw(request, elsewhere ?? this.#home);
  }

  /** 16.11: back along the Vias, ours taken off. */
  #response(response: SipResponse): void {
    const own = response.headers.findIndex(({ name }) => name === 'via');
    response.headers = response.headers.filter((_, at) => at !== own);
    const back = response.list('via')[0];
    const match = back === undefined ? undefined : /^SIP\/2\.0\/\w+ ([\d.]+(?::\d+)?)/.exec(back);
    if (match?.[1] !== undefined) this.peer.sendRaw(response, match[1]);
  }

  #isOwn(route: string): boolean {
    return addressIn(route) === this.peer.address;
  }
}

/** What an S-CSCF says of the user it serves (TS 24.229 5.4.3.3). */
const SERVED = '<sip:bob@home.example>;sescase=term;regstate=reg';

function ownPart(request: SipRequest): string {
  return (paramOf(request.via?.params ?? '', 'branch') ?? 'none').replace(MAGIC_COOKIE, '');
}

/** `10.0.0.10:5060` of a URI or name-addr that names an address; undefined for a domain. */
function addressIn(text: string): string | undefined {
  const uri = parseUri(parseNameAddress(text)?.uri ?? text);
  if (uri === undefined || !isSipUri(uri) || !/^[\d.]+$/.test(uri.host)) return undefined;
  return `${uri.host}:${uri.port ?? 5060}`;
}
