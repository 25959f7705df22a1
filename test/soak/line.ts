/** Real sockets that many calls share: what arrives goes to the call it belongs to, by its Call-ID. */
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { StreamFramer } from '../../src/sip/message/frame.ts';
import type { SipRequest } from '../../src/sip/message/message.ts';
import { DEFAULT_LIMITS, parseMessage } from '../../src/sip/message/parse.ts';
import type { PeerNetwork } from '../../src/testing/index.ts';

type Say = (bytes: Uint8Array, to: string) => void;

/** The place of one endpoint on a line. */
export class Post implements PeerNetwork {
  /** The way out: that of the last message that came. */
  say: Say = () => {};
  #receive: (bytes: Uint8Array) => void = () => {};

  attach(_address: string, receive: (bytes: Uint8Array) => void): void {
    this.#receive = receive;
  }

  transmit(_from: string, to: string, _transport: string, bytes: Uint8Array): void {
    this.say(bytes, to);
  }

  deliver(bytes: Uint8Array): void {
    this.#receive(bytes);
  }
}

/** Whom an INVITE is for that begins a call; undefined where nobody waits for it. */
export type Newcomer = (invite: SipRequest) => Post | undefined;

export class Line {
  /** Where it is, `127.0.0.1:5060`. */
  readonly address: string;
  /** Connections that are open. */
  readonly connections: ReadonlySet<Socket>;
  readonly #posts = new Map<string, Post>();
  readonly #newcomer: Newcomer;
  readonly #end: () => void;
  #say: Say = () => {};

  private constructor(port: number, newcomer: Newcomer, end: () => void, connections: ReadonlySet<Socket>) {
    this.address = `127.0.0.1:${port}`;
    this.#newcomer = newcomer;
    this.#end = end;
    this.connections = connections;
  }

  static udp(newcomer: Newcomer): Promise<Line> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(0, '127.0.0.1', () => {
        const line = new Line(socket.address().port, newcomer, () => socket.close(), new Set());
        socket.on('message', (bytes) => line.#hear(bytes, datagramsOf(socket)));
        line.#say = datagramsOf(socket);
        resolve(line);
      });
    });
  }

  static tcp(newcomer: Newcomer): Promise<Line> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      framed(socket, (bytes) => line.#hear(bytes, (said) => void (socket.writable && socket.write(said))));
    });
    let line: Line;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        line = new Line(portOf(server), newcomer, () => closed(server, sockets), sockets);
        resolve(line);
      });
    });
  }

  /** A connection to the function, for those who call over it. What it can't carry any more is not said. */
  static connected(to: number): Promise<Line> {
    const socket = connect(to, '127.0.0.1');
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => {
        const line = new Line(
          socket.localPort ?? 0,
          () => undefined,
          () => void socket.destroy(),
          new Set([socket]),
        );
        line.#say = (said) => void (socket.writable && socket.write(said));
        framed(socket, (bytes) => line.#hear(bytes, line.#say));
        resolve(line);
      });
    });
  }

  /** Somebody here calls under this Call-ID. */
  seat(callId: string, post: Post): void {
    post.say = this.#say;
    this.#posts.set(callId, post);
  }

  #hear(bytes: Uint8Array, say: Say): void {
    const { message } = parseMessage(bytes);
    if (message === undefined) return;
    const begins = message.kind === 'request' && message.method === 'INVITE';
    const post = this.#posts.get(message.callId) ?? (begins ? this.#newcomer(message) : undefined);
    if (post === undefined) return;
    this.#posts.set(message.callId, post);
    post.say = say;
    post.deliver(bytes);
  }

  /** Forgets every call. */
  forget(): void {
    this.#posts.clear();
  }

  close(): void {
    this.#end();
  }
}

function datagramsOf(socket: Datagrams): Say {
  return (bytes, to) => {
    const colon = to.lastIndexOf(':');
    socket.send(bytes, Number(to.slice(colon + 1)), to.slice(0, colon));
  };
}

/** Cuts what comes into messages. A connection that breaks is as good as one that is closed. */
function framed(socket: Socket, take: (bytes: Uint8Array) => void): void {
  const framer = new StreamFramer(DEFAULT_LIMITS);
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    for (const frame of framer.push(bytes)) if (frame.kind === 'message') take(frame.bytes);
  });
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

export function closed(server: Server, sockets: ReadonlySet<Socket>): void {
  server.close();
  for (const socket of sockets) socket.destroy();
}
