/** Addresses as the configuration writes them: `127.0.0.1:5060`, `[::1]:5060`, `pf.home.example:5060`. */
import { isIPv4, isIPv6 } from 'node:net';

/** Port 0 is fine: it takes a free one. */
export function isHostAndPort(text: string): boolean {
  const [, host = '', port = ''] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host === '' || Number(port) > 65_535) return false;
  if (host.startsWith('[')) return host.endsWith(']') && isIPv6(host.slice(1, -1));
  // All digits and dots is meant as an IPv4 address, never as a name.
  return /^[\d.]+$/.test(host) ? isIPv4(host) : /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(host);
}

/** The host without its brackets, and the port. */
export function hostAndPort(text: string): { readonly host: string; readonly port: number } {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}

export function isLoopbackHost(host: string): boolean {
  return host.startsWith('127.') || host === '::1' || host === 'localhost';
}
