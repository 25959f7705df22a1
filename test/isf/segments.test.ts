/** Texts as short messages: alphabets and parts (3GPP TS 23.038, TS 23.040 9.2.3.24.1). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { shortMessageOf } from '../../src/isf/reference/sms/segments.ts';

const REFERENCE = 0x1a7;

/** Texts of the parts, their headers checked. */
function bodies(parts: readonly Buffer[]): Buffer[] {
  if (parts.length === 1) return [...parts];
  return parts.map((part, at) => {
    expect([...part.subarray(0, 6)]).toEqual([5, 0, 3, 0xa7, parts.length, at + 1]);
    return part.subarray(6);
  });
}

describe('the alphabet', () => {
  it('GSM 7 bit where it is enough, an octet for each septet, two for what is in the extension table', () => {
    expect(shortMessageOf('@Aé€', 0)).toEqual({ dataCoding: 0, parts: [Buffer.from([0x00, 0x41, 0x05, 0x1b, 0x65])] });
  });

  it('UCS-2 as soon as one letter is not in it', () => {
    const { dataCoding, parts } = shortMessageOf('Až', 0);
    expect(dataCoding).toBe(8);
    expect(parts).toEqual([Buffer.from([0x00, 0x41, 0x01, 0x7e])]);
  });

  it('a text that holds an escape of its own goes as UCS-2, since it can not be told from one of ours', () => {
    expect(shortMessageOf('\x1b', 0).dataCoding).toBe(8);
  });
});

describe('parts', () => {
  it.each([
    ['GSM 7 bit', 'a', 160, 153],
    ['UCS-2', 'ж', 70, 67],
  ])('%s: the longest that stands alone, and what fits behind a header', (_name, letter, alone, behind) => {
    const units = letter === 'a' ? 1 : 2;
    expect(shortMessageOf(letter.repeat(alone), REFERENCE).parts).toHaveLength(1);
    const two = bodies(shortMessageOf(letter.repeat(alone + 1), REFERENCE).parts);
    expect(two.map(({ length }) => length / units)).toEqual([behind, alone + 1 - behind]);
    expect(shortMessageOf(letter.repeat(2 * behind), REFERENCE).parts).toHaveLength(2);
    expect(shortMessageOf(letter.repeat(2 * behind + 1), REFERENCE).parts).toHaveLength(3);
  });

  it('no part of UCS-2 is longer than a short message, nor of GSM 7 bit once it is packed', () => {
    for (const part of shortMessageOf('ж'.repeat(500), 0).parts) expect(part.length).toBeLessThanOrEqual(140);
    // 48 bits of header, filled up to 49, and 153 septets.
    for (const part of shortMessageOf('a'.repeat(500), 0).parts) expect(part.length - 6).toBeLessThanOrEqual(153);
  });

  it('an escape stays with what it escapes', () => {
    const [first, second] = bodies(shortMessageOf(`${'a'.repeat(152)}€${'b'.repeat(20)}`, REFERENCE).parts);
    expect(first).toHaveLength(152);
    expect([...second!.subarray(0, 2)]).toEqual([0x1b, 0x65]);
  });

  it('a character outside the basic plane stays whole', () => {
    const [first, second] = bodies(shortMessageOf(`${'ж'.repeat(66)}😀${'ж'.repeat(10)}`, REFERENCE).parts);
    expect(first).toHaveLength(66 * 2);
    expect(Buffer.from(second!.subarray(0, 4)).swap16().toString('utf16le')).toBe('😀');
  });

  it('whatever is written, the parts put together are the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), (text) => {
        const { dataCoding, parts } = shortMessageOf(`${text}ж`, REFERENCE);
        expect(dataCoding).toBe(8);
        const decoded = bodies(parts).map((body) => Buffer.from(body).swap16().toString('utf16le'));
        expect(decoded.join('')).toBe(`${text}ж`);
      }),
    );
  });
});
