/** Opening a listening socket, and saying what to do where that fails. */
import { lookup } from 'node:dns/promises';
import type { Server } from 'node:net';
import { isIP, isIPv6 } from 'node:net';
import type { TransportName } from '../flow.ts';

export interface ListenAddress {
  readonly transport: TransportName;
  /** IP literal without brackets, or a name that resolves to one of ours. `0.0.0.0` and `::` are all of their family. */
  readonly address: string;
  /** 0 takes a free port. */
  readonly port: number;
}

/** A socket that hears; `close` stops hearing and resolves when it is gone. */
export interface Listener {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'The address is in use: stop the program that holds it, or choose another port (0 takes a free one).',
  EACCES: 'Not permitted: choose a port from 1024 on, or give the process the right to bind low ones.',
  EPERM: 'Not permitted: choose a port from 1024 on, or give the process the right to bind low ones.',
  EADDRNOTAVAIL: 'No interface has this address: take one of this host, or 0.0.0.0 for all of them.',
  EAFNOSUPPORT: 'This host does not speak that address family: take an IPv4 address.',
  EINVAL: 'This is no address to listen on: take one of this host, or 0.0.0.0 for all of them.',
  ENOTFOUND: 'The name does not resolve: write the IP address instead.',
};

/** The error to give to whoever asked to listen: it names the address and what can be done. */
export function listenError(wanted: ListenAddress, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const remedy = REMEDIES[code ?? ''] ?? message;
  return new Error(`cannot listen on ${spelled(wanted)}. ${remedy}`, { cause: error });
}

/** `tcp:127.0.0.1:5060`, as the configuration writes it. */
function spelled({ transport, address, port }: ListenAddress): string {
  return `${transport.toLowerCase()}:${isIPv6(address) ? `[${address}]` : address}:${port}`;
}

/** The literal form of an address to listen on. */
export async function literalOf(address: string): Promise<string> {
  const bare = address.startsWith('[') ? address.slice(1, -1) : address;
  return isIP(bare) !== 0 ? bare : (await lookup(bare)).address;
}

/**
 * Binds a stream server. IPv6 sockets take IPv6 only, so that `0.0.0.0` and `::` can have the same port and no
 * peer appears under a mapped address.
 */
export async function bindServer(server: Server, address: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Bursts of new connections wait here until the loop comes round; the kernel's own bound may be lower.
    server.listen({ host: address, port, ipv6Only: isIPv6(address), backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : port;
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

/**
 * The listener to send from: of the target's family, and on the loopback exactly where the target is. Undefined
 * where none is of that family.
 */
export function bestFor<T extends { readonly address: string }>(
  listeners: readonly T[],
  target: string,
): T | undefined {
  const six = target.includes(':');
  const local = isLoopback(target);
  let second: T | undefined;
  for (const listener of listeners) {
    if (listener.address.includes(':') !== six) continue;
    if (isLoopback(listener.address) === local) return listener;
    if (second === undefined || isWildcard(listener.address)) second = listener;
  }
  return second;
}
