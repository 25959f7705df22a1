/** Two whole SIP stacks that talk over real connections. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { NodeClock } from '../../../src/host/node-clock.ts';
import { nodeIdentifiers } from '../../../src/host/node-identifiers.ts';
import { nodeResolver } from '../../../src/host/node-resolver.ts';
import type { TransportName } from '../../../src/sip/flow.ts';
import { headerField } from '../../../src/sip/message/header.ts';
import type { LegId, SipEvent } from '../../../src/sip/port.ts';
import { SipStack } from '../../../src/sip/stack.ts';
import { NodeNetwork, type TlsMaterial, type TransportLimits } from '../../../src/sip/transport/node-network.ts';
import { authority } from './certificates.ts';
import { closeAll, HOST, onClose, rawPeer, request, until } from './support.ts';

afterEach(closeAll);

/** A user agent: a stack on a network, and what it is told. */
class Agent {
  readonly events: SipEvent[] = [];
  readonly clock = new NodeClock();
  readonly network: NodeNetwork;
  stack!: SipStack;
  #transport: TransportName = 'TCP';

  constructor(limits: Partial<TransportLimits> = {}) {
    this.network = new NodeNetwork({ clock: this.clock, limits });
    onClose(() => this.close());
  }

  async listen(transport: TransportName, tls?: TlsMaterial): Promise<this> {
    await this.network.listen({ transport, address: HOST, port: 0 }, tls === undefined ? {} : { tls });
    this.#transport = transport;
    this.stack = new SipStack({
      clock: this.clock,
      identifiers: nodeIdentifiers(),
      network: this.network,
      resolver: nodeResolver(),
      random: () => 0,
    });
    this.stack.onEvent((event) => this.events.push(event));
    this.network.attach(this.stack);
    return this;
  }

  get uri(): string {
    return `sip:${this.network.sentBy(this.#transport)};transport=${this.#transport.toLowerCase()}`;
  }

  get contact() {
    return headerField('Contact', `<${this.uri}>`);
  }

  /** The first event of a kind, once it is there. */
  async event<T extends SipEvent['type']>(type: T): Promise<Extract<SipEvent, { type: T }>> {
    await until(type, () => this.events.some((event) => event.type === type));
    const at = this.events.findIndex((event) => event.type === type);
    return this.events.splice(at, 1)[0] as Extract<SipEvent, { type: T }>;
  }

  invite(leg: LegId, uri: string): void {
    const from = '<sip:alice@home.example>';
    const headers = [this.contact];
    const invite = { uri, from, to: '<sip:bob@home.example>', maxForwards: 70, routeSets: [[]], headers };
    this.stack.execute({ type: 'invite', leg, invite });
  }

  async close(): Promise<void> {
    this.stack.close();
    await this.network.close();
    this.clock.stop();
  }
}

/** INVITE, 200, ACK, BYE, 200, from one to the other. */
async function call(alice: Agent, bob: Agent, uri: string): Promise<void> {
  alice.invite('session.b', uri);
  const { leg } = await bob.event('invite');
  bob.stack.execute({ type: 'answer', leg, fork: 0, status: 200, headers: [bob.contact] });
  await alice.event('answered');
  alice.stack.execute({ type: 'acknowledge', leg: 'session.b', headers: [] });
  await bob.event('acknowledged');
  alice.stack.execute({ type: 'request', leg: 'session.b', exchange: 'bye', method: 'BYE', headers: [] });
  const bye = await bob.event('bye');
  bob.stack.execute({ type: 'respond', leg, exchange: bye.exchange, status: 200, headers: [] });
  const ended = await alice.event('response');
  expect(ended).toMatchObject({ status: 200, cause: 'response' });
  alice.stack.execute({ type: 'release', leg: 'session.b' });
  bob.stack.execute({ type: 'release', leg });
}

describe('a whole call', () => {
  it('RFC 3261 24.2 over TCP: INVITE, 200, ACK and BYE share one connection', async () => {
    const alice = await new Agent().listen('TCP');
    const bob = await new Agent().listen('TCP');
    await call(alice, bob, bob.uri);
    expect(alice.network.counters).toMatchObject({ dialled: 1, accepted: 0 });
    expect(bob.network.counters).toMatchObject({ dialled: 0, accepted: 1 });
    expect(alice.stack.held.legs + bob.stack.held.legs).toBe(0);
    await Promise.all([alice.close(), bob.close()]);
    expect(alice.network.connections + bob.network.connections).toBe(0);
  });

  it('RFC 3261 26.2 over TLS: the same, with certificates proven on the way', async () => {
    const home = authority('home authority');
    const tls = { ...home.issue(`IP:${HOST}`), ca: home.cert };
    const alice = await new Agent().listen('TLS', tls);
    const bob = await new Agent().listen('TLS', tls);
    await call(alice, bob, bob.uri.replace('sip:', 'sips:').replace(';transport=tls', ''));
    expect(bob.network.counters.accepted).toBe(1);
    expect(alice.stack.counters.malformed + bob.stack.counters.malformed).toBe(0);
  });

  it('over UDP, to a name of this host', async () => {
    const alice = await new Agent().listen('UDP');
    const bob = await new Agent().listen('UDP');
    await call(alice, bob, bob.uri.replace(HOST, 'localhost'));
  });
});

describe('what the stack makes of the transports', () => {
  it('RFC 3261 17.1.4: an INVITE to a port where nobody listens fails at once, not after timer B', async () => {
    const alice = await new Agent().listen('TCP');
    const bob = await new Agent().listen('TCP');
    const nowhere = bob.uri;
    await bob.close();
    alice.invite('session.b', nowhere);
    expect(await alice.event('failed')).toMatchObject({ status: 503, cause: 'transport' });
  });

  it('RFC 3261 18.3: what is no stream of SIP messages is answered with 400 and closed', async () => {
    const bob = await new Agent().listen('TCP');
    const peer = await rawPeer(bob.network.listening[0]?.port ?? 0);
    await peer.write(request({ method: 'MESSAGE' }).replace(/Content-Length: \d+/, 'Content-Length: many'));
    await until('the end', () => peer.ended);
    expect(peer.text).toMatch(/^SIP\/2.0 400 /);
  });

  it('RFC 5626 3.5.1: a ping is answered with one CRLF, also byte by byte', async () => {
    const bob = await new Agent().listen('TCP');
    const peer = await rawPeer(bob.network.listening[0]?.port ?? 0);
    await peer.write('\r\n\r\n');
    await until('the pong', () => peer.text === '\r\n');
    for (const letter of '\r\n\r\n') await peer.write(letter);
    await until('the second pong', () => peer.text === '\r\n\r\n');
  });

  it('RFC 7118 6 and 4: over WebSocket too, and an OPTIONS is answered on its connection', async () => {
    const bob = await new Agent().listen('WS');
    const socket = new WebSocket(`ws://${bob.network.sentBy('WS')}`, ['sip']);
    onClose(() => socket.terminate());
    const got: string[] = [];
    socket.on('message', (data) => got.push(data.toString()));
    await until('the WebSocket', () => socket.readyState === WebSocket.OPEN);
    socket.send('\r\n\r\n');
    await until('the pong', () => got.length === 1);
    expect(got).toEqual(['\r\n']);
    socket.send(request({ via: 'SIP/2.0/WS alice.invalid' }));
    const { exchange } = await bob.event('outside');
    bob.stack.execute({ type: 'reply', exchange, status: 200, headers: [] });
    await until('the answer', () => got.length === 2);
    expect(got[1]).toMatch(/^SIP\/2.0 200 OK\r\nVia: SIP\/2.0\/WS alice.invalid;.*received=127.0.0.1/);
  });
});
