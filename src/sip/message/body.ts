/** Bodies of one or several parts (RFC 2046, RFC 5621): finding the session description, and putting another in. */
import { bytesOfWire, wireOfBytes } from './bytes.ts';
import { canonicalName } from './header.ts';
import { paramOf } from './params.ts';

/** One part of a body: its headers by canonical name, its content as a wire string. */
export interface BodyPart {
  readonly headers: ReadonlyMap<string, string>;
  readonly content: string;
}

/** Parts of one body; more are not looked at. */
const MAX_PARTS = 32;

export const SDP_TYPE = 'application/sdp';

/** A session description in a body, or undefined. `type` is the Content-Type as received. */
export function sdpOf(type: string | undefined, body: Uint8Array): string | undefined {
  if (type === undefined || body.length === 0) return undefined;
  const name = mediaType(type);
  if (name === SDP_TYPE) return wireOfBytes(body);
  if (!name.startsWith('multipart/')) return undefined;
  return partsOf(type, body).find((part) => mediaType(part.headers.get('content-type') ?? '') === SDP_TYPE)?.content;
}

/** The body with another session description where it had one; other parts stay byte for byte. */
export function withSdp(type: string | undefined, body: Uint8Array, sdp: string): Uint8Array {
  if (type === undefined || mediaType(type) === SDP_TYPE) return bytesOfWire(sdp);
  const text = wireOfBytes(body);
  const old = sdpOf(type, body);
  const at = old === undefined ? -1 : text.indexOf(old);
  if (old === undefined || at < 0) return body;
  const lengthFixed = text
    .slice(0, at)
    .replace(
      /(content-length[ \t]*:[ \t]*)\d+((?:\r\n[^\r\n]+)*\r\n\r\n)$/i,
      (_, name, rest) => `${name}${sdp.length}${rest}`,
    );
  return bytesOfWire(lengthFixed + sdp + text.slice(at + old.length));
}

/** Media type without parameters, in lower case. */
export function mediaType(contentType: string): string {
  const semicolon = contentType.indexOf(';');
  return (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
}

/** Takes a multipart body apart; a broken one gives the parts that could be read. */
export function partsOf(contentType: string, body: Uint8Array): BodyPart[] {
  const semicolon = contentType.indexOf(';');
  const boundary = semicolon < 0 ? undefined : paramOf(contentType.slice(semicolon), 'boundary');
  if (boundary === undefined || boundary === '') return [];
  const text = `\r\n${wireOfBytes(body)}`;
  const pieces = text.split(`\r\n--${boundary}`).slice(1, MAX_PARTS + 1);
  const parts: BodyPart[] = [];
  for (const piece of pieces) {
    if (piece.startsWith('--')) break;
    const part = partOf(piece);
    if (part !== undefined) parts.push(part);
  }
  return parts;
}

function partOf(piece: string): BodyPart | undefined {
  // Behind the boundary: white space, a line end, the part's headers, a blank line, its content (RFC 2046 5.1.1).
  const lineEnd = piece.indexOf('\r\n');
  if (lineEnd < 0) return undefined;
  const rest = piece.slice(lineEnd);
  const blank = rest.indexOf('\r\n\r\n');
  if (blank < 0) return undefined;
  const headers = new Map<string, string>();
  for (const line of rest.slice(2, Math.max(2, blank)).split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(canonicalName(line.slice(0, colon).trim()), line.slice(colon + 1).trim());
  }
  return { headers, content: rest.slice(blank + 4) };
}
