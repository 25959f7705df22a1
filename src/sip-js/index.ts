/**
 * `cpm-engine/sip-js`: the engine inside a sip.js 0.21 user agent core, and sip.js endpoints over TCP in Node.
 *
 * @packageDocumentation
 */
import type { UserAgentCore } from 'sip.js/lib/core/index.js';
import { NodeClock } from '../host/node-clock.ts';
import { nodeIdentifiers } from '../host/node-identifiers.ts';
import { SipJsPort, type SipJsPortOptions } from './port.ts';

export { createSipJsCore, type SipJsCore, type SipJsCoreOptions } from './core.ts';
export { type CallOptions, createSipJsPhone, SipJsPhone, type SipJsPhoneOptions } from './phone.ts';
export type { CallEvent, CallEventOf, HeaderLines, PhoneCall } from './phone-call.ts';
export type { SipJsPort, SipJsPortOptions } from './port.ts';
export { TcpTransport, type TcpTransportOptions } from './tcp-transport.ts';
export type { Place } from './way.ts';

/**
 * A SIP port over a sip.js user agent core, for `createEngine({ sip: createSipJsPort(core), … })`. The port takes the
 * core over: its delegate and everything it receives are the engine's from then on, whatever user its Request-URI names.
 * The core has to be fed by `receiveIncomingRequestFromTransport` and `receiveIncomingResponseFromTransport`, as sip.js's
 * `UserAgent` does and {@link createSipJsCore} does.
 *
 * A user agent core is no proxy. Set `policy.mediaPath` to `always`, so that every session is a B2BUA, and leave
 * `otherServices` at `reject`: a command of proxy mode answers its INVITE with 500 and throws.
 *
 * What sip.js 0.21 can't do, and what happens then:
 * - A `tel:` or other URI in From, To or Contact of a message stops its parser: `createSipJsCore` answers 416. As a
 *   Request-URI any scheme passes, in and out, byte for byte; to be sent it needs a Route.
 * - One try for each request: only the first route set of an INVITE is used. A timeout is told as 408, a way that can't
 *   be had as 503; another ISF or core is not tried. Loose routing only, and no NAPTR or SRV.
 * - It repeats no request, so its transport must be a reliable one.
 * - A provisional response, or a 2xx, of a peer without Contact is dropped.
 * - It knows no UPDATE, no PUBLISH and no SUBSCRIBE in a dialog, and answers OPTIONS by itself: the port takes and sends
 *   these on its own. Any other method gets 405 from sip.js, and a NOTIFY without Event 489.
 * - Its branches are random numbers below ten million: with thousands of open transactions two may meet.
 * - A message with a header its parser can't read is dropped, or answered 400 by `createSipJsCore`.
 * - Bodies are text: one that is no UTF-8 is changed on its way.
 * - A dialog can't be taken up after a restart: use it with the sessions in memory, which is the engine's default.
 * - 401 and 407 go to the engine only if the core's `authenticationFactory` gives nothing.
 */
export function createSipJsPort(core: UserAgentCore, options: Partial<SipJsPortOptions> = {}): SipJsPort {
  return new SipJsPort(core, {
    identifiers: options.identifiers ?? nodeIdentifiers(),
    clock: options.clock ?? new NodeClock(),
    trusts: options.trusts ?? (() => false),
  });
}
