/**
 * TCP sockets that read into memory all of them share. By itself Node takes 64 kB for each read, clears them, and leaves
 * them to the garbage collector, which under load was a quarter of the relay's work. One piece is enough, and no connection
 * needs one of its own: the loop reads one socket, and tells of it, before it reads the next.
 */
import { Socket, type SocketConstructorOpts } from 'node:net';

/** As much as Node reads at once. */
const READ_BYTES = 65_536;

/**
 * To be given to a socket when it is made. It still tells of what it reads by `data`; those bytes are to be used, or
 * copied, at once.
 */
export const READ_SHARED = {
  onread: {
    buffer: Buffer.allocUnsafeSlow(READ_BYTES),
    callback(this: unknown, length: number, memory: Uint8Array): boolean {
      return (this as Socket).emit('data', (memory as Buffer).subarray(0, length));
    },
  },
};

/** What Node has of a socket that a server gave; its types do not. */
interface Accepted {
  _handle?: { useUserBuffer?: unknown } | null;
}

/**
 * The same connection as a socket that reads so. A server can't be told to make such ones, so its own is left empty; it
 * closes, and its server counts it no longer. As it was where this Node keeps its connections in another way: that costs
 * processor time, nothing else.
 */
export function readingShared(accepted: Socket): Socket {
  const own = accepted as Accepted;
  const handle = own._handle;
  if (typeof handle?.useUserBuffer !== 'function') return accepted;
  own._handle = null;
  accepted.destroy();
  return new Socket({ handle, ...READ_SHARED } as SocketConstructorOpts);
}
