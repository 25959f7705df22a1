/** MSRP identifiers from the operating system's randomness, and session-ids that a key makes. */
import { createHmac, hkdfSync } from 'node:crypto';
import type { MsrpIdentifiers } from '../msrp/message/identifiers.ts';
import { randomTokens } from './random-tokens.ts';

// RFC 4975 9: ident-char.
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
/** 15 letters of 5 bits: 75 bits, above the 64 that RFC 4975 7.1 asks of a transaction id. */
const LENGTH = 15;

export function nodeMsrpIdentifiers(): MsrpIdentifiers {
  return { token: randomTokens(LETTERS, LENGTH) };
}

/** RFC 4975 14.1 asks for 80 bits that nobody can guess; 20 letters of 6 bits have 120. */
const SESSION_ID_LETTERS = 20;

/**
 * Session-ids of MSRP paths, from a key that outlives the process: a session that is taken up after a restart has the
 * paths its peers know. `key` is any secret of at least 16 bytes.
 */
export function sessionIds(key: string | Uint8Array): (text: string) => string {
  const secret = Buffer.from(hkdfSync('sha256', key, '', 'cpm-engine msrp session-ids', 32));
  return (text) => createHmac('sha256', secret).update(text).digest('base64url').slice(0, SESSION_ID_LETTERS);
}
