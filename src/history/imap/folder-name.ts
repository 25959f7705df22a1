/**
 * Names of folders, made of Conversation-ID and Contribution-ID. Both come from strangers: what a server
 * forbids, treats as a pattern or takes for a level of the hierarchy is written `=XX`, byte by byte, and a name that
 * is too long becomes its hash. So a name is always one level below its parent, and most are what they stand for.
 */
import { createHash } from 'node:crypto';

/** Bytes; two of them and the root fit a file name of 255 bytes in Maildir++, in modified UTF-7 too. */
const LONGEST_NAME = 80;
/** No ordinary name has `=` before anything but two hexadecimal digits. */
const HASHED = /^=~[0-9a-f]{40}$/;
/** A dot is a level of the hierarchy to some servers, and refused by Maildir++ even where it is none. */
const PLAIN = /^[\p{L}\p{N}_@+-]$/u;

/** The name of a folder level for an identifier, a wire string. A hashed name stands for itself. */
export function folderName(id: string): string {
  if (HASHED.test(id)) return id;
  const bytes = bytesOf(id);
  const text = textOf(bytes);
  const name =
    text === undefined ? escaped(bytes.toString('latin1'), 'latin1', isAscii) : escaped(text, 'utf8', isPlain);
  if (name !== '' && Buffer.byteLength(name) <= LONGEST_NAME) return name;
  return `=~${createHash('sha256').update(bytes).digest('hex').slice(0, 40)}`;
}

/** The identifier a folder level was named for, a wire string; a hashed name stays as it is. */
export function idOfFolder(name: string): string {
  const bytes = Buffer.concat(
    name
      .split(/(=[0-9A-F]{2})/)
      .map((part, at) => (at % 2 === 1 ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part))),
  );
  return bytes.toString('latin1');
}

function bytesOf(id: string): Buffer {
  return /[^\0-\xff]/.test(id) ? Buffer.from(id, 'utf8') : Buffer.from(id, 'latin1');
}

/** Undefined where the bytes are no UTF-8, or text that a server might normalise into another name. */
function textOf(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) && text.normalize('NFC') === text ? text : undefined;
}

const isPlain = (letter: string): boolean => PLAIN.test(letter);
const isAscii = (letter: string): boolean => letter < '\x80' && PLAIN.test(letter);

function escaped(text: string, encoding: 'utf8' | 'latin1', passes: (letter: string) => boolean): string {
  return [...text]
    .map((letter) => {
      if (passes(letter)) return letter;
      const bytes = [...Buffer.from(letter, encoding)];
      return bytes.map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
    })
    .join('');
}
