/** Tags and keys from the operating system's randomness. */
import type { IdentifierSource } from '../sip/identifiers.ts';
import { randomTokens } from './random-tokens.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';
/** 12 letters of 6 bits: 72 bits, above the 32 that RFC 3261 19.3 asks for a tag. */
const LENGTH = 12;

export function nodeIdentifiers(): IdentifierSource {
  return { token: randomTokens(LETTERS, LENGTH) };
}
