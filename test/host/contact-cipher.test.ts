/** Contact tokens are kept ready, and nothing else of the messages they were made for. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { contactCipher } from '../../src/host/contact-cipher.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function liveHeap(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

const MESSAGES = 1000;
const PADDING = 'x'.repeat(20_000);

/** A Contact as it is cut out of a message of 20 kB. */
function contactOfMessage(number: number): string {
  const message = Buffer.from(`Contact: <sip:alice@192.0.2.1:${number}>\r\n${PADDING}`).toString('latin1');
  return message.slice(message.indexOf('<') + 1, message.indexOf('>'));
}

describe('contact tokens', () => {
  it('keep no message alive that a Contact came in', () => {
    const cipher = contactCipher('0123456789abcdef');
    cipher.seal(contactOfMessage(0));
    const before = liveHeap();
    for (let number = 1; number <= MESSAGES; number++) cipher.seal(contactOfMessage(number));
    expect(liveHeap() - before).toBeLessThan(MESSAGES * 2000);
    expect(cipher.open(cipher.seal(contactOfMessage(1)))).toBe('sip:alice@192.0.2.1:1');
  });
});
