/**
 * The GSM 7 bit default alphabet (3GPP TS 23.038 6.2.1), one septet an octet, as SMPP has it in data coding 0. Characters
 * of the extension table are an escape and one more.
 */

const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
const ESCAPE = 0x1b;
/** 6.2.1.1 */
const EXTENSION: Readonly<Record<string, number>> = {
  '\f': 0x0a,
  '^': 0x14,
  '{': 0x28,
  '}': 0x29,
  '\\': 0x2f,
  '[': 0x3c,
  '~': 0x3d,
  ']': 0x3e,
  '|': 0x40,
  '€': 0x65,
};

const SEPTETS = new Map<string, readonly number[]>([
  ...[...BASIC].flatMap((letter, code): [string, readonly number[]][] => (code === ESCAPE ? [] : [[letter, [code]]])),
  ...Object.entries(EXTENSION).map(([letter, code]): [string, readonly number[]] => [letter, [ESCAPE, code]]),
]);

/** Septets of each character; undefined where one of them is not in the alphabet. */
export function gsm7Of(text: string): readonly (readonly number[])[] | undefined {
  const letters: (readonly number[])[] = [];
  for (const letter of text) {
    const septets = SEPTETS.get(letter);
    if (septets === undefined) return undefined;
    letters.push(septets);
  }
  return letters;
}
