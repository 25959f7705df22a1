/**
 * A text as short messages: GSM 7 bit where its alphabet is enough, else UCS-2 (3GPP TS 23.038 4); several parts with
 * a header each where one is not enough (TS 23.040 9.2.3.24.1).
 */
import { gsm7Of } from './gsm7.ts';

export interface ShortMessage {
  /** SMPP 3.4 5.2.19: 0 the SMSC's default alphabet, taken to be GSM 7 bit; 8 UCS-2. */
  readonly dataCoding: 0 | 8;
  /** `short_message` of each part, its header in front of the text. */
  readonly parts: readonly Buffer[];
}

/** Octets of a short message's user data. */
const USER_DATA = 140;
/** A header for concatenation with its length: 05 00 03 reference total number. */
const HEADER = 6;
/** TS 23.040 9.2.3.16: 160 septets; behind a header, 153 of what is left, since septets begin at a septet's border. */
const SEPTETS = { alone: 160, behindHeader: 153 };
const OCTETS = { alone: USER_DATA, behindHeader: USER_DATA - HEADER };

/** `reference`: 0 to 255, another one for each text to the same number within a while. */
export function shortMessageOf(text: string, reference: number): ShortMessage {
  const septets = gsm7Of(text);
  if (septets !== undefined) {
    // A septet is an octet here, so lengths are counted in septets.
    return { dataCoding: 0, parts: partsOf(septets, SEPTETS, reference) };
  }
  return { dataCoding: 8, parts: partsOf(ucs2Of(text), OCTETS, reference) };
}

/** Big endian; a character outside the basic plane is two units that stay together. */
function ucs2Of(text: string): readonly (readonly number[])[] {
  return [...text].map((letter) => [...Buffer.from(letter, 'utf16le').swap16()]);
}

function partsOf(
  letters: readonly (readonly number[])[],
  room: { readonly alone: number; readonly behindHeader: number },
  reference: number,
): readonly Buffer[] {
  const whole = letters.flat();
  if (whole.length <= room.alone) return [Buffer.from(whole)];
  const texts: number[][] = [[]];
  for (const letter of letters) {
    // No character is cut: neither an escape from what it escapes nor half of a surrogate pair.
    if ((texts.at(-1) as number[]).length + letter.length > room.behindHeader) texts.push([]);
    texts.at(-1)?.push(...letter);
  }
  const total = texts.length;
  return texts.map((text, at) => Buffer.from([5, 0, 3, reference & 0xff, total & 0xff, at + 1, ...text]));
}
