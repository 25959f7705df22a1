/** Forwarding without a session: plain RFC 3261 16, for requests that are nobody's here. */
import { type RoutedRequest, routed } from '../dialog/dialog.ts';
import { headerField } from '../message/header.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { responseTo } from '../message/respond.ts';
import { serialize } from '../message/serialize.ts';
import type { RequestSender } from '../sender.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import type { Sending } from '../user-agent/context.ts';
import type { ProxyContext } from './context.ts';
import { RingingLimit } from './ringing-limit.ts';
import { forwardedCopy, loopToken, responseForward } from './rules.ts';

/** A request ready for its next hop but for the Via (16.6 steps 1 to 7). */
export function forwardBy(request: SipRequest, routeSet: readonly string[]): RoutedRequest {
  const copy = forwardedCopy(request);
  copy.remove('route');
  const { uri, routes, hop } = routed(request.uri, routeSet);
  copy.uri = uri;
  for (const route of routes) copy.headers.push(headerField('Route', route));
  return { request: copy, hop };
}

/** An ACK for a 2xx passes without state; its branch follows from the one it came with (16.11). */
export function forwardAckStateless(sender: RequestSender, ack: SipRequest): void {
  const branch = `${(ack.branch ?? '').replace(/[^A-Za-z0-9.\-_]/g, '').slice(-40)}-f`;
  sender.sendAck(forwardBy(ack, ack.list('route')), branch);
}

/**
 * Forwards a response by the transaction of its request. RFC 3261 16.7 steps 5 and 9: a 2xx of another fork goes on
 * behind a refusal too, past the transaction, which has had its final response.
 */
export function forwardBack(server: ServerTransaction, response: SipResponse): void {
  const isAnswer = response.status >= 200 && response.status < 300;
  if (isAnswer && server.status >= 300) server.flow.send(serialize(response));
  else server.respond(response);
}

/** A request passes by its route, until its one final response; a CANCEL for it follows. */
export function passThrough(
  proxy: Pick<ProxyContext, 'clock' | 'timers' | 'sender'>,
  request: SipRequest,
  routeSets: readonly (readonly string[])[],
  server: ServerTransaction,
  branch: string,
): void {
  const isInvite = request.method === 'INVITE';
  server.trying();
  let sending: Sending | undefined;
  const ringing = isInvite ? new RingingLimit(proxy.clock, proxy.timers, () => sending?.cancel([])) : undefined;
  const respond = (status: number): void => {
    ringing?.stop();
    server.respond(responseTo(request, status));
  };
  const alternatives = routeSets.map((routeSet) => forwardBy(request, routeSet));
  // RFC 3261 16.6 step 8: from the request as it came, which is what comes back in a loop.
  const token = loopToken(server.request ?? request);
  sending = proxy.sender.send(alternatives, `${branch}-l${token}`, {
    onResponse: (response) => {
      ringing?.heard(response.status);
      if (response.status !== 100) forwardBack(server, responseForward(response));
    },
    onTimeout: () => respond(408),
    onTransportError: () => respond(500),
  });
  // RFC 3326 2: with the Reason of the CANCEL that came.
  server.onCancel = (cancel) => sending?.cancel(cancel.lines('reason'));
}
