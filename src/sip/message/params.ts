/** Generic parameters, `;name=value` (RFC 3261 25.1 generic-param), read from their text when asked for. */
import { characters, runEnd, trimBlanks, trimmedSlice } from './bytes.ts';

const SEMICOLON = 0x3b;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const EQUALS = 0x3d;

/** One parameter; `value` is undefined for a flag such as `;lr`, and unquoted for a quoted string. */
export interface Param {
  readonly name: string;
  readonly value: string | undefined;
}

/** All parameters of a text such as `;tag=1;lr`, names in lower case. Undefined where the text is broken. */
export function parseParams(text: string): Param[] | undefined {
  const params: Param[] = [];
  const quoted = text.indexOf('"') >= 0;
  for (let start = 0, end = 0; start < text.length; start = end + 1) {
    end = pieceEnd(text, start, quoted);
    const piece = text.slice(start, end);
    if (trimBlanks(piece) === '') continue;
    const equals = piece.indexOf('=');
    const name = trimBlanks(equals < 0 ? piece : piece.slice(0, equals)).toLowerCase();
    if (!isParamName(name)) return undefined;
    if (equals < 0) {
      params.push({ name, value: undefined });
      continue;
    }
    const raw = trimmedSlice(piece, equals + 1, piece.length);
    if (raw.charCodeAt(0) === QUOTE) {
      if (raw.length < 2 || raw.charCodeAt(raw.length - 1) !== QUOTE) return undefined;
      params.push({ name, value: unquote(raw) });
    } else params.push({ name, value: raw });
  }
  return params;
}

const WELL_FORMED =
  /^(?:[ \t]*;[ \t]*[A-Za-z0-9\-.!%*_+`'~]+(?:[ \t]*=[ \t]*(?:"(?:[^"\\]|\\.)*"|[^ \t;,"<>]*))?)*[ \t]*$/s;

/** True where a header's parameters can be read in one way only: no empty one, every name a token, quotes closed. */
export function wellFormedParams(text: string): boolean {
  return isPlain(text) || WELL_FORMED.test(text);
}

const NAME = characters("A-Za-z0-9\\-.!%*_+`'~");
const VALUE = characters('^ \\t;,"<>');

/** Parameters as most peers write them: without blanks and quotes. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; ) {
    const name = runEnd(text, at + 1, NAME);
    if (text.charCodeAt(at) !== SEMICOLON || name === at + 1) return false;
    at = text.charCodeAt(name) === EQUALS ? runEnd(text, name + 1, VALUE) : name;
  }
  return true;
}

/** Value of one parameter; '' for a flag, undefined where it is absent. `name` in lower case. */
export function paramOf(text: string, name: string): string | undefined {
  const quoted = text.indexOf('"') >= 0;
  for (let start = 0; start < text.length; ) {
    const end = pieceEnd(text, start, quoted);
    const after = nameEnd(text, start, end, name);
    if (after >= 0) {
      if (after === end) return '';
      const raw = trimmedSlice(text, after + 1, end);
      return raw.charCodeAt(0) === QUOTE ? unquote(raw) : raw;
    }
    start = end + 1;
  }
  return undefined;
}

/** Where the piece that begins here ends: at the next semicolon outside quotes, or at the end of the text. */
function pieceEnd(text: string, start: number, quoted: boolean): number {
  if (!quoted) {
    const semicolon = text.indexOf(';', start);
    return semicolon < 0 ? text.length : semicolon;
  }
  let inside = false;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inside && code === BACKSLASH) at++;
    else if (code === QUOTE) inside = !inside;
    else if (code === SEMICOLON && !inside) return at;
  }
  return text.length;
}

const BLANKS = characters(' \\t');

/** Where the equals sign of a piece with this name is, or its end for a flag; -1 where the name is another. */
function nameEnd(text: string, start: number, end: number, name: string): number {
  const first = runEnd(text, start, BLANKS);
  const last = first + name.length;
  if (last > end || !standsAt(text, first, name)) return -1;
  const after = runEnd(text, last, BLANKS);
  if (after >= end) return end;
  return text.charCodeAt(after) === EQUALS ? after : -1;
}

/** True where this name in lower case stands here, in any case. */
function standsAt(text: string, start: number, name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const wanted = name.charCodeAt(at);
    const found = text.charCodeAt(start + at);
    if (found !== wanted && (found < 0x41 || found > 0x5a || found + 0x20 !== wanted)) return false;
  }
  return true;
}

/** The text without the named parameters; the others keep their spelling. */
export function withoutParams(text: string, ...names: readonly string[]): string {
  const quoted = text.indexOf('"') >= 0;
  let kept = '';
  for (let start = 0; start < text.length; ) {
    const end = pieceEnd(text, start, quoted);
    if (!isNamed(text, start, end, names)) {
      const piece = trimmedSlice(text, start, end);
      if (piece !== '') kept += `;${piece}`;
    }
    start = end + 1;
  }
  return kept;
}

function isNamed(text: string, start: number, end: number, names: readonly string[]): boolean {
  for (const name of names) if (nameEnd(text, start, end, name) >= 0) return true;
  return false;
}

/** The content of a quoted string, backslash escapes resolved (RFC 3261 25.1 quoted-string). */
export function unquote(quoted: string): string {
  const inner = quoted.slice(1, -1);
  return inner.indexOf('\\') < 0 ? inner : inner.replace(/\\(.)/gs, '$1');
}

/** A quoted string with the given content. */
export function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

// RFC 3261 25.1: token. Colons and brackets appear in the wild in feature tags such as `+g.oma.sip-im`.
const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

/** True for an RFC 3261 token, the form of methods, option tags and parameter names. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

function isParamName(name: string): boolean {
  return TOKEN.test(name);
}
