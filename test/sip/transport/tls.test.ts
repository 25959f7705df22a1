/** TLS: whom we believe, whom we let in, and connections that peers lend us (RFC 3261 26.2, RFC 5922, RFC 5923). */

import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Target } from '../../../src/sip/flow.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { authority } from './certificates.ts';
import {
  bytes,
  closeAll,
  Element,
  Failures,
  HOST,
  onClose,
  RawPeer,
  rawPeer,
  rawServer,
  request,
  response,
  settle,
  until,
} from './support.ts';

const home = authority('home authority');
const away = authority('away authority');
const pf = { ...home.issue(`DNS:pf.home.example,IP:${HOST}`), ca: home.cert };
const core = { ...home.issue('DNS:core.home.example,URI:sip:home.example'), ca: home.cert };

afterEach(closeAll);

async function tlsElement(tls: { cert: string; key: string; ca?: string; requestCert?: boolean }, options = {}) {
  const element = new Element(options);
  return { element, port: await element.listen('TLS', tls) };
}

const to = (port: number, serverName?: string): Target => ({
  transport: 'TLS',
  address: HOST,
  port,
  ...(serverName === undefined ? {} : { serverName }),
});

/** A TLS client by hand. */
function client(port: number, options: ConnectionOptions): Promise<RawPeer> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connectTls({ host: HOST, port, ca: home.cert, ...options });
    onClose(() => socket.destroy());
    socket.once('secureConnect', () => resolve(new RawPeer(socket)));
    socket.once('error', reject);
  });
}

describe('dialling over TLS', () => {
  it('RFC 3261 26.2: a request and its answer pass on one connection, whose certificate proves the name', async () => {
    const near = await tlsElement(core);
    const far = await tlsElement(pf);
    far.element.onMessage = (message, flow) => flow.send(bytes(response(message)));
    for (let number = 1; number <= 10; number++) {
      near.element.network.connect(to(far.port, 'pf.home.example'))?.send(bytes(request({ number })));
    }
    await until('the answers', () => near.element.messages.length === 10);
    expect(far.element.network.counters.accepted).toBe(1);
    expect(near.element.network.counters.dialled).toBe(1);
  });

  it('RFC 5922 7.1: a SIP URI in the certificate proves its domain, and an address proves itself', async () => {
    const near = await tlsElement(pf);
    const far = await tlsElement(core);
    const other = await tlsElement(pf);
    near.element.network.connect(to(far.port, 'home.example'))?.send(bytes(request()));
    near.element.network.connect(to(other.port))?.send(bytes(request()));
    await until('the request by name', () => far.element.messages.length === 1);
    await until('the request by address', () => other.element.messages.length === 1);
  });

  it('RFC 5922 7.3: a certificate for another name is refused, the sender told, and nothing has left', async () => {
    const near = await tlsElement(core);
    const far = await tlsElement(pf);
    const failures = new Failures();
    const flow = near.element.network.connect(to(far.port, 'mallory.example'));
    flow?.send(bytes(request()), failures);
    flow?.send(bytes(request()), failures);
    await until('the reports', () => failures.reasons.length === 2);
    expect(failures.reasons[0]).toContain('mallory.example');
    await settle();
    expect(far.element.messages).toEqual([]);
    expect(near.element.network.counters).toMatchObject({ dialFailed: 1, dialled: 0 });
  });

  it('a connection proven for one name is not used for another', async () => {
    const near = await tlsElement(core);
    const far = await tlsElement(pf);
    near.element.network.connect(to(far.port, 'pf.home.example'))?.send(bytes(request()));
    await until('the request', () => far.element.messages.length === 1);
    const failures = new Failures();
    near.element.network.connect(to(far.port, 'mallory.example'))?.send(bytes(request()), failures);
    await until('the report', () => failures.reasons.length === 1);
    expect(far.element.messages).toHaveLength(1);
  });

  it('a certificate of an authority that is not believed is refused', async () => {
    const near = await tlsElement(core);
    const far = await tlsElement(away.issue('DNS:pf.home.example'));
    const failures = new Failures();
    near.element.network.connect(to(far.port, 'pf.home.example'))?.send(bytes(request()), failures);
    await until('the report', () => failures.reasons.length === 1);
    expect(failures.reasons[0]).toMatch(/certificate/);
    await settle();
    expect(far.element.messages).toEqual([]);
  });

  it('a peer that accepts and does not shake hands is given up after connectMs', async () => {
    const clock = new VirtualClock();
    const near = await tlsElement(core, { clock, limits: { connectMs: 5000 } });
    const silent = await rawServer();
    const failures = new Failures();
    near.element.network.connect(to(silent.port))?.send(bytes(request()), failures);
    await until('the first handshake bytes', () => silent.peers[0] !== undefined && silent.peers[0].text !== '');
    clock.advance(5000);
    await until('the report', () => failures.reasons.length === 1);
    expect(failures.reasons).toEqual(['no connection within 5000 ms']);
    await until('the end', () => silent.peers[0]?.ended === true);
  });
});

describe('listening over TLS', () => {
  it('TLS 1.2 and 1.3 are spoken, nothing older', async () => {
    const { port } = await tlsElement(pf);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const peer = await client(port, { minVersion: version, maxVersion: version });
      expect((peer.socket as TLSSocket).getProtocol()).toBe(version);
    }
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(client(port, old)).rejects.toThrow(/version|handshake/);
  });

  it('what does not get through the handshake is no connection, is counted, and is closed after connectMs', async () => {
    const clock = new VirtualClock();
    const { element, port } = await tlsElement(pf, { clock, limits: { connectMs: 5000, handshakes: 2 } });
    const { counters } = element.network;
    const silent = await rawPeer(port);
    const babbling = await rawPeer(port);
    await babbling.write(request());
    await until('the end of the babbling one', () => babbling.ended);
    await until('its count', () => counters.refused === 1);
    const second = await rawPeer(port);
    await until('both handshakes', () => clock.size >= 2);
    const third = await rawPeer(port);
    await until('the end of the one too many', () => third.ended);
    expect(counters.refused).toBe(2);
    expect([silent.ended, second.ended]).toEqual([false, false]);
    clock.advance(5000);
    await until('the end of the silent ones', () => silent.ended && second.ended);
    expect(counters).toMatchObject({ refused: 4, accepted: 0 });
    expect(element.network.connections).toBe(0);
  });

  it('with requestCert only peers with a certificate of the authority come in', async () => {
    const { element, port } = await tlsElement({ ...pf, requestCert: true });
    const known = await client(port, { servername: 'pf.home.example', ...core });
    await known.write(request());
    await until('the request', () => element.messages.length === 1);
    const stranger = await client(port, {
      servername: 'pf.home.example',
      ...away.issue('DNS:core.home.example'),
    }).catch(() => undefined);
    await stranger?.write(request()).catch(() => undefined);
    await until('the refusal', () => element.network.counters.refused === 1);
    expect(element.messages).toHaveLength(1);
    expect(element.network.counters.accepted).toBe(1);
  });

  it('certificates that cannot be used are named in the error', async () => {
    const { network } = new Element();
    const listening = network.listen(
      { transport: 'TLS', address: HOST, port: 0 },
      { tls: { cert: 'nonsense', key: pf.key } },
    );
    await expect(listening).rejects.toThrow(/tls: cert, key or ca can't be used/);
  });
});

describe('RFC 5923: a connection that its peer lends us', () => {
  const alias = (host: string, port: number) => request({ via: `SIP/2.0/TLS ${host}:${port};alias` });

  it('5 and 8.2: with alias in the Via, and a certificate for its host, our requests go back on it', async () => {
    const { element, port } = await tlsElement({ ...pf, requestCert: true });
    const peer = await client(port, { servername: 'pf.home.example', ...core });
    await peer.write(alias('core.home.example', 5999));
    await until('the request', () => element.messages.length === 1);
    element.network.connect(to(5999, 'core.home.example'))?.send(bytes(request({ number: 7 })));
    await until('ours', () => peer.text === request({ number: 7 }));
    expect(element.network.counters.dialled).toBe(0);
    // Another name at the same address is not proven by this certificate.
    expect(element.network.connect(to(5999, 'mallory.example'))?.open).toBe(true);
    expect(element.network.connections).toBe(2);
  });

  it.each([
    ['without alias', 'core.home.example', core, true, ''],
    ['with a certificate for another host than that of the Via', 'mallory.example', core, true, ';alias'],
    ['with a certificate that nobody has checked', 'core.home.example', core, false, ';alias'],
  ])('9.2: %s it is not used', async (_, host, shown, requestCert, parameter) => {
    const { element, port } = await tlsElement({ ...pf, requestCert });
    const peer = await client(port, { servername: 'pf.home.example', ...shown });
    await peer.write(request({ via: `SIP/2.0/TLS ${host}:5999${parameter}` }));
    await until('the request', () => element.messages.length === 1);
    for (const name of [host, 'core.home.example']) {
      element.network.connect(to(5999, name))?.send(bytes(request({ number: 7 })));
    }
    await settle();
    expect(peer.text).toBe('');
  });
});
