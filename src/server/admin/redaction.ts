/** Messages as they may be shown: numbers of people lose their end, words of people are left out. */
import { maskNumbers } from '../log.ts';

/** A number as the user part of a URI. */
const NUMBER = /\b((?:sips?|tel|im|pres|mailto):)(\+?\d{3,4})[\d().-]{3,}(?=[@;>\s,?"]|$)/gi;
/** Headers that hold what a person wrote. */
const WORDS = /^(subject|s)([ \t]*:[ \t]*)(.*)$/gim;
const SHOWN_BODY = /^(?:content-type|c)[ \t]*:[ \t]*application\/sdp\b/im;

/** A SIP message; of its body only a session description is shown. */
export function redactedMessage(text: string): string {
  const end = text.indexOf('\r\n\r\n');
  const head = end === -1 ? text : text.slice(0, end);
  const body = end === -1 ? '' : text.slice(end + 4);
  const shown = masked(head).replace(
    WORDS,
    (_line, name, colon, words) => `${name}${colon}(${words.length} characters)`,
  );
  if (end === -1) return shown;
  const kept = body === '' || SHOWN_BODY.test(head) ? masked(body) : `(${body.length} bytes)`;
  return `${shown}\r\n\r\n${kept}`;
}

function masked(text: string): string {
  return text.replace(NUMBER, '$1$2****');
}

/** The same data with the numbers in all its texts masked. */
export function redactedData<T>(data: T): T {
  if (typeof data === 'string') return maskNumbers(masked(data)) as T;
  if (Array.isArray(data)) return data.map(redactedData) as T;
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, redactedData(value)])) as T;
}
