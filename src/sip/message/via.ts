/** The Via header: the way back (RFC 3261 20.42, rport RFC 3581). */
import { oneOf, runEnd } from './bytes.ts';
import { paramOf } from './params.ts';
import { PLAIN_HOST, portBetween, portOf } from './uri.ts';

export interface Via {
  /** Version of SIP, `2.0`; any other can still be answered. */
  readonly version: string;
  /** Upper case: UDP, TCP, TLS, WS, WSS, SCTP … */
  readonly transport: string;
  readonly host: string;
  /** Port as written; undefined means the transport's default. */
  readonly port: number | undefined;
  /** Parameters as text. */
  readonly params: string;
  /** Value of the parameter `branch`. */
  readonly branch: string | undefined;
}

const VIA =
  /^SIP\s*\/\s*(\d+\.\d+)\s*\/\s*([A-Za-z0-9\-.!%*_+`'~]+)\s+(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._]+)(?:\s*:\s*(\d{1,5}))?\s*((?:;.*)?)$/is;

/** Takes one Via value apart; undefined where nobody could be answered by it. */
export function parseVia(value: string): Via | undefined {
  return parsePlainVia(value) ?? parseOddVia(value);
}

const PLAIN = 'SIP/2.0/';
const TRANSPORTS = ['UDP', 'TCP', 'TLS', 'WS', 'WSS'];

/** As nearly every peer writes it: `SIP/2.0/UDP host:port;params`. Undefined for any other, which may be right as well. */
function parsePlainVia(value: string): Via | undefined {
  const space = value.indexOf(' ', PLAIN.length);
  const transport = value.startsWith(PLAIN) ? oneOf(TRANSPORTS, value.slice(PLAIN.length, space)) : undefined;
  const end = value.indexOf(';', space);
  if (transport === undefined || end < 0) return undefined;
  const colon = runEnd(value, space + 1, PLAIN_HOST);
  const port = colon === end ? undefined : portBetween(value, colon, end);
  if (colon === space + 1 || (colon !== end && port === undefined)) return undefined;
  const params = value.slice(end);
  return {
    version: '2.0',
    transport,
    host: value.slice(space + 1, colon),
    port,
    params,
    branch: paramOf(params, 'branch'),
  };
}

function parseOddVia(value: string): Via | undefined {
  const match = VIA.exec(value);
  if (match === null) return undefined;
  const port = match[4] === undefined ? undefined : portOf(match[4]);
  if (match[4] !== undefined && port === undefined) return undefined;
  const [, version = '', transport = '', host = '', , params = ''] = match;
  const branch = paramOf(params, 'branch');
  return { version, transport: transport.toUpperCase(), host, port, params, branch };
}

/** Port where responses go when nothing in the Via says otherwise (RFC 3261 18.2.2). */
export function defaultPort(transport: string): number {
  return transport === 'TLS' || transport === 'WSS' ? 5061 : 5060;
}

/** RFC 3261 8.1.1.7: a branch with this start is unique and identifies the transaction by itself. */
export const MAGIC_COOKIE = 'z9hG4bK';
