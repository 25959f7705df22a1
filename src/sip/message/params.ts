/** Generic parameters, `;name=value` (RFC 3261 25.1 generic-param), read from their text when asked for. */
import { trimBlanks } from './bytes.ts';

const SEMICOLON = 0x3b;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** One parameter; `value` is undefined for a flag such as `;lr`, and unquoted for a quoted string. */
export interface Param {
  readonly name: string;
  readonly value: string | undefined;
}

/** All parameters of a text such as `;tag=1;lr`, names in lower case. Undefined where the text is broken. */
export function parseParams(text: string): Param[] | undefined {
  const params: Param[] = [];
  for (const piece of splitAtSemicolons(text)) {
    if (trimBlanks(piece) === '') continue;
    const equals = piece.indexOf('=');
    const name = trimBlanks(equals < 0 ? piece : piece.slice(0, equals)).toLowerCase();
    if (!isParamName(name)) return undefined;
    if (equals < 0) {
      params.push({ name, value: undefined });
      continue;
    }
    const raw = trimBlanks(piece.slice(equals + 1));
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
  return text === '' || WELL_FORMED.test(text);
}

/** Value of one parameter; '' for a flag, undefined where it is absent. `name` in lower case. */
export function paramOf(text: string, name: string): string | undefined {
  if (text === '') return undefined;
  for (const piece of splitAtSemicolons(text)) {
    const equals = piece.indexOf('=');
    const found = trimBlanks(equals < 0 ? piece : piece.slice(0, equals));
    if (found.length !== name.length || found.toLowerCase() !== name) continue;
    if (equals < 0) return '';
    const raw = trimBlanks(piece.slice(equals + 1));
    return raw.charCodeAt(0) === QUOTE ? unquote(raw) : raw;
  }
  return undefined;
}

/** The text without the named parameters; the others keep their spelling. */
export function withoutParams(text: string, ...names: readonly string[]): string {
  let kept = '';
  for (const piece of splitAtSemicolons(text)) {
    if (trimBlanks(piece) === '') continue;
    const equals = piece.indexOf('=');
    const name = trimBlanks(equals < 0 ? piece : piece.slice(0, equals)).toLowerCase();
    if (!names.includes(name)) kept += `;${trimBlanks(piece)}`;
  }
  return kept;
}

/** Splits at semicolons that stand outside quoted strings. */
function splitAtSemicolons(text: string): string[] {
  if (text.indexOf('"') < 0) return text.split(';');
  const pieces: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (quoted) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) quoted = false;
    } else if (code === QUOTE) quoted = true;
    else if (code === SEMICOLON) {
      pieces.push(text.slice(start, at));
      start = at + 1;
    }
  }
  pieces.push(text.slice(start));
  return pieces;
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
