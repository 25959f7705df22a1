/** A mail server for tests that says what it is told to say; what Exim would only say in bad times. */
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerEnvelope } from 'smtp-server';

export interface TakenMail {
  readonly envelope: SMTPServerEnvelope;
  readonly text: string;
}

export class MailServer {
  readonly taken: TakenMail[] = [];
  /** Answers to the next RCPTs, in order; 250 once there is none left. */
  readonly refusals: number[] = [];
  attempts = 0;
  readonly #server: SMTPServer;

  private constructor(dsn: boolean) {
    this.#server = new SMTPServer({
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      hideDSN: !dsn,
      closeTimeout: 100,
      onRcptTo: (_address, _session, done) => {
        this.attempts++;
        const code = this.refusals.shift();
        done(code === undefined ? null : Object.assign(new Error(`said ${code}`), { responseCode: code }));
      },
      onData: (stream, { envelope }, done) => {
        const pieces: Buffer[] = [];
        stream.on('data', (piece: Buffer) => pieces.push(piece));
        stream.on('end', () => {
          this.taken.push({ envelope: { ...envelope }, text: Buffer.concat(pieces).toString() });
          done();
        });
      },
    });
    this.#server.on('error', () => {});
  }

  static async start({ dsn = true } = {}): Promise<MailServer> {
    const server = new MailServer(dsn);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', () => resolve()));
    return server;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
