/**
 * Contact tokens: the original URI, encrypted and authenticated with AES-256-GCM under a key all nodes of a
 * cluster share. The nonce is derived from the URI, so the same URI gives the same token and can be kept ready.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import type { ContactCipher } from '../engine/identity.ts';
import { detached } from '../sip/message/header.ts';

/** Marks a token of ours, and its form, in front of the base64url text. */
const PREFIX = 'c1-';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Tokens kept ready; clients use the same Contact for all their sessions. */
const CACHED = 4096;
/** Longer URIs are sealed like any other, but each time anew: a stranger's long ones shall not fill memory. */
const LONGEST_CACHED = 1024;

/** `key` is any secret of at least 16 bytes. */
export function contactCipher(key: string | Uint8Array): ContactCipher {
  const encryptionKey = Buffer.from(hkdfSync('sha256', key, '', 'cpm-engine contact encryption', 32));
  const nonceKey = Buffer.from(hkdfSync('sha256', key, '', 'cpm-engine contact nonce', 32));
  const sealed = new Map<string, string>();

  function seal(uri: string): string {
    const nonce = createHmac('sha256', nonceKey).update(uri).digest().subarray(0, NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', encryptionKey, nonce);
    const text = Buffer.concat([nonce, cipher.update(uri, 'latin1'), cipher.final(), cipher.getAuthTag()]);
    return PREFIX + text.toString('base64url');
  }

  return {
    seal(uri) {
      const known = sealed.get(uri);
      if (known !== undefined) return known;
      const token = seal(uri);
      if (uri.length > LONGEST_CACHED) return token;
      if (sealed.size >= CACHED) sealed.delete(sealed.keys().next().value as string);
      sealed.set(detached(uri), token);
      return token;
    },
    open(token) {
      if (!token.startsWith(PREFIX)) return undefined;
      const text = Buffer.from(token.slice(PREFIX.length), 'base64url');
      if (text.length < NONCE_BYTES + TAG_BYTES) return undefined;
      try {
        const decipher = createDecipheriv('aes-256-gcm', encryptionKey, text.subarray(0, NONCE_BYTES));
        decipher.setAuthTag(text.subarray(text.length - TAG_BYTES));
        const end = text.length - TAG_BYTES;
        return decipher.update(text.subarray(NONCE_BYTES, end), undefined, 'latin1') + decipher.final('latin1');
      } catch {
        // Not made with our key: some other element's user part.
        return undefined;
      }
    },
  };
}
