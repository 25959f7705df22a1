/** Who may ask the admin side: whoever bears its token, or without one, whoever asks from this host. */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isLoopbackHost } from '../config/host-port.ts';

export const NOT_FROM_HERE = 'without a token only this host is answered: give admin.token, or ask for 127.0.0.1';

/** A page from elsewhere, in a browser on this host, reaches loopback too: its own name or origin gives it away. */
export function isFromHere({ host = '', origin }: IncomingHttpHeaders): boolean {
  return isLoopbackHost(hostOf(host)) && (origin === undefined || isLoopbackHost(hostOf(origin)));
}

function hostOf(text: string): string {
  return text
    .replace(/^https?:\/\//, '')
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '');
}

export function bears(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** The page that asks is of the host it asks, or one of those named; no page at all is fine. */
export function isOwnOrigin({ host = '', origin }: IncomingHttpHeaders, others: readonly string[]): boolean {
  return origin === undefined || others.includes(origin) || origin.replace(/^https?:\/\//, '') === host;
}
