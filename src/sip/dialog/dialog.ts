/** Dialogs (RFC 3261 12): what two user agents must remember of each other, as plain data. */
import type { Flow } from '../flow.ts';
import { parseNameAddress } from '../message/address.ts';
import { NO_BYTES } from '../message/bytes.ts';
import { detached, type HeaderField, headerField } from '../message/header.ts';
import { SipRequest, type SipResponse } from '../message/message.ts';
import { isSipUri, parseUri, uriParam } from '../message/uri.ts';

/** JSON, so that a session can be stored and taken up again by another process. */
export interface Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** Value of From (or To) on our side, without its tag. */
  readonly localAddress: string;
  readonly remoteAddress: string;
  /** Number of the last request we sent; 0 before the first. */
  localCSeq: number;
  /** Number of the last request the peer sent; -1 before the first. */
  remoteCSeq: number;
  /** Route headers to send, in order; fixed once the dialog is confirmed (12.2). */
  routes: readonly string[];
  /** URI of the peer's Contact; a target refresh replaces it. */
  target: string;
  /** RSeq of the last reliable provisional response in order, and what it answered (RFC 3262). */
  reliable?: { readonly rseq: number; readonly cseq: number };
}

/** The dialog a response to our request makes, early or confirmed (12.1.2). */
export function dialogOfResponse(request: DialogRequest, response: SipResponse): Dialog {
  return {
    callId: request.callId,
    localTag: request.localTag,
    remoteTag: detached(response.toTag ?? ''),
    localAddress: request.localAddress,
    remoteAddress: request.remoteAddress,
    localCSeq: request.cseq,
    remoteCSeq: -1,
    routes: response.list('record-route').reverse().map(detached),
    target: detached(response.contact?.uri ?? request.uri),
  };
}

/** What the user agent client keeps of the request that may make dialogs. */
export interface DialogRequest {
  readonly callId: string;
  readonly localTag: string;
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly cseq: number;
  readonly uri: string;
}

/** The dialog our response to this request makes (12.1.1). */
export function dialogOfRequest(request: SipRequest, localTag: string): Dialog {
  return {
    callId: detached(request.callId),
    localTag,
    remoteTag: detached(request.fromTag ?? ''),
    localAddress: detached(request.toAddress),
    remoteAddress: detached(request.fromAddress),
    localCSeq: 0,
    remoteCSeq: request.cseq?.number ?? 0,
    routes: request.list('record-route').map(detached),
    // A peer of RFC 2543 may give no Contact; its From is then where it is reached (RFC 2543 6.13).
    target: detached(request.contact?.uri ?? request.from?.uri ?? ''),
  };
}

/** A request without its Via, and the URI of the next hop it must be sent to. */
export interface RoutedRequest {
  readonly request: SipRequest;
  readonly hop: string;
  /** May add to the request once its way is known: a Record-Route names the transport (RFC 5658). */
  readonly prepare?: (request: SipRequest, flow: Flow) => void;
}

/**
 * A request inside the dialog (12.2.1.1). ACK and CANCEL take the number of their INVITE; all others the next
 * one.
 */
export function requestInDialog(
  dialog: Dialog,
  method: string,
  cseq: number,
  headers: readonly HeaderField[],
  body: Uint8Array = NO_BYTES,
): RoutedRequest {
  const { uri, routes, hop } = routed(dialog.target, dialog.routes);
  const lines: HeaderField[] = [];
  for (const route of routes) lines.push(headerField('Route', route));
  lines.push(
    headerField('Max-Forwards', '70'),
    headerField('From', `${dialog.localAddress};tag=${dialog.localTag}`),
    headerField(
      'To',
      dialog.remoteTag === '' ? dialog.remoteAddress : `${dialog.remoteAddress};tag=${dialog.remoteTag}`,
    ),
    headerField('Call-ID', dialog.callId),
    headerField('CSeq', `${cseq} ${method}`),
  );
  for (const field of headers) lines.push(field);
  return { request: new SipRequest(method, uri, lines, body), hop };
}

/**
 * Request-URI, Route headers and next hop for a target and a route set (12.2.1.1). A loose router is the next
 * hop by its Route; a strict one stands in the Request-URI, with the target last in the Route.
 */
export function routed(
  target: string,
  routeSet: readonly string[],
): { readonly uri: string; readonly routes: readonly string[]; readonly hop: string } {
  const first = routeSet[0];
  const firstUri = first === undefined ? undefined : parseNameAddress(first)?.uri;
  if (firstUri === undefined) return { uri: target, routes: [], hop: target };
  const parsed = parseUri(firstUri);
  const loose = parsed !== undefined && isSipUri(parsed) && uriParam(parsed, 'lr') !== undefined;
  if (loose) return { uri: target, routes: routeSet, hop: firstUri };
  return { uri: firstUri, routes: [...routeSet.slice(1), `<${target}>`], hop: firstUri };
}
