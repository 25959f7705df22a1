/** Words out of the operating system's randomness. */
import { randomFillSync } from 'node:crypto';

/** Words drawn in one go, since each draw is a system call. */
const AT_ONCE = 256;

/** Gives words of `length` letters. There must be 32 or 64 letters, so that a byte gives one without a remainder. */
export function randomTokens(letters: string, length: number): () => string {
  const mask = letters.length - 1;
  const pool = new Uint8Array(length * AT_ONCE);
  let at = pool.length;
  return () => {
    if (at === pool.length) {
      randomFillSync(pool);
      at = 0;
    }
    let token = '';
    for (const end = at + length; at < end; at++) token += letters[(pool[at] as number) & mask];
    return token;
  };
}
