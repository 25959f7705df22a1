/** The TCP transport for sip.js: its states, and which connection a message takes. Real sockets on loopback. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { UserAgent } from 'sip.js';
import { TransportState } from 'sip.js/lib/api/transport-state.js';
import { LoggerFactory } from 'sip.js/lib/core/index.js';
import { Happenings } from '../../src/sip-js/happenings.ts';
import { createSipJsPhone, type Place, TcpTransport, type TcpTransportOptions } from '../../src/sip-js/index.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

interface Made {
  readonly transport: TcpTransport;
  readonly states: TransportState[];
  next(what: string): Promise<string>;
}

function make(options: TcpTransportOptions): Made {
  const logger = new LoggerFactory();
  logger.builtinEnabled = false;
  const transport = new TcpTransport(logger.getLogger('test'), options);
  const states: TransportState[] = [];
  const messages = new Happenings<string>((text) => text.split('\r\n')[0] ?? '');
  transport.stateChange.addListener((state) => states.push(state));
  transport.onMessage = (text) => messages.add(text);
  closing.push(() => transport.dispose());
  return { transport, states, next: (what) => messages.next(what, (text) => text.includes(what), 5000) };
}

async function listening(options: TcpTransportOptions = { listen: LOOPBACK }): Promise<Made & { place: Place }> {
  const made = make(options);
  await made.transport.connect();
  return { ...made, place: made.transport.listening as Place };
}

const at = ({ host, port }: Place): string => `${host}:${port}`;

function request(method: string, target: Place, sentBy: Place, more = ''): string {
  return `${method} sip:x@${at(target)} SIP/2.0\r\nVia: SIP/2.0/TCP ${at(sentBy)};branch=z9hG4bK${method};rport\r\n${more}From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: 1\r\nCSeq: 1 ${method}\r\nContent-Length: 0\r\n\r\n`;
}

function responseTo(received: string): string {
  const via = /^Via: .*$/m.exec(received)?.[0].trim();
  return `SIP/2.0 200 OK\r\n${via}\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 X\r\nContent-Length: 0\r\n\r\n`;
}

/** A bare TCP client, and what it has read. */
async function client(place: Place): Promise<{ socket: Socket; read: Happenings<string> }> {
  const socket = connect(place.port, place.host);
  const read = new Happenings<string>((text) => JSON.stringify(text));
  socket.on('data', (bytes) => read.add(bytes.toString()));
  socket.on('close', () => read.add('closed'));
  socket.on('error', () => {});
  closing.push(async () => socket.destroy());
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, read };
}

async function server(): Promise<{ place: Place; accepted: Happenings<Socket>; server: Server }> {
  const accepted = new Happenings<Socket>(() => 'a connection');
  const listener = createServer((socket) => accepted.add(socket));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    for (const socket of accepted.all) socket.destroy();
    listener.close();
  });
  return {
    place: { host: '127.0.0.1', port: (listener.address() as { port: number }).port },
    accepted,
    server: listener,
  };
}

describe('its states, as sip.js asks for them', () => {
  it('goes through connecting to connected and back, and tells of both', async () => {
    const { transport, states } = make({ listen: LOOPBACK });
    const told: string[] = [];
    transport.onConnect = () => told.push('connect');
    transport.onDisconnect = (error) => told.push(`disconnect ${error}`);
    expect(transport.state).toBe(TransportState.Disconnected);
    await expect(transport.send('x')).rejects.toThrow('not connected');
    await Promise.all([transport.connect(), transport.connect()]);
    expect(transport.isConnected()).toBe(true);
    await transport.disconnect();
    expect(states).toEqual(['Connecting', 'Connected', 'Disconnecting', 'Disconnected']);
    expect(told).toEqual(['connect', 'disconnect undefined']);
  });

  it('rejects where its peer or its address can not be had', async () => {
    const { place } = await listening();
    const taken = make({ listen: place });
    await expect(taken.transport.connect()).rejects.toThrow('EADDRINUSE');
    expect(taken.transport.state).toBe(TransportState.Disconnected);
    const { server: listener, place: gone } = await server();
    await new Promise((resolve) => listener.close(resolve));
    await expect(make({ peer: gone }).transport.connect()).rejects.toThrow('ECONNREFUSED');
  });

  it('is disconnected, with an error, once its peer closes the connection', async () => {
    const { place, accepted } = await server();
    const { transport } = make({ peer: place });
    await transport.connect();
    const lost = new Promise<Error | undefined>((resolve) => {
      transport.onDisconnect = resolve;
    });
    (await accepted.next('connection', () => true, 5000)).destroy();
    expect(await lost).toBeInstanceOf(Error);
    expect(transport.state).toBe(TransportState.Disconnected);
  });
});

describe('the way of a message', () => {
  it('RFC 3261 18.2.1: the Via says where a request came from, whatever the peer wrote there', async () => {
    const { place, next } = await listening();
    const { socket } = await client(place);
    const forged = request('INFO', place, { host: 'pc33', port: 9 }).replace(';rport', ';received=9.9.9.9;rport=7');
    socket.write(forged);
    expect(await next('INFO')).toContain(
      `Via: SIP/2.0/TCP pc33:9;branch=z9hG4bKINFO;received=127.0.0.1;rport=${socket.localPort}\r\n`,
    );
  });

  it('RFC 3261 18.2.2: a response takes the connection of its request, and a new one once that has closed', async () => {
    const { transport, place, next } = await listening();
    const other = await server();
    const { socket, read } = await client(place);
    socket.write(request('INFO', place, other.place));
    const received = await next('INFO');
    await transport.send(responseTo(received));
    expect(await read.next('200', () => true, 5000)).toMatch(/^SIP\/2\.0 200/);
    socket.destroy();
    await read.next('end', (text) => text === 'closed', 5000);
    // The transport may hear of it a moment later than the client.
    const again = request('OPTIONS', place, other.place);
    const second = await client(place);
    second.socket.write(again);
    await next('OPTIONS');
    await transport.send(responseTo(received));
    const dialled = await other.accepted.next('connection', () => true, 5000);
    const bytes = await new Promise<Buffer>((resolve) => dialled.once('data', resolve));
    expect(bytes.toString()).toMatch(/^SIP\/2\.0 200/);
  });

  it('RFC 3261 8.1.2: a request goes to its first Route, else to its Request-URI', async () => {
    const [a, b, c] = [await listening(), await listening(), await listening()];
    await a.transport.send(request('INFO', b.place, a.place));
    expect(await b.next('INFO')).toContain(`sip:x@${at(b.place)}`);
    await a.transport.send(
      request('OPTIONS', b.place, a.place, `Route: <sip:${at(c.place)};lr>, <sip:else.example;lr>\r\n`),
    );
    expect(await c.next('OPTIONS')).toContain(`sip:x@${at(b.place)}`);
    await expect(a.transport.send(request('INFO', { host: 'tel', port: 0 }, a.place))).rejects.toThrow('no way');
  });

  it('RFC 5923: a connection that is open is used again, whoever opened it', async () => {
    const { transport, place, next } = await listening();
    const { socket, read } = await client(place);
    socket.write(request('INFO', place, LOOPBACK));
    await next('INFO');
    await transport.send(request('OPTIONS', { host: '127.0.0.1', port: socket.localPort ?? 0 }, place));
    expect(await read.next('OPTIONS', () => true, 5000)).toMatch(/^OPTIONS/);
  });

  it('rejects with a transport error where nobody listens', async () => {
    const { transport, place } = await listening();
    const { server: listener, place: gone } = await server();
    await new Promise((resolve) => listener.close(resolve));
    await expect(transport.send(request('INFO', gone, place))).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe('the stream', () => {
  it('RFC 3261 18.3: messages are cut by Content-Length, however the bytes arrive', async () => {
    const { place, next } = await listening();
    const { socket } = await client(place);
    const body = request('INFO', place, LOOPBACK).replace(
      'Content-Length: 0\r\n\r\n',
      'Content-Length: 7\r\n\r\ngrüße',
    );
    const bytes = Buffer.from(body + request('OPTIONS', place, LOOPBACK));
    socket.write(bytes.subarray(0, 20));
    socket.write(bytes.subarray(20, bytes.length - 30));
    socket.write(bytes.subarray(bytes.length - 30));
    expect(await next('INFO')).toMatch(/\r\n\r\ngrüße$/);
    await next('OPTIONS');
  });

  it('RFC 5626 3.5.1: a ping is answered; a stream that can not be followed is closed', async () => {
    const { place } = await listening();
    const { socket, read } = await client(place);
    socket.write('\r\n\r\n');
    expect(await read.next('pong', () => true, 5000)).toBe('\r\n');
    socket.write('INFO sip:x SIP/2.0\r\nContent-Length: many\r\n\r\n');
    expect(await read.next('end', () => true, 5000)).toBe('closed');
  });
});

it("carries sip.js's own UserAgent", async () => {
  const phone = await createSipJsPhone({ name: 'bob', domain: 'home.example' });
  const [host = '', port] = phone.address.split(':');
  const agent = new UserAgent({
    uri: UserAgent.makeURI('sip:alice@home.example')!,
    transportConstructor: TcpTransport,
    transportOptions: { peer: { host, port: Number(port) } },
    logBuiltinEnabled: false,
  });
  closing.push(async () => {
    await agent.stop();
    await phone.close();
  });
  await agent.start();
  const core = agent.userAgentCore;
  const target = UserAgent.makeURI('sip:bob@home.example')!;
  const message = core.makeOutgoingRequestMessage('OPTIONS', target, core.configuration.aor, target, {});
  const status = await new Promise((resolve, reject) => {
    core.request(message, {
      onAccept: ({ message: response }) => resolve(response.statusCode),
      onReject: ({ message: response }) => reject(new Error(String(response.statusCode))),
    });
  });
  expect(status).toBe(200);
});
