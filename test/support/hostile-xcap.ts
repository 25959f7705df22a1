/** An XCAP server that does what a test tells it, good or bad. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a request is answered. */
export type Conduct = (request: IncomingMessage, response: ServerResponse) => void;

export class HostileXcap {
  /** Paths asked for, in order. */
  readonly asked: string[] = [];
  readonly requests: IncomingMessage[] = [];
  conduct: Conduct;
  readonly #server: Server;

  private constructor(server: Server, conduct: Conduct) {
    this.#server = server;
    this.conduct = conduct;
  }

  static async open(conduct: Conduct): Promise<HostileXcap> {
    const server = createServer((request, response) => {
      xcap.requests.push(request);
      xcap.asked.push(request.url ?? '');
      xcap.conduct(request, response);
    });
    const xcap = new HostileXcap(server, conduct);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return xcap;
  }

  get root(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/xcap-root`;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

/** Serves documents by how their path ends, with an entity tag for each text; 404 for all others. */
export function serving(documents: Readonly<Record<string, string>>): Conduct {
  return (request, response) => {
    const [, text] = Object.entries(documents).find(([end]) => request.url?.endsWith(end)) ?? [];
    const etag = `"${Buffer.from(text ?? '')
      .toString('base64url')
      .slice(-20)}"`;
    if (text === undefined) response.writeHead(404).end();
    else if (request.headers['if-none-match'] === etag) response.writeHead(304).end();
    else response.writeHead(200, { etag }).end(text);
  };
}
