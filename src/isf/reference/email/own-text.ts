/** What somebody wrote anew in an answer, without what it quotes, as far as that is clear from its form. */

/** Lines that begin a copy of the mail that is answered, in the forms of widespread programs. */
const COPY_BEGINS = [
  /^-{2,}\s*(?:original message|ursprüngliche nachricht|message d'origine|mensaje original)\s*-{2,}\s*$/i,
  /^_{10,}\s*$/,
];
/** RFC 3676 4.3 */
const SIGNATURE = /^-- ?$/;
/** `On Tue, 1 Dec 2026, Alice <…> wrote:`, perhaps over two lines. */
const ATTRIBUTION = /:\s*$/;
const ATTRIBUTION_LINES = 3;

/** The whole text where nothing is left, or where what is quoted stands between answers to it. */
export function ownText(text: string): string {
  const whole = text.replace(/\r\n?/g, '\n');
  const lines = whole.split('\n');
  const copy = lines.findIndex((line) => COPY_BEGINS.some((begins) => begins.test(line)));
  const kept = withoutQuote(copy < 0 ? lines : lines.slice(0, copy));
  const own = withoutSignature(kept).join('\n').trim();
  return own === '' ? whole.trim() : own;
}

function withoutSignature(lines: readonly string[]): readonly string[] {
  const at = lines.findLastIndex((line) => SIGNATURE.test(line));
  return at < 0 ? lines : lines.slice(0, at);
}

/** A quotation that everything ends with, and the line that leads to it. */
function withoutQuote(lines: readonly string[]): readonly string[] {
  const isQuote = (line: string): boolean => line.startsWith('>');
  let end = lines.length;
  // A signature may follow the quotation.
  const signature = lines.findLastIndex((line) => SIGNATURE.test(line));
  if (signature >= 0 && lines.slice(signature).every((line) => !isQuote(line))) end = signature;
  const behind = lines.slice(0, end).findLastIndex((line) => line.trim() !== '' && !isQuote(line));
  if (!lines.slice(behind + 1, end).some(isQuote)) return lines;
  return withoutAttribution(lines.slice(0, behind + 1));
}

function withoutAttribution(lines: readonly string[]): readonly string[] {
  if (!ATTRIBUTION.test(lines.at(-1) ?? '')) return lines;
  const lengths = Array.from({ length: Math.min(ATTRIBUTION_LINES, lines.length) }, (_, at) => at + 1);
  // Somebody is named, by an address or by a time; a sentence of one's own that ends in a colon names neither.
  const names = (length: number): boolean => /@|\d{1,2}[:.]\d{2}|\b\d{4}\b/.test(lines.slice(-length).join(' '));
  const begins = (length: number): boolean => /^(?:On|Am|Le|El|Il|Op|Den) /.test(lines.at(-length) ?? '');
  const length = lengths.find((each) => begins(each) && names(each)) ?? lengths.find(names);
  return length === undefined ? lines : lines.slice(0, -length);
}
