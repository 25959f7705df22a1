/** Where mails come in (RFC 5321): for addresses of our domain only, one recipient and one answer each. */
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server';
import type { Tally } from '../log.ts';

export interface InboxOptions {
  readonly host: string;
  readonly port: number;
  /** Mails for this domain are taken, all others refused. */
  readonly domain: string;
  /** Bytes of one mail. */
  readonly maxBytes: number;
  readonly connections: number;
  /** ms without a byte. */
  readonly timeoutMs: number;
  /** True for a peer that may bring mails. */
  readonly allows: (address: string) => boolean;
  readonly tally: Tally;
  /** A whole mail; what its sender is answered. */
  readonly take: (localPart: string, bytes: Buffer) => Promise<SmtpAnswer>;
}

export interface SmtpAnswer {
  /** RFC 5321 4.2.3, with the words behind it. */
  readonly code: 250 | 450 | 550 | 554;
  readonly text: string;
}

export class Inbox {
  readonly #server: SMTPServer;
  readonly #options: InboxOptions;
  /** Peers whose mail is being received or handed on; the socket of those that have shut their side meanwhile. */
  readonly #receiving = new Map<string, Socket | undefined>();

  constructor(options: InboxOptions) {
    const { domain, maxBytes, connections, timeoutMs, allows, tally } = options;
    this.#options = options;
    this.#server = new SMTPServer({
      name: domain,
      size: maxBytes,
      // The mail server in front of us has done what these are for.
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      maxClients: connections,
      socketTimeout: timeoutMs,
      closeTimeout: 1000,
      allowHalfOpen: true,
      logger: false,
      onConnect: ({ remoteAddress }, done) =>
        allows(remoteAddress) ? done() : done(refusal(554, 'no mail is taken from your address')),
      onRcptTo: ({ address }, { envelope }, done) => {
        if (hostOf(address) !== domain) return done(refusal(550, `no mail for other domains than ${domain}`));
        // Each recipient has an answer of its own; the sender comes again for the others.
        return envelope.rcptTo.length > 0 ? done(refusal(452, 'one recipient at a time')) : done();
      },
      onData: (stream, session, done) => {
        const peer = `${session.remoteAddress}:${session.remotePort}`;
        this.#receiving.set(peer, undefined);
        void this.#onData(stream, session.envelope.rcptTo[0]?.address ?? '').then(({ code, text }) => {
          tally.add(`email.inbox${code}`);
          if (code === 250) done(null, text);
          else done(refusal(code, text));
          this.#received(peer);
        });
      },
    });
    this.#server.server.on('connection', (socket: Socket) => this.#keepHalfOpen(socket));
    // A connection that breaks is its peer's matter.
    this.#server.on('error', () => tally.add('email.inboxErrors'));
  }

  /**
   * Exim says QUIT behind the end of a mail and shuts its side, while we still hand the mail to the user. The package writes
   * only to sockets that are open both ways; without the answer the mail would be brought again, and again.
   */
  #keepHalfOpen(socket: Socket): void {
    Object.defineProperty(socket, 'readyState', { get: () => (socket.writable ? 'open' : 'closed') });
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    socket.once('end', () => {
      if (this.#receiving.has(peer)) this.#receiving.set(peer, socket);
      else socket.end();
    });
    socket.once('close', () => this.#receiving.delete(peer));
  }

  #received(peer: string): void {
    const halfOpen = this.#receiving.get(peer);
    this.#receiving.delete(peer);
    // Behind the answer to a QUIT that came with the mail.
    if (halfOpen !== undefined) setImmediate(() => halfOpen.end());
  }

  async #onData(stream: SMTPServerDataStream, recipient: string): Promise<SmtpAnswer | { code: 552; text: string }> {
    const pieces: Buffer[] = [];
    let size = 0;
    try {
      for await (const piece of stream as AsyncIterable<Buffer>) {
        size += piece.length;
        // The rest is read and dropped, so that the sender comes to hear of it.
        if (size <= this.#options.maxBytes) pieces.push(piece);
        else pieces.length = 0;
      }
      if (size > this.#options.maxBytes) return { code: 552, text: `larger than ${this.#options.maxBytes} bytes` };
      return await this.#options.take(recipient.slice(0, recipient.lastIndexOf('@')), Buffer.concat(pieces));
    } catch {
      return { code: 554, text: 'this mail could not be read' };
    }
  }

  /** `127.0.0.1:2525`, with the port it got. Rejects where the address can't be had. */
  open(): Promise<string> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        const { address, port: got, family } = this.#server.server.address() as AddressInfo;
        resolve(`${family === 'IPv6' ? `[${address}]` : address}:${got}`);
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

function refusal(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}

function hostOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}
