/** Times and sizes as a person reads them. */

/** `0.4 s`, `12 s`, `3:05`, `1:02:03`. */
export function duration(ms: number): string {
  const sign = ms < 0 ? '−' : '';
  const size = Math.abs(ms);
  if (size < 10_000) return `${sign}${(Math.floor(size / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(size / 1000);
  if (seconds < 60) return `${sign}${seconds} s`;
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours === 0
    ? `${sign}${minutes}:${two(seconds % 60)}`
    : `${sign}${hours}:${two(minutes)}:${two(seconds % 60)}`;
}

/** Since the beginning of what is shown: `+0.012`, `+75.400`. Seconds. */
export function offset(ms: number): string {
  return `${ms < 0 ? '−' : '+'}${(Math.abs(ms) / 1000).toFixed(3)}`;
}

/** `512 B`, `1.4 kB`, `12 MB`. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1000, 'kB'] : [bytes / 1_000_000, 'MB'];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** `12 345`, with thin spaces. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, '\u2009');
}

/** Any data in one line, cut where it is long. */
export function brief(value: unknown, longest = 120): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined');
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

/** `sip:alice@home.example` without its scheme, where that says nothing. */
export function shortUri(uri: string): string {
  return uri.replace(/^sips?:/, '').replace(/;user=phone$/, '');
}

/** `byeFromClient` as words: `bye from client`. */
export function words(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, (_all, before: string, after: string) => `${before} ${after.toLowerCase()}`);
}
