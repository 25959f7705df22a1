/** Bodies of one or several parts (RFC 2046, RFC 5621): finding the session description, and putting another in. */
import { bytesOfWire, trimBlanks, wireOfBytes } from './bytes.ts';
import { canonicalName } from './header.ts';
import { paramOf } from './params.ts';
import { headerLineEnd, unfolded } from './parse.ts';

/** One part of a body: its headers by canonical name, its content as a wire string. */
export interface BodyPart {
  readonly headers: ReadonlyMap<string, string>;
  readonly content: string;
}

/** A part and where it stands in the text of the whole body. */
interface PlacedPart extends BodyPart {
  readonly headAt: number;
  readonly contentAt: number;
}

/** Parts of one body; more are not looked at. */
const MAX_PARTS = 32;
/** Multipart bodies inside multipart bodies; RFC 5621 3.1 wants nesting understood, nobody needs more of it. */
const MAX_DEPTH = 3;

export const SDP_TYPE = 'application/sdp';

/** A session description in a body, or undefined. `type` is the Content-Type as received. */
export function sdpOf(type: string | undefined, body: Uint8Array): string | undefined {
  if (type === undefined || body.length === 0) return undefined;
  if (mediaType(type) === SDP_TYPE) return wireOfBytes(body);
  return isMultipart(type) ? sdpPart(type, wireOfBytes(body), 0, 1)?.content : undefined;
}

/** The body with another session description where it had one; other parts stay byte for byte. */
export function withSdp(type: string | undefined, body: Uint8Array, sdp: string): Uint8Array {
  if (type === undefined || mediaType(type) === SDP_TYPE) return bytesOfWire(sdp);
  const text = wireOfBytes(body);
  const old = isMultipart(type) ? sdpPart(type, text, 0, 1) : undefined;
  if (old === undefined) return body;
  const head = text
    .slice(old.headAt, old.contentAt)
    .replace(/((?:^|\r\n)content-length[ \t]*:[ \t]*)\d+/i, (_, name) => `${name}${sdp.length}`);
  return bytesOfWire(text.slice(0, old.headAt) + head + sdp + text.slice(old.contentAt + old.content.length));
}

/** Media type without parameters, in lower case. */
export function mediaType(contentType: string): string {
  // As nearly every peer writes what nearly every message carries.
  if (contentType === SDP_TYPE) return SDP_TYPE;
  const semicolon = contentType.indexOf(';');
  return trimBlanks(semicolon < 0 ? contentType : contentType.slice(0, semicolon)).toLowerCase();
}

function isMultipart(type: string): boolean {
  return mediaType(type).startsWith('multipart/');
}

/** Takes a multipart body apart; a broken one gives the parts that could be read. */
export function partsOf(contentType: string, body: Uint8Array): BodyPart[] {
  return placedParts(contentType, wireOfBytes(body), 0);
}

function sdpPart(type: string, text: string, offset: number, depth: number): PlacedPart | undefined {
  for (const part of placedParts(type, text, offset)) {
    const inner = part.headers.get('content-type') ?? '';
    if (mediaType(inner) === SDP_TYPE) return part;
    if (!isMultipart(inner) || depth >= MAX_DEPTH) continue;
    const found = sdpPart(inner, part.content, part.contentAt, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Parts of a multipart text that stands at `offset` of the whole body. */
function placedParts(contentType: string, text: string, offset: number): PlacedPart[] {
  const semicolon = contentType.indexOf(';');
  const boundary = semicolon < 0 ? undefined : paramOf(contentType.slice(semicolon), 'boundary');
  if (boundary === undefined || boundary === '') return [];
  const parts: PlacedPart[] = [];
  let delimiter = nextDelimiter(text, boundary, 0);
  while (delimiter !== undefined && !delimiter.closing && parts.length < MAX_PARTS) {
    const next = nextDelimiter(text, boundary, delimiter.end);
    const part = partOf(text.slice(delimiter.end, next?.start), offset + delimiter.end);
    if (part !== undefined) parts.push(part);
    delimiter = next;
  }
  return parts;
}

/** RFC 2046 5.1.1: a line of two hyphens and the boundary, then only blanks; the line end before it belongs to it. */
function nextDelimiter(
  text: string,
  boundary: string,
  from: number,
): { readonly start: number; readonly end: number; readonly closing: boolean } | undefined {
  const line = `--${boundary}`;
  let at = from === 0 && text.startsWith(line) ? 0 : text.indexOf(`\r\n${line}`, from);
  while (at >= 0) {
    const behind = at + line.length + (text.charCodeAt(at) === 0x0d ? 2 : 0);
    const lineEnd = text.indexOf('\r\n', behind);
    const rest = trimBlanks(text.slice(behind, lineEnd < 0 ? undefined : lineEnd));
    if (rest === '--') return { start: at, end: text.length, closing: true };
    if (rest === '') return { start: at, end: lineEnd < 0 ? text.length : lineEnd, closing: lineEnd < 0 };
    at = text.indexOf(`\r\n${line}`, behind);
  }
  return undefined;
}

/** A part from its delimiter's line end on: its headers, a blank line, its content. */
function partOf(piece: string, offset: number): PlacedPart | undefined {
  const blank = piece.indexOf('\r\n\r\n');
  if (blank < 0) return undefined;
  const head = piece.slice(0, blank);
  const headers = new Map<string, string>();
  for (let at = blank === 0 ? -1 : 0; at >= 0; ) {
    const end = headerLineEnd(head, at + 2);
    const line = end < 0 ? head.slice(at + 2) : head.slice(at + 2, end);
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(canonicalName(trimBlanks(line.slice(0, colon))), unfolded(line.slice(colon + 1)));
    at = end;
  }
  return { headers, content: piece.slice(blank + 4), headAt: offset, contentAt: offset + blank + 4 };
}
