/** TCP: framing, reuse, reconnecting, and what senders are told (RFC 3261 18, RFC 5923). */
import { Socket } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import {
  bytes,
  closeAll,
  Element,
  Failures,
  freePort,
  HOST,
  rawPeer,
  rawServer,
  request,
  response,
  tcpElement,
  until,
} from './support.ts';

afterEach(closeAll);
afterEach(() => {
  jest.restoreAllMocks();
});

const to = (port: number) => ({ transport: 'TCP', address: HOST, port }) as const;

describe('what a TCP connection brings', () => {
  it('RFC 3261 18.3: a message is whole again after it came byte by byte', async () => {
    const { element, port } = await tcpElement();
    const peer = await rawPeer(port);
    const sent = request({ body: 'v=0\r\n' });
    for (const letter of sent) await peer.write(letter);
    await until('the message', () => element.messages.length === 1);
    expect(element.messages).toEqual([sent]);
  });

  it('RFC 3261 18.3: many messages in one segment, and a half one behind them, come out in order', async () => {
    const { element, port } = await tcpElement();
    const peer = await rawPeer(port);
    const sent = Array.from({ length: 50 }, (_, at) => request({ number: at + 1, body: 'x'.repeat(at) }));
    const last = request({ number: 51 });
    await peer.write(sent.join('') + last.slice(0, 40));
    await until('the whole ones', () => element.messages.length === 50);
    await peer.write(last.slice(40));
    await until('the last one', () => element.messages.length === 51);
    expect(element.messages).toEqual([...sent, last]);
  });

  it('RFC 5626 3.5.1: CRLF CRLF is handed on as a ping', async () => {
    const { element, port } = await tcpElement();
    const peer = await rawPeer(port);
    await peer.write(`\r\n\r\n${request()}`);
    await until('the message', () => element.messages.length === 1);
    expect(element.frames.filter((kind) => kind !== 'pong')).toEqual(['ping', 'message']);
  });

  it('RFC 3261 18.3: a stream that cannot be followed is closed, after its answer has left', async () => {
    const { element, port } = await tcpElement();
    const peer = await rawPeer(port);
    element.network.attach({
      receive() {},
      receiveFrame: (_, flow) => {
        flow.send(bytes('SIP/2.0 400 Bad Request\r\n\r\n'));
        return false;
      },
    });
    await peer.write(request().replace(/Content-Length.*\r\n/, ''));
    await until('the end', () => peer.ended);
    expect(peer.text).toBe('SIP/2.0 400 Bad Request\r\n\r\n');
    expect(element.network.counters.closedUnreadable).toBe(1);
    expect(element.network.connections).toBe(0);
  });
});

describe('where messages leave', () => {
  it('RFC 5923 and RFC 3261 18.1.1: one connection carries all requests, and their answers come back on it', async () => {
    const near = await tcpElement();
    const far = await tcpElement();
    far.element.onMessage = (message, flow) => flow.send(bytes(response(message)));
    for (let number = 1; number <= 100; number++) {
      near.element.network.connect(to(far.port))?.send(bytes(request({ number })));
    }
    await until('100 answers', () => near.element.messages.length === 100);
    expect(far.element.network.counters.accepted).toBe(1);
    expect(near.element.network.counters).toMatchObject({ dialled: 1, accepted: 0 });
    expect(new Set(far.element.flows).size).toBe(1);
    expect(near.element.messages[99]).toContain('CSeq: 100 OPTIONS');
  });

  it('the messages of a turn for one peer leave in one write', async () => {
    const { element, port } = await tcpElement();
    element.onMessage = (message, flow) => flow.send(bytes(response(message)));
    const peer = await rawPeer(port);
    const alone = jest.spyOn(Socket.prototype, '_write');
    const together = jest.spyOn(Socket.prototype, '_writev' as '_write');
    await peer.write([1, 2, 3].map((number) => request({ number })).join(''));
    await until('three answers', () => peer.text.split('SIP/2.0 200').length === 4);
    // The one that is alone is the peer's.
    expect([alone.mock.calls.length, together.mock.calls.length]).toEqual([1, 1]);
    expect([...peer.text.matchAll(/^CSeq: (\d+)/gm)].map(([, number]) => number)).toEqual(['1', '2', '3']);
  });

  it('RFC 3261 18.2.2: an answer leaves on the connection its request came by, even to a peer that listens', async () => {
    const { element, port } = await tcpElement();
    const elsewhere = await rawServer();
    element.onMessage = (message, flow) => flow.send(bytes(response(message)));
    const peer = await rawPeer(port);
    await peer.write(request({ via: `SIP/2.0/TCP ${HOST}:${elsewhere.port}` }));
    await until('the answer', () => peer.text.endsWith('\r\n\r\n'));
    expect(peer.text).toMatch(/^SIP\/2.0 200 OK\r\n/);
    expect(elsewhere.peers).toHaveLength(0);
  });

  it('RFC 3261 18.2.2: once that has closed, the answer goes to a new one, to the peer and the port of its Via', async () => {
    const { element, port } = await tcpElement();
    const elsewhere = await rawServer();
    const peer = await rawPeer(port);
    const sent = request({ via: `SIP/2.0/TCP ${HOST}:${elsewhere.port}` });
    await peer.write(sent);
    await until('the request', () => element.messages.length === 1);
    peer.socket.destroy();
    const [flow] = element.flows;
    await until('the close', () => flow?.open === false);
    const failures = new Failures();
    flow?.send(bytes(response(sent)), failures);
    flow?.send(bytes(response(sent)), failures);
    await until('the answers', () => elsewhere.peers[0]?.text === response(sent) + response(sent));
    expect(elsewhere.peers).toHaveLength(1);
    expect(failures.reasons).toEqual([]);
  });

  it('a request on an inbound connection that has closed fails, since its peer cannot be dialled for one', async () => {
    const { element, port } = await tcpElement();
    const peer = await rawPeer(port);
    await peer.write(request());
    await until('the request', () => element.messages.length === 1);
    peer.socket.destroy();
    const [flow] = element.flows;
    await until('the close', () => flow?.open === false);
    const failures = new Failures();
    flow?.send(bytes(request()), failures);
    expect(failures.reasons).toEqual([]);
    await until('the report', () => failures.reasons.length === 1);
    expect(failures.reasons[0]).toContain('closed');
  });

  it('a new connection is opened after the peer has closed the old one, for old flows and new', async () => {
    const { element } = await tcpElement();
    const far = await rawServer();
    const flow = element.network.connect(to(far.port));
    flow?.send(bytes(request({ number: 1 })));
    await until('the first request', () => far.peers[0]?.text === request({ number: 1 }));
    far.peers[0]?.socket.write(response(request({ number: 1 })));
    await until('its answer', () => element.messages.length === 1);
    far.peers[0]?.socket.end();
    await until('the close', () => flow?.open === false);
    flow?.send(bytes(request({ number: 2 })));
    element.network.connect(to(far.port))?.send(bytes(request({ number: 3 })));
    await until('the others', () => far.peers[1]?.text === request({ number: 2 }) + request({ number: 3 }));
    expect(far.peers).toHaveLength(2);
    expect(element.network.counters).toMatchObject({ dialled: 2, closedByPeer: 1 });
  });

  it('nothing can be dialled that is no address, has no port, or whose transport is not spoken', async () => {
    const { element, port } = await tcpElement();
    const { network } = element;
    expect(network.connect({ transport: 'TCP', address: 'pf.example', port })).toBeUndefined();
    expect(network.connect({ transport: 'TCP', address: HOST, port: 70_000 })).toBeUndefined();
    expect(network.connect({ transport: 'TLS', address: HOST, port })).toBeUndefined();
    expect(network.connect({ transport: 'WS', address: HOST, port })).toBeUndefined();
    expect(network.connect({ transport: 'UDP', address: HOST, port })).toBeUndefined();
  });
});

describe('what senders are told', () => {
  it('RFC 3261 18.4: each message that waits for a refused connection is reported, once', async () => {
    const { element } = await tcpElement();
    const port = await freePort();
    const failures = new Failures();
    const flow = element.network.connect(to(port));
    for (let number = 1; number <= 3; number++) flow?.send(bytes(request({ number })), failures);
    await until('the reports', () => failures.reasons.length === 3);
    expect(failures.reasons[0]).toContain('ECONNREFUSED');
    expect(new Set(failures.reasons).size).toBe(1);
    expect(element.network.counters).toMatchObject({ dialFailed: 1, dialled: 0, closedBroken: 0 });
  });

  it('a connection that does not open within connectMs is given up', async () => {
    const clock = new VirtualClock();
    const { element } = await tcpElement({ clock, limits: { connectMs: 5000 } });
    const far = await rawServer();
    const failures = new Failures();
    element.network.connect(to(far.port))?.send(bytes(request()), failures);
    // No turn of the loop in between, so the handshake of the operating system has not been noticed.
    clock.advance(4999);
    expect(element.network.connections).toBe(1);
    clock.advance(1);
    expect(element.network.connections).toBe(0);
    await until('the report', () => failures.reasons.length === 1);
    expect(failures.reasons).toEqual(['no connection within 5000 ms']);
    expect(element.network.counters.dialFailed).toBe(1);
  });

  it('a request is reported when its peer goes away without having said anything since; an answer is not', async () => {
    const { element, port } = await tcpElement();
    const far = await rawServer();
    const requests = new Failures();
    element.network.connect(to(far.port))?.send(bytes(request()), requests);
    await until('the request', () => far.peers[0]?.text === request());
    far.peers[0]?.socket.destroy();
    await until('the report', () => requests.reasons.length === 1);

    const answers = new Failures();
    element.onMessage = (message, flow) => flow.send(bytes(response(message)), answers);
    const peer = await rawPeer(port);
    await peer.write(request());
    await until('the answer', () => peer.text === response(request()));
    peer.socket.destroy();
    await until('the close', () => element.network.connections === 0);
    expect(answers.reasons).toEqual([]);
  });

  it('a request that was followed by a sign of life is not reported when the connection closes later', async () => {
    const { element } = await tcpElement();
    const far = await rawServer();
    const failures = new Failures();
    element.network.connect(to(far.port))?.send(bytes(request()), failures);
    await until('the request', () => far.peers[0]?.text === request());
    far.peers[0]?.socket.write(response(request(), '100 Trying'));
    await until('the sign of life', () => element.messages.length === 1);
    far.peers[0]?.socket.destroy();
    await until('the close', () => element.network.connections === 0);
    expect(failures.reasons).toEqual([]);
  });

  it('a peer that does not read is cut off above sendBufferBytes, and whoever sent is told', async () => {
    const { element, port } = await tcpElement({ limits: { sendBufferBytes: 1_000_000 } });
    const peer = await rawPeer(port);
    peer.socket.pause();
    await peer.write(request());
    await until('the request', () => element.messages.length === 1);
    const [flow] = element.flows;
    const failures = new Failures();
    const large = bytes(request({ body: 'x'.repeat(400_000) }));
    let sent = 0;
    // The operating system takes some megabytes on its own account.
    while (flow?.open === true && sent < 200) {
      flow.send(large, failures);
      sent++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(flow?.open).toBe(false);
    expect(element.network.counters.closedSlowReader).toBe(1);
    // The one that was too much, and those two that waited, at the least.
    await until('the reports', () => failures.reasons.length >= 3);
    expect(failures.reasons[0]).toBe('more than 1000000 bytes wait for the peer');
    expect(failures.reasons.length).toBeLessThanOrEqual(sent);
  });
});

describe('closing', () => {
  it('what was sent is delivered, everything closes, and nothing can be sent or dialled behind it', async () => {
    const { element, port } = await tcpElement();
    const far = await rawServer();
    const flow = element.network.connect(to(far.port));
    const inbound = await rawPeer(port);
    await until('both connections', () => element.network.connections === 2 && far.peers.length === 1);
    const failures = new Failures();
    const large = request({ body: 'x'.repeat(300_000) });
    flow?.send(bytes(request()), failures);
    await until('a request without an answer', () => far.peers[0]?.text === request());
    flow?.send(bytes(large), failures);
    await element.network.close();
    await until('all of it', () => far.peers[0]?.text === request() + large);
    await until('the ends', () => inbound.ended && far.peers[0]?.ended === true);
    expect(failures.reasons).toEqual([]);
    expect(element.network.counters.closedByUs).toBe(2);
    flow?.send(bytes(request()), failures);
    await until('the report', () => failures.reasons.length === 1);
    expect(element.network.connect(to(far.port))).toBeUndefined();
    await expect(rawPeer(port)).rejects.toThrow('ECONNREFUSED');
  });

  it('a peer that does not close its side is cut off after lingerMs', async () => {
    const { element } = await tcpElement({ limits: { lingerMs: 30 } });
    const { connect } = await import('node:net');
    const socket = connect({ host: HOST, port: element.network.listening[0]?.port ?? 0, allowHalfOpen: true });
    socket.on('error', () => {});
    await until('the connection', () => element.network.connections === 1);
    await element.network.close();
    socket.destroy();
  });
});

describe('listening', () => {
  it.each(['UDP', 'TCP', 'WS'] as const)(
    '%s: an address in use is named in the error, with a way out',
    async (transport) => {
      const first = new Element();
      const port = await first.listen(transport);
      const second = new Element();
      const listening = second.network.listen({ transport, address: HOST, port });
      await expect(listening).rejects.toThrow(
        `cannot listen on ${transport.toLowerCase()}:127.0.0.1:${port}. The address is in use: stop the program that holds it`,
      );
      expect(second.network.speaks(transport)).toBe(false);
    },
  );

  it('an address of another host, and a name that does not resolve, are named too', async () => {
    const { network } = new Element();
    await expect(network.listen({ transport: 'TCP', address: '192.0.2.1', port: 0 })).rejects.toThrow(
      'cannot listen on tcp:192.0.2.1:0. No interface has this address',
    );
    await expect(network.listen({ transport: 'TLS', address: HOST, port: 0 })).rejects.toThrow(
      'TLS needs a certificate',
    );
  });

  it('localhost can be listened on by its name', async () => {
    const { network } = new Element();
    const { address, port } = await network.listen({ transport: 'TCP', address: 'localhost', port: 0 });
    expect(['127.0.0.1', '::1']).toContain(address);
    expect(network.isOwn('localhost', port)).toBe(true);
  });
});
