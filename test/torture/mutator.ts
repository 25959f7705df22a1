/** Damages messages, the same way again for the same seed. */
import type { SeededRandom } from '../../src/testing/index.ts';

/** What grammars stumble over. */
const MORSELS = [
  '\r\n',
  '\n',
  '\r',
  '\r\n\r\n',
  '\r\n ',
  '\0',
  '"',
  '\\',
  ';',
  ';;',
  ',',
  '<',
  '>',
  '%',
  '%00',
  '@',
  ':',
  '=',
  '?',
  ' ',
  '\t',
  '\xa0',
  '\xc3\xa9',
  '\xff',
  ';tag=',
  ';tag=x',
  ';lr',
  ';branch=z9hG4bK',
  ';maddr=10.9.9.9',
  ';received=10.9.9.9',
  ';rport',
  ';transport=tcp',
  '*',
  'SIP/2.0',
  'sip:',
  'tel:+1',
  '[::1]',
  '-1',
  '0',
  '4294967296',
];
const LINES = [
  'Content-Length: 0',
  'l: 99999999999',
  'Route: <sip:10.0.0.10;lr>',
  'Record-Route: <sip:evil.example>',
  'Via: SIP/2.0/UDP 10.0.0.10:5060;branch=z9hG4bKx',
  'Contact: *',
  'Require: 100rel',
  'RSeq: 1',
  'RAck: 1 1 INVITE',
  'Session-Expires: 1',
  'Min-SE: 99999999999',
  'Max-Forwards: 0',
  'Content-Type: multipart/mixed;boundary=x',
  'Replaces: x;to-tag=1;from-tag=2',
];
const NUMBERS = [
  '0',
  '1',
  '-1',
  '00000000000000000001',
  '65536',
  '2147483647',
  '2147483648',
  '4294967296',
  '9'.repeat(40),
];
const METHODS = [
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'PRACK',
  'UPDATE',
  'INFO',
  'OPTIONS',
  'MESSAGE',
  'REGISTER',
  'NOTIFY',
  'X',
];

type Mutation = (text: string, random: SeededRandom, others: readonly string[]) => string;

const pick = <T>(items: readonly T[], random: SeededRandom): T => items[random.below(items.length)] as T;
const put = (text: string, at: number, gone: number, piece: string): string =>
  text.slice(0, at) + piece + text.slice(at + gone);

/** Does something to one line. */
function withLine(text: string, random: SeededRandom, change: (lines: string[], at: number) => void): string {
  const lines = text.split('\r\n');
  change(lines, random.below(lines.length));
  return lines.join('\r\n');
}

const MUTATIONS: readonly Mutation[] = [
  // A byte flipped.
  (text, random) => {
    const at = random.below(text.length);
    return put(text, at, 1, String.fromCharCode(text.charCodeAt(at) ^ (1 << random.below(8))));
  },
  // Bytes deleted, from a few to a line or so.
  (text, random) => put(text, random.below(text.length), 1 + random.below(pick([2, 20, 200], random)), ''),
  (text, random) => put(text, random.below(text.length), 0, pick(MORSELS, random)),
  (text, random) => withLine(text, random, (lines, at) => lines.splice(at, 0, lines[at] ?? '')),
  (text, random) => withLine(text, random, (lines, at) => lines.splice(at, 1)),
  (text, random) =>
    withLine(text, random, (lines, at) => lines.splice(random.below(lines.length), 0, ...lines.splice(at, 1))),
  (text, random) => withLine(text, random, (lines, at) => lines.splice(1 + at, 0, pick(LINES, random))),
  // A line of another message.
  (text, random, others) =>
    withLine(text, random, (lines, at) =>
      lines.splice(at, random.below(2), pick(pick(others, random).split('\r\n'), random)),
    ),
  // Spliced with another message.
  (text, random, others) => {
    const other = pick(others, random);
    return text.slice(0, random.below(text.length)) + other.slice(random.below(other.length));
  },
  // A number blown up.
  (text, random) => {
    const numbers = [...text.matchAll(/\d+/g)];
    if (numbers.length === 0) return text;
    const { 0: number, index } = pick(numbers, random);
    return put(text, index, number.length, pick(NUMBERS, random));
  },
  (text, random) => text.slice(0, random.below(text.length)),
  // A piece repeated.
  (text, random) => {
    const at = random.below(text.length);
    const piece = text.slice(at, at + 1 + random.below(30));
    return put(text, at, 0, piece.repeat(1 + random.below(pick([3, 300], random))));
  },
  // Another method, in the start line, in CSeq, or in both.
  (text, random) => {
    const method = pick(METHODS, random);
    const started = random.below(3) === 0 ? text : text.replace(/^[^ ]+(?= \S+ SIP)/, method);
    return random.below(3) === 0 ? started : started.replace(/(CSeq: ?\d+ )\S+/i, `$1${method}`);
  },
  // A header's value gone, or moved to another header.
  (text, random) => withLine(text, random, (lines, at) => lines.splice(at, 1, (lines[at] ?? '').replace(/:.*$/, ':'))),
  (text, random) =>
    withLine(text, random, (lines, at) => {
      const value = (lines[at] ?? '').replace(/^[^:]*:/, '');
      const to = random.below(lines.length);
      lines[to] = (lines[to] ?? '').replace(/:.*$/, `:${value.replaceAll('$', '')}`);
    }),
  // Folded where a blank is.
  (text, random) => {
    const blanks = [...text.matchAll(/ /g)];
    return blanks.length === 0 ? text : put(text, pick(blanks, random).index, 1, '\r\n ');
  },
];

/** The message with one to four wounds. `others` are messages to take pieces from. Wire strings. */
export function mutated(text: string, random: SeededRandom, others: readonly string[]): string {
  let changed = text;
  for (let wounds = 1 + random.below(4); wounds > 0 && changed !== ''; wounds--) {
    changed = pick(MUTATIONS, random)(changed, random, others);
  }
  // Beyond a datagram nothing arrives whole.
  return changed.slice(0, 65_000);
}
