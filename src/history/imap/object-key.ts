/**
 * The key of an object, which it carries in a header of its own: so an object that was stored before a connection was
 * lost is found again, and not stored twice (invariant 10).
 */
import { createHash } from 'node:crypto';

export const KEY_HEADER = 'X-CPM-Key';

/** The key as the header says it. */
export function keyToken(key: string): string {
  const token = /^[\w.@:+=-]{1,200}$/.test(key) ? key : createHash('sha256').update(key).digest('hex');
  return `<${token}>`;
}

/** The object as it is stored. */
export function keyed(key: string, object: string): Buffer {
  return Buffer.from(`${KEY_HEADER}: ${keyToken(key)}\r\n${object}`, 'latin1');
}

/** The object as it was given, a wire string, and its key; whoever else stored it gave it none. */
export function unkeyed(stored: Buffer): { readonly token: string | undefined; readonly object: string } {
  const text = stored.toString('latin1');
  const [line, token] = /^X-CPM-Key: (<[^\r\n]*>)\r\n/i.exec(text) ?? [''];
  return { token, object: text.slice(line.length) };
}
