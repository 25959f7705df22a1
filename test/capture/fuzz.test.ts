/** Whatever the bytes of a capture are: it is read as far as that goes, or refused with the reader's own error. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { analysed } from '../../src/capture/analysis.ts';
import { CaptureError } from '../../src/capture/capture-error.ts';
import { hearingOf } from '../../src/capture/read.ts';
import { SeededRandom } from '../../src/testing/index.ts';

const ROUNDS = 400;

function mutated(file: Buffer, random: SeededRandom): Buffer {
  let copy = Buffer.from(file);
  const place = (): number => Math.floor(random.next() * copy.length);
  for (let count = 1 + Math.floor(random.next() * 12); count > 0; count--) {
    const kind = random.next();
    const [at, length] = [place(), Math.floor(random.next() * 80)];
    if (kind < 0.5) copy[at] = Math.floor(random.next() * 256);
    else if (kind < 0.65) copy = Buffer.concat([copy.subarray(0, at), copy.subarray(at + length)]);
    else if (kind < 0.8)
      copy = Buffer.concat([copy.subarray(0, at), copy.subarray(place(), place() + length), copy.subarray(at)]);
    else if (kind < 0.95) copy.fill(kind < 0.87 ? 0xff : 0, at, Math.min(at + 4, copy.length));
    else copy = copy.subarray(0, at);
    if (copy.length === 0) return copy;
  }
  return copy;
}

/** True where something was read to the end. */
function survives(file: Uint8Array): boolean {
  try {
    analysed(hearingOf([file]), { nodes: [], iwfs: [] });
    return true;
  } catch (error) {
    if (error instanceof CaptureError) return false;
    throw error;
  }
}

describe('a mutated capture', () => {
  it.each(['demo.pcap', 'two-udp-phones.pcapng'])('%s', (name) => {
    const file = readFileSync(new URL(`fixtures/${name}`, import.meta.url));
    // Most damage is done where it hurts: in the headers of the first packets.
    const start = file.subarray(0, 6000);
    let read = 0;
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const random = new SeededRandom(seed);
      const whole = seed % 4 === 0;
      if (survives(mutated(whole ? file : start, random))) read++;
    }
    // Not all of it is refused at the door, else nothing behind it was tried.
    expect(read).toBeGreaterThan(ROUNDS / 10);
  });

  it('of noise', () => {
    const random = new SeededRandom(99);
    for (let round = 0; round < 100; round++) {
      const noise = Uint8Array.from({ length: 2000 }, () => Math.floor(random.next() * 256));
      const header = readFileSync(new URL('fixtures/demo.pcap', import.meta.url)).subarray(0, 24);
      survives(noise);
      survives(Buffer.concat([header, noise]));
    }
  });
});
