/** What every picture shares: its frame, its colours by day and by night, and text whose width no font decides. */

export interface Picture {
  /** Class of the outermost element. */
  readonly kind: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Said by a screen reader. */
  readonly title: string;
  /** Style sheet of this kind of picture; empty for a page that has its own. */
  readonly style: string;
}

/**
 * Colours by name. A picture paints its own paper, so that it is legible wherever it is shown, also where the page
 * around it is dark and the reader's system is not.
 */
const DAY =
  '--paper:#ffffff;--outer:#f6f8fa;--box:#ffffff;--ink:#1f2328;--soft:#59636e;--faint:#c8d1da;--line:#57606a;--event:#0550ae;--guard:#8a4600;--action:#116329;--lit:#ddf4ff;--bad:#a40e26';
const NIGHT =
  '--paper:#0d1117;--outer:#151b23;--box:#0d1117;--ink:#f0f6fc;--soft:#9198a1;--faint:#3d444d;--line:#9198a1;--event:#79c0ff;--guard:#ffa657;--action:#7ee787;--lit:#0c2d6b;--bad:#ff7b72';

/** The colours for `svg` elements of this kind, for a style sheet. */
export function colours(kind: string): string {
  return `svg.${kind}{${DAY}}\n@media (prefers-color-scheme:dark){svg.${kind}{${NIGHT}}}`;
}

const FONT = "'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',monospace";

export function styled(picture: Picture, parts: readonly string[]): string {
  const { kind, width, height, title, style } = picture;
  const sheet =
    style === '' ? '' : `<style>${colours(kind)}\nsvg.${kind} text{font-family:${FONT}}${style}\n</style>\n`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="${kind}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">\n`,
    `${sheet}<rect width="${width}" height="${height}" rx="6" fill="var(--paper)"/>\n`,
    ...parts.map((part) => `${part}\n`),
    '</svg>\n',
  ].join('');
}

export interface TextPlace {
  readonly x: number;
  /** Of the line the letters stand on. */
  readonly y: number;
  /** Width of one letter, pixels. */
  readonly width: number;
  /** Font size, pixels. */
  readonly size: number;
  readonly classes?: string;
  readonly anchor?: 'start' | 'middle';
}

/** A line of text, fitted to the width it was laid out with, whatever font shows it. */
export function text(place: TextPlace, spans: readonly { readonly text: string; readonly classes?: string }[]): string {
  const whole = spans.map((span) => span.text).join('');
  const indent = whole.length - whole.trimStart().length;
  const shown = whole.trim().length;
  const x = tenth(place.x + (place.anchor === 'middle' ? 0 : indent * place.width));
  const inner = spans.map(({ text, classes }, at) => {
    const words = escaped(at === 0 ? text.trimStart() : text);
    return classes === undefined ? words : `<tspan class="${classes}">${words}</tspan>`;
  });
  const classes = place.classes === undefined ? '' : ` class="${place.classes}"`;
  const anchor = place.anchor === 'middle' ? ' text-anchor="middle"' : '';
  return `<text${classes}${anchor} x="${x}" y="${tenth(place.y)}" font-size="${place.size}" textLength="${tenth(shown * place.width)}" lengthAdjust="spacingAndGlyphs">${inner.join('')}</text>`;
}

export function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
