/** The way back: what the top Via says of where a request came from, and where its responses go (RFC 3261 18.2). */
import type { Flow, TransportName } from './flow.ts';
import { literalAddress } from './locate/locate.ts';
import { splitList } from './message/header.ts';
import type { SipRequest } from './message/message.ts';
import { paramOf, withoutParams } from './message/params.ts';
import { defaultPort } from './message/via.ts';
import type { Network } from './network.ts';

/** RFC 3261 18.2.1 and RFC 3581 4: the Via says where the request really came from, where it does not yet. */
export function noteSource(request: SipRequest, flow: Flow): void {
  const { via } = request;
  if (via === undefined) return;
  const rport = paramOf(via.params, 'rport');
  const sameHost = via.host === flow.remoteAddress || via.host === `[${flow.remoteAddress}]`;
  if (sameHost && rport === undefined && paramOf(via.params, 'received') === undefined) return;
  // RFC 3581 4: with rport the address is written down too, even where it is the same.
  if (rport === undefined) markVia(request, sameHost ? undefined : flow.remoteAddress, undefined);
  else markVia(request, flow.remoteAddress, flow.remotePort);
}

/** Writes these into the top Via, whatever its sender wrote there; undefined leaves a parameter out. */
export function markVia(request: SipRequest, received: string | undefined, rport: number | undefined): void {
  const { via } = request;
  if (via === undefined) return;
  const [top = '', ...others] = splitList(request.header('via') ?? '');
  const address = received === undefined ? '' : `;received=${received}`;
  const port = rport === undefined ? '' : `;rport=${rport}`;
  const params = withoutParams(via.params, 'received', 'rport') + address + port;
  const marked = top.slice(0, top.length - via.params.length).trimEnd() + params;
  request.setTopVia(others.length === 0 ? marked : [marked, ...others].join(', '), { ...via, params });
}

/** Where the response to a datagram goes (RFC 3261 18.2.2, RFC 3581 4). */
export function replyFlow(request: SipRequest, flow: Flow): Flow {
  const { via } = request;
  if (flow.reliable || flow.redirect === undefined || via === undefined) return flow;
  if (paramOf(via.params, 'rport') !== undefined) return flow;
  const maddr = paramOf(via.params, 'maddr');
  return flow.redirect(maddr || flow.remoteAddress, via.port ?? defaultPort(via.transport));
}

/**
 * The way back of a request that came before a restart: where the Via says; over a connection its sent-by port, since
 * the source port is gone (RFC 3261 18.2.2, RFC 3581).
 */
export function wayBack(request: Pick<SipRequest, 'via'>, network: Network): Flow | undefined {
  const { via } = request;
  if (via === undefined) return undefined;
  const transport = via.transport as TransportName;
  // A WebSocket client has no address of its own: its host name finds the connection (RFC 7118).
  const byName = transport === 'WS' || transport === 'WSS';
  const address = byName ? via.host : paramOf(via.params, 'received') || via.host;
  const rport = transport === 'UDP' ? Number(paramOf(via.params, 'rport')) : 0;
  const port = rport || via.port || defaultPort(transport);
  const named = transport === 'TLS' && literalAddress(via.host) === undefined;
  return network.connect({ transport, address, port, ...(named ? { serverName: via.host } : {}) });
}
