/** WebSocket: the server's side of RFC 7118, met by an independent client. */

import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type ClientOptions, WebSocket } from 'ws';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { authority } from './certificates.ts';
import {
  bytes,
  closeAll,
  Element,
  Failures,
  HOST,
  onClose,
  rawPeer,
  request,
  response,
  settle,
  until,
} from './support.ts';

afterEach(closeAll);

class Client {
  readonly socket: WebSocket;
  readonly messages: { readonly text: string; readonly binary: boolean }[] = [];
  code: number | undefined;
  /** HTTP status of a refused handshake. */
  refusal: number | undefined;

  constructor(port: number, protocols: string[] = ['sip'], options: ClientOptions = {}) {
    const secure = options.ca !== undefined;
    this.socket = new WebSocket(`${secure ? 'wss' : 'ws'}://${HOST}:${port}/`, protocols, options);
    this.socket.on('message', (data, binary) =>
      this.messages.push({ text: (data as Buffer).toString('latin1'), binary }),
    );
    this.socket.on('close', (code) => {
      this.code = code;
    });
    this.socket.on('unexpected-response', (_, answer) => {
      this.refusal = answer.statusCode;
      answer.destroy();
    });
    this.socket.on('error', () => {});
    onClose(() => this.socket.terminate());
  }

  async open(): Promise<this> {
    await until('the WebSocket', () => this.socket.readyState === WebSocket.OPEN);
    return this;
  }
}

const client = (port: number): Promise<Client> => new Client(port).open();
const from = (host: string, transport = 'WS') => `SIP/2.0/${transport} ${host}`;

async function wsElement(options = {}) {
  const element = new Element(options);
  return { element, port: await element.listen('WS') };
}

describe('the handshake', () => {
  it('RFC 7118 4.1: the subprotocol sip is agreed upon, also where it is one of several', async () => {
    const { element, port } = await wsElement();
    const { socket } = await new Client(port, ['mqtt', 'sip']).open();
    expect(socket.protocol).toBe('sip');
    expect(element.network.counters.accepted).toBe(1);
  });

  it.each([[[]], [['mqtt']]])('RFC 7118 4.1: with the subprotocols %j it is refused with 400', async (protocols) => {
    const { element, port } = await wsElement();
    const refused = new Client(port, protocols);
    await until('the refusal', () => refused.refusal !== undefined);
    expect(refused.refusal).toBe(400);
    await until('its count', () => element.network.counters.refused === 1);
    expect(element.network.connections).toBe(0);
  });

  it('plain HTTP gets 426, and a peer that says nothing is closed after connectMs', async () => {
    const clock = new VirtualClock();
    const { element, port } = await wsElement({ clock, limits: { connectMs: 5000 } });
    const browser = await rawPeer(port);
    await browser.write('GET / HTTP/1.1\r\nHost: pf.example\r\n\r\n');
    await until('the answer', () => browser.text.startsWith('HTTP/1.1 426 Upgrade Required\r\n'));
    const silent = await rawPeer(port);
    await until('its handshake', () => clock.size > 0);
    clock.advance(5000);
    await until('its end', () => silent.ended);
    expect(element.network.counters.accepted).toBe(0);
  });
});

describe('messages', () => {
  it('RFC 7118 4.2: text and binary messages are one SIP message each, and answers come back as they may', async () => {
    const { element, port } = await wsElement();
    element.onMessage = (message, flow) => flow.send(bytes(response(message)));
    const { socket, messages } = await client(port);
    const text = request({ via: from('abc.invalid'), body: 'grüße' });
    socket.send(text);
    socket.send(Buffer.from(request({ number: 2, via: from('abc.invalid') }), 'latin1'));
    await until('both answers', () => messages.length === 2);
    expect(element.messages[0]).toBe(Buffer.from(text, 'utf8').toString('latin1'));
    expect(messages.map(({ binary }) => binary)).toEqual([false, false]);
    expect(element.flows[0]).toMatchObject({ transport: 'WS', reliable: true, remoteAddress: HOST });
    // Bytes that are no UTF-8 may not stand in a text frame (RFC 6455 5.6).
    element.flows[0]?.send(bytes('MESSAGE \xff\r\n\r\n'));
    await until('the third', () => messages.length === 3);
    expect(messages[2]).toEqual({ text: 'MESSAGE \xff\r\n\r\n', binary: true });
  });

  it('RFC 7118 6 and RFC 5626 3.5.1: CRLF CRLF is a ping, CRLF is nothing to parse', async () => {
    const { element, port } = await wsElement();
    const { socket } = await client(port);
    socket.send('\r\n\r\n');
    socket.send('\r\n');
    await until('both', () => element.frames.length === 2);
    expect(element.frames).toEqual(['ping', 'pong']);
    expect(element.messages).toEqual([]);
  });

  it('a message above the bounds closes its connection with 1009', async () => {
    const { element, port } = await wsElement({ messages: { headBytes: 1000, bodyBytes: 1000, headerLines: 100 } });
    const large = await client(port);
    large.socket.send('x'.repeat(2005));
    await until('the end', () => large.code !== undefined);
    expect(large.code).toBe(1009);
    expect(element.messages).toEqual([]);
    expect(element.network.counters.closedUnreadable).toBe(1);
  });

  it('a message that is begun has to end within messageMs; control frames do not begin one', async () => {
    const clock = new VirtualClock();
    const { element, port } = await wsElement({ clock, limits: { messageMs: 30_000, idleMs: 600_000 } });
    const slow = await client(port);
    const pinging = await client(port);
    slow.socket.send('REG', { fin: false });
    pinging.socket.ping();
    await until('the time limit', () => clock.size === 2);
    await settle();
    clock.advance(30_000);
    expect(element.network.counters.closedUnfinished).toBe(1);
    await until('the end of the slow one', () => slow.code !== undefined);
    expect(pinging.socket.readyState).toBe(WebSocket.OPEN);
  });
});

describe('reaching a client', () => {
  it('RFC 7118 B.1: it is found by the host of its Via and of its Contact, and by nothing once it is gone', async () => {
    const { element, port } = await wsElement();
    const alice = await client(port);
    alice.socket.send(
      request({ via: from('df7jal23ls0d.invalid'), headers: ['Contact: <sip:alice@other.invalid;transport=ws>'] }),
    );
    await until('the request', () => element.messages.length === 1);
    for (const address of ['df7jal23ls0d.invalid', 'OTHER.invalid']) {
      const flow = element.network.connect({ transport: 'WS', address, port: 80 });
      flow?.send(bytes(request({ number: 9 })));
    }
    await until('both', () => alice.messages.length === 2);
    expect(element.network.connect({ transport: 'WS', address: 'bob.invalid', port: 80 })).toBeUndefined();
    // A sips URI asks for more than plain WebSocket has.
    expect(element.network.connect({ transport: 'WSS', address: 'other.invalid', port: 443 })).toBeUndefined();
    alice.socket.terminate();
    await until('the close', () => element.network.connections === 0);
    expect(element.network.connect({ transport: 'WS', address: 'other.invalid', port: 80 })).toBeUndefined();
  });

  it('a client that comes back under its name gets what was meant for it, answers and requests', async () => {
    const { element, port } = await wsElement();
    const sent = request({ via: from('alice.invalid') });
    const before = await client(port);
    before.socket.send(sent);
    await until('the request', () => element.messages.length === 1);
    before.socket.terminate();
    const [flow] = element.flows;
    await until('the close', () => flow?.open === false);
    const failures = new Failures();
    flow?.send(bytes(response(sent)), failures);
    await until('the report', () => failures.reasons.length === 1);
    const after = await client(port);
    after.socket.send(request({ number: 2, via: from('alice.invalid') }));
    await until('its request', () => element.messages.length === 2);
    flow?.send(bytes(response(sent)), failures);
    flow?.send(bytes(request({ number: 3 })), failures);
    await until('both', () => after.messages.length === 2);
    expect(failures.reasons).toHaveLength(1);
  });

  it('a name is given over to a new connection from the same address only', async () => {
    const { element, port } = await wsElement();
    const alice = await client(port);
    alice.socket.send(request({ via: from('alice.invalid') }));
    await until('the request', () => element.messages.length === 1);
    const mallory = new WebSocket(`ws://${HOST}:${port}/`, ['sip'], { localAddress: '127.0.0.2' });
    onClose(() => mallory.terminate());
    await until('the other', () => mallory.readyState === WebSocket.OPEN);
    mallory.send(request({ via: from('alice.invalid') }));
    await until('its request', () => element.messages.length === 2);
    expect(element.network.connect({ transport: 'WS', address: 'alice.invalid', port: 80 })).toBe(element.flows[0]);
    const again = await client(port);
    again.socket.send(request({ via: from('alice.invalid') }));
    await until('the third', () => element.messages.length === 3);
    expect(element.network.connect({ transport: 'WS', address: 'alice.invalid', port: 80 })).toBe(element.flows[2]);
  });

  it('one client can hold a few names, not any number', async () => {
    const { element, port } = await wsElement();
    const greedy = await client(port);
    for (let number = 1; number <= 20; number++)
      greedy.socket.send(request({ number, via: from(`h${number}.invalid`) }));
    await until('all', () => element.messages.length === 20);
    const found = Array.from({ length: 20 }, (_, at) =>
      element.network.connect({ transport: 'WS', address: `h${at + 1}.invalid`, port: 80 }),
    );
    expect(found.filter((flow) => flow !== undefined)).toHaveLength(8);
  });
});

describe('WSS', () => {
  it('RFC 7118 5.2: a secured client is WSS, and reached by ws and wss alike', async () => {
    const home = authority('home authority');
    const element = new Element();
    const port = await element.listen('WSS', home.issue(`IP:${HOST}`));
    const alice = await new Client(port, ['sip'], { ca: home.cert }).open();
    alice.socket.send(request({ via: from('alice.invalid', 'WSS') }));
    await until('the request', () => element.messages.length === 1);
    expect(element.flows[0]?.transport).toBe('WSS');
    for (const transport of ['WS', 'WSS'] as const) {
      expect(element.network.connect({ transport, address: 'alice.invalid', port: 443 })).toBe(element.flows[0]);
    }
  });
});

describe('closing', () => {
  it('clients are told with 1001, and one that does not listen is cut off', async () => {
    const { element, port } = await wsElement({ limits: { lingerMs: 30 } });
    const polite = await client(port);
    const deaf = connect({ host: HOST, port });
    onClose(() => deaf.destroy());
    deaf.write(
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n',
    );
    await until('both', () => element.network.connections === 2);
    await element.network.close();
    await until('the end', () => polite.code !== undefined);
    expect(polite.code).toBe(1001);
  });
});
