/**
 * An object as it lies in an IMAP store. It carries its key in a header of its own, so that an object that was stored
 * before a connection was lost is found again and not stored twice (invariant 10). A body that a server would change,
 * since it has NUL or line ends other than CRLF (RFC 3501 4.3.1), is in base64 there, and as it was when it is read.
 */
import { createHash } from 'node:crypto';

export const KEY_HEADER = 'X-CPM-Key';
/** Before a body in base64 that was something else; what the object says of its encoding keeps its place, renamed. */
const IN_BASE64 = 'X-CPM-Form: base64\r\nContent-Transfer-Encoding: base64\r\n';
const ENCODING = /^Content-Transfer-Encoding:/im;
const RENAMED = /^X-CPM-Encoding:/im;

/** The key as the header says it. */
export function keyToken(key: string): string {
  const token = /^[\w.@:+=-]{1,200}$/.test(key) ? key : createHash('sha256').update(key).digest('hex');
  return `<${token}>`;
}

/** The object as it is stored. */
export function stored(key: string, object: string): Buffer {
  const keyLine = `${KEY_HEADER}: ${keyToken(key)}\r\n`;
  const end = object.indexOf('\r\n\r\n') + 2;
  const body = object.slice(end + 2);
  if (end < 2 || !/\0|\r(?!\n)|(?<!\r)\n/.test(body)) return Buffer.from(keyLine + object, 'latin1');
  const head = object.slice(0, end).replace(ENCODING, 'X-CPM-Encoding:');
  const encoded = Buffer.from(body, 'latin1')
    .toString('base64')
    .replace(/.{1,76}/g, '$&\r\n');
  return Buffer.from(`${keyLine}${IN_BASE64}${head}\r\n${encoded}`, 'latin1');
}

/** The object as it was given, a wire string, and its key; whoever else stored it gave it none. */
export function asGiven(bytes: Buffer): { readonly token: string | undefined; readonly object: string } {
  const text = bytes.toString('latin1');
  const [line, token] = /^X-CPM-Key: (<[^\r\n]*>)\r\n/i.exec(text) ?? [''];
  const object = text.slice(line.length);
  if (!object.startsWith(IN_BASE64)) return { token, object };
  const end = object.indexOf('\r\n\r\n') + 2;
  const head = object.slice(IN_BASE64.length, end).replace(RENAMED, 'Content-Transfer-Encoding:');
  const body = Buffer.from(object.slice(end + 2), 'base64').toString('latin1');
  return { token, object: `${head}\r\n${body}` };
}
