/** UDP: keep-alives, several sockets, and what senders are told. */
import { createSocket, Socket } from 'node:dgram';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { atEndOfTurn } from '../../../src/host/end-of-turn.ts';
import { bestFor } from '../../../src/sip/transport/listener.ts';
import { bytes, closeAll, Element, Failures, HOST, onClose, request, response, settle, until } from './support.ts';

afterEach(closeAll);

/** A plain UDP peer with all it has got, and from which port. */
async function rawPeer(): Promise<{ socket: Socket; got: { text: string; port: number }[] }> {
  const socket = createSocket('udp4');
  const got: { text: string; port: number }[] = [];
  socket.on('message', (message, { port }) => got.push({ text: message.toString('latin1'), port }));
  await new Promise<void>((resolve) => socket.bind(0, HOST, () => resolve()));
  onClose(() => socket.close());
  return { socket, got };
}

function stun(type: number): Uint8Array {
  const message = new Uint8Array(20);
  message.set([type >> 8, type & 0xff, 0, 0, 0x21, 0x12, 0xa4, 0x42]);
  return message;
}

describe('what a datagram brings', () => {
  it('RFC 5626 3.5: CRLFs and STUN keep a NAT open; they are counted, not parsed and not answered', async () => {
    const element = new Element();
    const port = await element.listen('UDP');
    const { socket, got } = await rawPeer();
    const sends = ['\r\n\r\n', '\r\n', stun(0x0001), stun(0x0101)];
    for (const datagram of sends) socket.send(datagram, port, HOST);
    // RFC 3261 7.5: CRLFs in front of a message belong to it.
    socket.send(`\r\n\r\n${request()}`, port, HOST);
    await until('the message', () => element.messages.length === 1);
    expect(element.messages[0]).toBe(`\r\n\r\n${request()}`);
    expect(element.network.counters).toMatchObject({ datagramKeepAlives: 2, datagramStun: 2 });
    expect(got).toEqual([]);
  });

  it('what is neither SIP nor a keep-alive is handed up to be counted there, an empty datagram too', async () => {
    const element = new Element();
    const port = await element.listen('UDP');
    const { socket } = await rawPeer();
    for (const datagram of ['', '\0\0\0\0', '\0'.repeat(30), 'garbage']) socket.send(datagram, port, HOST);
    await until('all', () => element.messages.length === 4);
    expect(element.messages.map((message) => message.length)).toEqual([0, 4, 30, 7]);
  });
});

describe('several sockets', () => {
  it('an answer leaves from the socket its request came to, redirected (RFC 3581 4) or not', async () => {
    const element = new Element();
    const ports = [await element.listen('UDP'), await element.listen('UDP')];
    element.onMessage = (message, flow) => {
      flow.send(bytes(response(message)));
      flow.redirect?.(HOST, socket.address().port).send(bytes(response(message)));
    };
    const { socket, got } = await rawPeer();
    for (const port of ports) {
      got.length = 0;
      socket.send(request(), port, HOST);
      await until('both answers', () => got.length === 2);
      expect(got.map((answer) => answer.port)).toEqual([port, port]);
    }
  });

  it.each([
    ['10.0.0.7', ['127.0.0.1', '10.0.0.1'], '10.0.0.1'],
    ['127.0.0.1', ['10.0.0.1', '127.0.0.1'], '127.0.0.1'],
    ['127.0.0.1', ['10.0.0.1', '0.0.0.0'], '0.0.0.0'],
    ['10.0.0.7', ['127.0.0.1', '0.0.0.0'], '0.0.0.0'],
    ['10.0.0.7', ['127.0.0.1'], '127.0.0.1'],
    ['2001:db8::7', ['127.0.0.1', '10.0.0.1', '2001:db8::1'], '2001:db8::1'],
    ['::1', ['2001:db8::1', '::1', '127.0.0.1'], '::1'],
    ['2001:db8::7', ['::1', '::'], '::'],
    ['2001:db8::7', ['10.0.0.1', '0.0.0.0'], undefined],
    ['10.0.0.7', ['::'], undefined],
  ])('to %s out of %j it leaves from %s', (target, listening, expected) => {
    const listeners = listening.map((address) => ({ address }));
    expect(bestFor(listeners, target)?.address).toBe(expected);
  });

  it('a target of a family that no socket has cannot be reached', async () => {
    const element = new Element();
    await element.listen('UDP');
    expect(element.network.connect({ transport: 'UDP', address: '2001:db8::1', port: 5060 })).toBeUndefined();
    expect(element.network.connect({ transport: 'UDP', address: HOST, port: 5060 })).toBeDefined();
  });
});

describe('when it leaves', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  async function sender() {
    const element = new Element();
    await element.listen('UDP');
    const { socket, got } = await rawPeer();
    const flow = element.network.connect({ transport: 'UDP', address: HOST, port: socket.address().port });
    const handed = jest.spyOn(Socket.prototype, 'send');
    return { element, got, handed, send: (number: number) => flow?.send(bytes(request({ number }))) };
  }

  it('the datagrams of a turn leave together, in their order, behind what is stored at its end', async () => {
    const { got, handed, send } = await sender();
    let handedBefore: number | undefined;
    send(1);
    atEndOfTurn(() => {
      handedBefore = handed.mock.calls.length;
      send(2);
    });
    await until('both', () => got.length === 2);
    expect(handedBefore).toBe(0);
    expect(got.map(({ text }) => text)).toEqual([request({ number: 1 }), request({ number: 2 })]);
  });

  it('of very many in one turn few wait for its end', async () => {
    const { handed, send } = await sender();
    for (let number = 1; number <= 600; number++) send(number);
    expect(600 - handed.mock.calls.length).toBeLessThanOrEqual(256);
    await settle();
    expect(handed.mock.calls.map(([message]) => Buffer.from(message as Uint8Array).toString())).toEqual(
      Array.from({ length: 600 }, (_, at) => request({ number: at + 1 })),
    );
  });

  it('what was sent in the turn in which the network closes has left', async () => {
    const { element, got, send } = await sender();
    send(1);
    await element.network.close();
    await until('it', () => got.length === 1);
  });
});

describe('what senders are told', () => {
  it('a datagram that is too large, a port that is none, and a closed socket are reported, never thrown', async () => {
    const element = new Element();
    await element.listen('UDP');
    const { socket } = await rawPeer();
    const failures = new Failures();
    const connect = (port: number) => element.network.connect({ transport: 'UDP', address: HOST, port });
    connect(socket.address().port)?.send(new Uint8Array(70_000), failures);
    connect(70_000)?.send(bytes(request()), failures);
    expect(failures.reasons).toEqual([]);
    await until('both reports', () => failures.reasons.length === 2);
    const flow = connect(socket.address().port);
    await element.network.close();
    flow?.send(bytes(request()), failures);
    flow?.send(bytes(request()));
    await until('the third', () => failures.reasons.length === 3);
    await settle();
  });
});
