/** Where media of calls without a chat end: takes every MSRP connection, and answers what it is sent. */
import { createServer, type Server, type Socket } from 'node:net';
import { closed, portOf } from './line.ts';

const HEAD = /MSRP (\S+) SEND\r\nTo-Path: ([^\r]+)\r\nFrom-Path: ([^\r]+)\r\n/g;

export class MediaSink {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
      // Nothing but the first request of whoever connects comes here, in one piece.
      socket.on('data', (bytes) => {
        for (const [, id, to, from] of bytes.toString('latin1').matchAll(HEAD)) {
          socket.write(`MSRP ${id} 200 OK\r\nTo-Path: ${from}\r\nFrom-Path: ${to}\r\n-------${id}$\r\n`);
        }
      });
    });
  }

  static open(): Promise<MediaSink> {
    const sink = new MediaSink();
    return new Promise((resolve, reject) => {
      sink.#server.once('error', reject);
      sink.#server.listen(0, '127.0.0.1', () => resolve(sink));
    });
  }

  /** Breaks every connection. */
  break(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** A description of streams that end here; whoever reads it is to connect. Port 0 rejects a stream. */
  describe(owner: string, taken: readonly boolean[]): string {
    const port = portOf(this.#server);
    const lines = taken.map((takes, at) =>
      [
        `m=message ${takes ? port : 0} TCP/MSRP *`,
        'a=accept-types:message/cpim',
        'a=accept-wrapped-types:*',
        `a=path:msrp://127.0.0.1:${port}/${owner}${at};tcp`,
        'a=setup:passive',
      ].join('\r\n'),
    );
    return ['v=0', `o=${owner} 1 1 IN IP4 127.0.0.1`, 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', ...lines, ''].join('\r\n');
  }

  close(): void {
    closed(this.#server, this.#sockets);
  }
}
