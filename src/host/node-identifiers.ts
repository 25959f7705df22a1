/** Tags and keys from the operating system's randomness. */
import { randomFillSync } from 'node:crypto';
import type { IdentifierSource } from '../sip/identifiers.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';
/** 12 letters of 6 bits: 72 bits, above the 32 that RFC 3261 19.3 asks for a tag. */
const LENGTH = 12;

/** Drawn in one go and used up letter by letter, since each draw is a system call. */
export function nodeIdentifiers(): IdentifierSource {
  const pool = new Uint8Array(LENGTH * 256);
  let at = pool.length;
  return {
    token() {
      if (at === pool.length) {
        randomFillSync(pool);
        at = 0;
      }
      let token = '';
      for (const end = at + LENGTH; at < end; at++) token += LETTERS[(pool[at] as number) & 63];
      return token;
    },
  };
}
