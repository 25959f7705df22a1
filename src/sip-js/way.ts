/** Where a message goes over a stream, and what the Via says of where it came from. */
import { isIPv6 } from 'node:net';
import type { AnyMessage, SipRequest, SipResponse } from '../sip/message/message.ts';
import { paramOf } from '../sip/message/params.ts';
import { isSipUri, parseUri } from '../sip/message/uri.ts';
import { defaultPort } from '../sip/message/via.ts';
import { topRoute } from '../sip/proxy/rules.ts';
import { markVia } from '../sip/way-back.ts';

/** An address or a name, without brackets, and a port. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:5060`, `[::1]:5060` or `pf.example:5060`, as URIs write it. */
export function hostPort({ host, port }: Place): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** Takes `host:port` apart; without a port it is 5060. Undefined where it is neither. */
export function placeOf(text: string): Place | undefined {
  const uri = parseUri(`sip:${text}`);
  return uri !== undefined && isSipUri(uri) && uri.params === '' ? placeOfHost(uri.host, uri.port) : undefined;
}

function placeOfHost(host: string, port: number | undefined): Place {
  return { host: host.replace(/^\[|\]$/g, ''), port: port ?? 5060 };
}

/** Next hop of a request: its first Route, else its Request-URI (RFC 3261 8.1.2). Undefined for other schemes. */
export function nextHop(request: SipRequest): Place | undefined {
  const uri = parseUri(topRoute(request) ?? request.uri);
  return uri !== undefined && isSipUri(uri) ? placeOfHost(uri.host, uri.port) : undefined;
}

/** Where the request of a response came from, by its Via: the connection to look for. */
export function origin(response: SipResponse): Place | undefined {
  const { via } = response;
  if (via === undefined) return undefined;
  const port = Number(paramOf(via.params, 'rport')) || via.port || defaultPort(via.transport);
  return placeOfHost(paramOf(via.params, 'received') || via.host, port);
}

/** RFC 3261 18.2.2: where a new connection goes once that one has closed. */
export function returnPlace(response: SipResponse): Place | undefined {
  const { via } = response;
  if (via === undefined) return undefined;
  return placeOfHost(paramOf(via.params, 'received') || via.host, via.port ?? defaultPort(via.transport));
}

/** Writes into the top Via of a request where it really came from: it is how the response finds its connection again. */
export function noteOrigin(message: AnyMessage, from: Place): void {
  if (message.kind === 'request') markVia(message, from.host, from.port);
}
