/** Tags and keys from the operating system's randomness. */
import type { IdentifierSource } from '../sip/identifiers.ts';
import { randomTokens } from './random-tokens.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';
/** 12 letters of 6 bits: 72 bits, above the 32 that RFC 3261 19.3 asks for a tag. */
const LENGTH = 12;

export function nodeIdentifiers(): IdentifierSource {
  const drawn = randomTokens(LETTERS, LENGTH);
  return {
    // A session is named by it on the command line, where a hyphen in front would make an option of it.
    token: () => {
      const token = drawn();
      return token.startsWith('-') ? `_${token.slice(1)}` : token;
    },
  };
}
