/** Real sockets on the loopback for the tests of the transports, and whoever sits at either end. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Flow, SendFailure } from '../../../src/sip/flow.ts';
import { bytesOfWire, wireOfBytes } from '../../../src/sip/message/bytes.ts';
import type { Frame } from '../../../src/sip/message/frame.ts';
import { NodeNetwork, type NodeNetworkOptions } from '../../../src/sip/transport/node-network.ts';

export const HOST = '127.0.0.1';

/** Opened in a test and closed behind it, whatever came of it. */
const opened: (() => unknown)[] = [];

export async function closeAll(): Promise<void> {
  await Promise.all(opened.splice(0).map((close) => close()));
}

export function onClose(close: () => unknown): void {
  opened.push(close);
}

/** Waits for what sockets bring about; throws, naming what it waited for, when it does not come. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 4000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Lets whatever is under way on the loopback arrive, where a test shows that nothing does. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** A network whose messages are kept instead of handled. */
export class Element {
  readonly network: NodeNetwork;
  readonly messages: string[] = [];
  readonly frames: Frame['kind'][] = [];
  readonly flows: Flow[] = [];
  /** Called with each message, after it has been kept. */
  onMessage: (message: string, flow: Flow) => void = () => {};

  constructor(options: NodeNetworkOptions = {}) {
    this.network = new NodeNetwork(options);
    this.network.attach({
      receive: (bytes, flow) => this.#take(bytes, flow),
      receiveFrame: (frame, flow) => {
        this.frames.push(frame.kind);
        if (frame.kind === 'message') this.#take(frame.bytes, flow);
        return frame.kind !== 'lost';
      },
    });
    onClose(() => this.network.close());
  }

  #take(bytes: Uint8Array, flow: Flow): void {
    const message = wireOfBytes(bytes);
    this.messages.push(message);
    this.flows.push(flow);
    this.onMessage(message, flow);
  }

  async listen(
    transport: 'UDP' | 'TCP' | 'TLS' | 'WS' | 'WSS',
    tls?: { cert: string; key: string; ca?: string; requestCert?: boolean },
  ) {
    return (await this.network.listen({ transport, address: HOST, port: 0 }, tls === undefined ? {} : { tls })).port;
  }
}

export async function tcpElement(options: NodeNetworkOptions = {}): Promise<{ element: Element; port: number }> {
  const element = new Element(options);
  return { element, port: await element.listen('TCP') };
}

/** Keeps what it is told. */
export class Failures implements SendFailure {
  readonly reasons: string[] = [];

  onTransportError(reason: string): void {
    this.reasons.push(reason);
  }
}

export interface RequestParts {
  readonly method?: string;
  /** Of its CSeq, and of its branch. */
  readonly number?: number;
  readonly via?: string;
  readonly body?: string;
  readonly headers?: readonly string[];
}

export function request(parts: RequestParts = {}): string {
  const { method = 'OPTIONS', number = 1, via = `SIP/2.0/TCP ${HOST}:5999`, body = '', headers = [] } = parts;
  return [
    `${method} sip:pf@${HOST} SIP/2.0`,
    `Via: ${via};branch=z9hG4bK${number}`,
    'Max-Forwards: 70',
    'From: <sip:alice@home.example>;tag=a1',
    'To: <sip:pf@home.example>',
    `Call-ID: call-${number}`,
    `CSeq: ${number} ${method}`,
    ...headers,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

export function response(toRequest: string, status = '200 OK'): string {
  const kept = toRequest.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
  return [`SIP/2.0 ${status}`, ...kept, 'Content-Length: 0', '', ''].join('\r\n');
}

export function bytes(text: string): Uint8Array {
  return bytesOfWire(text);
}

/** A plain TCP peer that is connected, with all it has read. */
export class RawPeer {
  readonly socket: Socket;
  text = '';
  ended = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1');
    });
    socket.on('close', () => {
      this.ended = true;
    });
    socket.on('error', () => {});
    onClose(() => socket.destroy());
  }

  write(text: string): Promise<void> {
    return new Promise((resolve) => this.socket.write(text, 'latin1', () => resolve()));
  }
}

export async function rawPeer(port: number): Promise<RawPeer> {
  const socket = connect({ host: HOST, port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', () => resolve());
    socket.once('error', reject);
  });
  return new RawPeer(socket);
}

/** A plain TCP server with all who have connected. */
export async function rawServer(port = 0): Promise<{ port: number; peers: RawPeer[]; server: Server }> {
  const peers: RawPeer[] = [];
  const server = createServer((socket) => {
    peers.push(new RawPeer(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(port, HOST, () => resolve());
  });
  onClose(() => server.close());
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, peers, server };
}

/** A port of the loopback where nobody listens. */
export async function freePort(): Promise<number> {
  const { port, server } = await rawServer();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
