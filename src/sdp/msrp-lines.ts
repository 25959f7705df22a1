/**
 * `m=message` lines of a session description: what MSRP needs to know of them (RFC 4975 8, RFC 6135, RFC 6714), and
 * the same description with lines of our own in their place. All other lines stay as they are, letter by letter.
 */

export type Setup = 'active' | 'passive' | 'actpass';

export interface MsrpLine {
  /** 0 for a stream that is rejected. */
  readonly port: number;
  /** TCP/TLS/MSRP. */
  readonly secure: boolean;
  /** URIs of `a=path`; undefined where the attribute is missing. */
  readonly path: string | undefined;
  /** Undefined where the attribute is missing: then the offerer connects (RFC 4975 8.5). */
  readonly setup: Setup | undefined;
  /** RFC 6714: connect to the address of the c= and m= lines, not to the one in the path. */
  readonly cema: boolean;
  /** Address of the c= line in force. */
  readonly address: string | undefined;
  /** SHA-256 fingerprint of the certificate, upper case; undefined where there is none. */
  readonly fingerprint: string | undefined;
}

/** What a line of ours says. */
export interface OwnMsrpLine {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly uri: string;
  /** Null leaves the attribute out, as an answer to an offer without it does. */
  readonly setup: Setup | null;
  readonly cema: boolean;
  /** SHA-256 fingerprint; null for plain TCP. */
  readonly fingerprint: string | null;
  /** Largest message we take, bytes; `a=max-size` is never above it. */
  readonly maxSize: number | null;
}

const M_LINE = /^m=(\S+) (\d{1,5})(?:\/\d+)? (\S+)(.*)$/;
/** Attributes that describe the transport of a line; on a relayed one they are ours. */
const OWN_ATTRIBUTES = /^a=(path|setup|connection|msrp-cema|fingerprint)(:|$)/i;

/** The description cut at its m-lines; the first section is that of the session. Lines are without their ends. */
function sectionsOf(sdp: string): string[][] {
  const sections: string[][] = [[]];
  for (const line of sdp.split(/\r?\n/)) {
    if (line.startsWith('m=')) sections.push([]);
    if (line !== '') sections.at(-1)?.push(line);
  }
  return sections;
}

function attribute(section: readonly string[], name: string): string | undefined {
  for (const line of section) {
    if (
      line.toLowerCase().startsWith(`a=${name}`) &&
      (line.length === name.length + 2 || line[name.length + 2] === ':')
    ) {
      return line.slice(name.length + 3).trim();
    }
  }
  return undefined;
}

function addressOf(section: readonly string[]): string | undefined {
  return section.find((line) => line.startsWith('c='))?.split(' ')[2];
}

function fingerprintOf(section: readonly string[]): string | undefined {
  for (const line of section) {
    const match = /^a=fingerprint:\s*sha-256\s+([\da-f:]+)\s*$/i.exec(line);
    if (match !== null) return match[1]?.toUpperCase();
  }
  return undefined;
}

/** What each m-line says, in order; undefined for a line that is not MSRP. */
export function msrpLines(sdp: string): (MsrpLine | undefined)[] {
  const [session = [], ...media] = sectionsOf(sdp);
  return media.map((section) => lineOf(section, session));
}

function lineOf(section: readonly string[], session: readonly string[]): MsrpLine | undefined {
  const [, , port = '0', proto = ''] = M_LINE.exec(section[0] ?? '') ?? [];
  if (!/^TCP\/(TLS\/)?MSRP$/i.test(proto)) return undefined;
  const setup = (attribute(section, 'setup') ?? attribute(session, 'setup'))?.toLowerCase();
  return {
    port: Number(port),
    secure: /TLS/i.test(proto),
    path: attribute(section, 'path'),
    setup: setup === 'active' || setup === 'passive' || setup === 'actpass' ? setup : undefined,
    cema: attribute(section, 'msrp-cema') !== undefined,
    address: addressOf(section) ?? addressOf(session),
    fingerprint: fingerprintOf(section) ?? fingerprintOf(session),
  };
}

/**
 * The description with lines of ours where `own` gives one; what it gives none for stays. Where every stream that
 * lives is ours, the session's own c= line is as well, so that no address of the other side is told.
 */
export function withOwnMsrpLines(sdp: string, own: (index: number) => OwnMsrpLine | undefined): string {
  const [session = [], ...media] = sectionsOf(sdp);
  const lines = media.map((_, index) => own(index));
  const first = lines.find((line) => line !== undefined);
  if (first === undefined) return sdp;
  const all = media.every((section, index) => lines[index] !== undefined || /^m=\S+ 0 /.test(section[0] ?? ''));
  const shared = all && lines.every((line) => line === undefined || line.host === first.host);
  const head = shared ? session.map((line) => (line.startsWith('c=') ? connection(first.host) : line)) : session;
  const told = shared && session.some((line) => line.startsWith('c='));
  const sections = media.map((section, index) => {
    const line = lines[index];
    return line === undefined ? section : ownSection(section, line, told);
  });
  return [head, ...sections]
    .flat()
    .map((line) => `${line}\r\n`)
    .join('');
}

function connection(host: string): string {
  return `c=IN IP${host.includes(':') ? '6' : '4'} ${host}`;
}

/** `told`: the session's c= line is ours already. */
function ownSection(section: readonly string[], own: OwnMsrpLine, told: boolean): string[] {
  const [, media = 'message', , , rest = ''] = M_LINE.exec(section[0] ?? '') ?? [];
  const others = section.slice(1).filter((line) => !OWN_ATTRIBUTES.test(line));
  // RFC 4566 5: i= comes before c=, all else behind.
  const title = others.filter((line) => line.startsWith('i='));
  const attributes = others.filter((line) => !line.startsWith('i=') && !line.startsWith('c='));
  return [
    `m=${media} ${own.port} ${own.secure ? 'TCP/TLS/MSRP' : 'TCP/MSRP'}${rest}`,
    ...title,
    ...(told ? [] : [connection(own.host)]),
    ...attributes.map((line) => narrowed(line, own)),
    `a=path:${own.uri}`,
    ...(own.setup === null ? [] : [`a=setup:${own.setup}`]),
    ...(own.cema ? ['a=msrp-cema'] : []),
    ...(own.fingerprint === null ? [] : [`a=fingerprint:SHA-256 ${own.fingerprint}`]),
    ...(own.maxSize === null || attribute(section, 'max-size') !== undefined ? [] : [`a=max-size:${own.maxSize}`]),
  ];
}

/** What the peer takes at most, cut to what passes here and never widened (digest 3.1). */
function narrowed(line: string, own: OwnMsrpLine): string {
  const size = /^a=max-size:(\d+)$/i.exec(line)?.[1];
  return size === undefined || own.maxSize === null ? line : `a=max-size:${Math.min(Number(size), own.maxSize)}`;
}
