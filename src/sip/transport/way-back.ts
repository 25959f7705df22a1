/** Where a response goes when the connection its request came by has closed (RFC 3261 18.2.2). */
import { isIP } from 'node:net';
import type { Flow, Target } from '../flow.ts';
import { parseMessage } from '../message/parse.ts';
import { defaultPort } from '../message/via.ts';

/** True for a response; told by its first four bytes, since no method begins with `SIP/`. */
export function isResponse(bytes: Uint8Array): boolean {
  return bytes[0] === 0x53 && bytes[1] === 0x49 && bytes[2] === 0x50 && bytes[3] === 0x2f;
}

/**
 * The address the request came from and the port of its Via; undefined where the response has no usable Via.
 * A WebSocket peer can't be dialled: it is known by the host of its Via alone (RFC 7118 B.1).
 */
export function responseTarget(response: Uint8Array, closed: Flow): Target | undefined {
  const via = parseMessage(response).message?.via;
  if (via === undefined) return undefined;
  const { transport } = closed;
  const port = via.port ?? defaultPort(transport);
  if (transport === 'WS' || transport === 'WSS') return { transport, address: via.host, port };
  const named = !via.host.startsWith('[') && isIP(via.host) === 0;
  return { transport, address: closed.remoteAddress, port, ...(named ? { serverName: via.host } : {}) };
}
