/**
 * Patterns over addresses, as policy rules name them. Only `*` is special, so no pattern can take long: each piece
 * between stars is looked for once, from left to right.
 *
 * - `tel:+49*`, `sip:*@partner.example`: the whole address, without parameters
 * - `mailto:`: any address of this scheme
 * - `partner.example`, `*.partner.example`: the domain
 */
import { identityKey, isSipUri, parseUri } from '../sip/message/uri.ts';

/** An address as patterns see it, all in lower case. */
export interface Address {
  readonly scheme: string;
  /** Empty where the scheme has none, as tel. */
  readonly domain: string;
  /** The address as it stands without parameters, and where it differs in the one form all its spellings have. */
  readonly forms: readonly string[];
}

export interface AddressPattern {
  readonly text: string;
  matches(address: Address): boolean;
}

export const MAX_PATTERN = 256;
/** Of a longer address only both ends are looked at: whoever writes one must not decide what it costs. */
const MAX_ADDRESS = 1024;

export function addressOf(uriText: string): Address {
  const uri = parseUri(uriText);
  const key = bounded(identityKey(uriText).toLowerCase());
  if (uri === undefined) return { scheme: '', domain: '', forms: [key] };
  if (isSipUri(uri)) {
    const plain = bounded(`${uri.scheme}:${uri.user === undefined ? '' : `${uri.user}@`}${uri.host}`.toLowerCase());
    return { scheme: uri.scheme, domain: uri.host, forms: plain === key ? [key] : [plain, key] };
  }
  const bare = /^[^;?]*/.exec(key)?.[0] ?? '';
  const at = bare.lastIndexOf('@');
  return { scheme: uri.scheme, domain: at < 0 ? '' : bare.slice(at + 1), forms: [bare] };
}

function bounded(text: string): string {
  return text.length <= MAX_ADDRESS ? text : text.slice(0, MAX_ADDRESS / 2) + text.slice(-MAX_ADDRESS / 2);
}

/** What is wrong with a pattern; undefined where it is one. */
export function patternMistake(text: string): string | undefined {
  if (text.length > MAX_PATTERN) return `expected at most ${MAX_PATTERN} characters`;
  return /^[!-~]+$/.test(text)
    ? undefined
    : 'expected a pattern such as tel:+49*, sip:*@partner.example, mailto: or *.partner.example';
}

/** Throws a TypeError where it is no pattern. */
export function addressPattern(text: string): AddressPattern {
  const mistake = patternMistake(text);
  if (mistake !== undefined) throw new TypeError(`${text}: ${mistake}`);
  const wanted = text.toLowerCase();
  if (wanted.endsWith(':') && !wanted.slice(0, -1).includes(':')) {
    const scheme = wanted.slice(0, -1);
    return { text, matches: (address) => address.scheme === scheme };
  }
  const fits = glob(wanted);
  if (wanted === '*') return { text, matches: () => true };
  return wanted.includes(':')
    ? { text, matches: ({ forms }) => forms.some(fits) }
    : { text, matches: ({ domain }) => domain !== '' && fits(domain) };
}

/** `*` stands for any text, also none. */
function glob(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return (text) => text === pattern;
  return (text) => {
    if (!text.startsWith(first)) return false;
    let at = first.length;
    for (const piece of rest) {
      const found = text.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return text.length - last.length >= at && text.endsWith(last);
  };
}
