/** The text of a mail that is HTML and nothing else: without markup, and without what it quotes in `blockquote`. */

/** Characters looked at; what somebody wrote stands at the beginning. */
const LONGEST = 262_144;
/** Elements whose content is no text. */
const NO_TEXT = ['script', 'style', 'head', 'title'];
/** Elements that begin a line. */
const BLOCKS = ['br', 'p', 'div', 'li', 'tr', 'h1', 'h2', 'h3', 'blockquote', 'table', 'ul', 'ol'];
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

export function textOfHtml(html: string): string {
  const whole = html.slice(0, LONGEST);
  const lower = whole.toLowerCase();
  let text = '';
  let quoted = 0;
  for (let at = 0; at < whole.length; ) {
    const open = whole.indexOf('<', at);
    const end = open < 0 ? whole.length : open;
    if (quoted === 0) text += whole.slice(at, end).replace(/\s+/g, ' ');
    if (open < 0) break;
    const close = whole.indexOf('>', open);
    if (close < 0) break;
    const [, slash = '', name = ''] = /^<(\/?)([a-z][a-z0-9]*)/.exec(lower.slice(open, open + 32)) ?? [];
    if (name === 'blockquote') quoted = Math.max(0, quoted + (slash === '' ? 1 : -1));
    if (quoted === 0 && BLOCKS.includes(name)) text += '\n';
    at = close + 1;
    if (slash !== '' || !NO_TEXT.includes(name)) continue;
    const over = lower.indexOf(`</${name}`, at);
    if (over < 0) break;
    at = over;
  }
  return unescaped(text)
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return NAMED[(name as string).toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex as string, 16) : Number(decimal);
    return code > 0x10ffff ? whole : String.fromCodePoint(code);
  });
}
