/** MSRP URIs and paths (RFC 4975 6, 9). */

export interface MsrpUri {
  /** The URI as it was written. */
  readonly text: string;
  /** True for `msrps`. */
  readonly secure: boolean;
  /** Without the brackets of an IPv6 literal, lower case. */
  readonly host: string;
  /** Undefined where none is written. */
  readonly port: number | undefined;
  /** Empty where there is none, as in the URI of a relay. */
  readonly sessionId: string;
  /** Lower case; `tcp` is the only one that is defined. */
  readonly transport: string;
}

/** RFC 4975 14.3: what a URI without a port means. */
export const DEFAULT_MSRP_PORT = 2855;

// msrp-scheme "://" authority ["/" session-id] ";" transport *( ";" URI-parameter )
const URI =
  /^(msrps?):\/\/(?:[^@/;\s]*@)?(\[[\da-f:.]+\]|[^\s:/;@[\]]+)(?::(\d{1,5}))?(?:\/([\w.~+=/%-]*))?;([a-z0-9]+)(?:;[^\s;]+)*$/i;

/** Undefined for what is no MSRP URI. */
export function parseMsrpUri(text: string): MsrpUri | undefined {
  const match = URI.exec(text);
  if (match === null) return undefined;
  const [, scheme = '', host = '', port, sessionId = '', transport = ''] = match;
  if (port !== undefined && Number(port) > 65_535) return undefined;
  return {
    text,
    secure: scheme.toLowerCase() === 'msrps',
    host: host.replace(/^\[|\]$/g, '').toLowerCase(),
    port: port === undefined ? undefined : Number(port),
    sessionId,
    transport: transport.toLowerCase(),
  };
}

/** The URIs of a To-Path, a From-Path or an `a=path`, in order; undefined where one of them is none. */
export function parsePath(text: string): readonly MsrpUri[] | undefined {
  const uris: MsrpUri[] = [];
  for (const part of text.split(' ')) {
    if (part === '') continue;
    const uri = parseMsrpUri(part);
    if (uri === undefined) return undefined;
    uris.push(uri);
  }
  return uris.length === 0 ? undefined : uris;
}

/**
 * RFC 4975 6.1: scheme, host and transport without regard to case, port as written, session-id letter by letter;
 * user info and other parameters are not compared.
 */
export function sameMsrpUri(left: MsrpUri, right: MsrpUri): boolean {
  return sameAddress(left, right) && left.sessionId === right.sessionId;
}

/** True where both lead to the same host, port and transport. */
export function sameAddress(left: MsrpUri, right: MsrpUri): boolean {
  return (
    left.secure === right.secure &&
    left.host === right.host &&
    left.port === right.port &&
    left.transport === right.transport
  );
}

/** A URI of ours: `msrp://127.0.0.1:2855/session-id;tcp`. */
export function msrpUri(host: string, port: number, sessionId: string, secure: boolean): string {
  const authority = host.includes(':') ? `[${host}]` : host;
  return `${secure ? 'msrps' : 'msrp'}://${authority}:${port}/${sessionId};tcp`;
}
