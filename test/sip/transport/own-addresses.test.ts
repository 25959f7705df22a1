/** Which host and port are ours (RFC 3261 16.4, 18.1.2). */
import { afterEach, describe, expect, it } from '@jest/globals';
import { OwnAddresses } from '../../../src/sip/transport/own-addresses.ts';
import { closeAll, Element, HOST } from './support.ts';

afterEach(closeAll);

function own(interfaces: readonly string[] = []): OwnAddresses {
  return new OwnAddresses(
    () => 0,
    () => interfaces,
  );
}

describe('one listening address', () => {
  it.each([
    ['10.0.0.1', 5060, '10.0.0.1', 5060, true],
    ['10.0.0.1', 5060, '10.0.0.1', undefined, true],
    ['10.0.0.1', 5060, '10.0.0.1', 5061, false],
    ['10.0.0.1', 5060, '10.0.0.2', 5060, false],
    ['10.0.0.1', 5070, '10.0.0.1', undefined, false],
    ['10.0.0.1', 5060, 'localhost', 5060, false],
    ['127.0.0.1', 5070, 'localhost', 5070, true],
    ['127.0.0.1', 5070, 'LocalHost.', 5070, true],
    ['2001:db8::1', 5060, '[2001:db8::1]', 5060, true],
    ['2001:db8::1', 5060, '2001:db8::1', 5060, true],
    ['2001:db8::1', 5060, '[2001:DB8:0:0:0:0:0:1]', undefined, true],
    ['2001:db8::1', 5060, '[2001:db8::1:5060]', undefined, false],
    ['2001:db8::1', 5060, '[2001:db8::2]', 5060, false],
    ['2001:db8::1', 5060, '[nonsense:]', 5060, false],
    ['::1', 5060, 'ip6-localhost', 5060, true],
  ])('%s port %s: is %s port %s ours? %s', (address, port, host, asked, expected) => {
    const addresses = own();
    addresses.listen(address, port, false);
    expect(addresses.has(host, asked)).toBe(expected);
  });

  it('RFC 3261 19.1.2: without a port, 5061 is meant where TLS is spoken, and only there', () => {
    const plain = own();
    plain.listen('10.0.0.1', 5061, false);
    expect(plain.has('10.0.0.1', undefined)).toBe(false);
    const secure = own();
    secure.listen('10.0.0.1', 5061, true);
    expect(secure.has('10.0.0.1', undefined)).toBe(true);
    expect(secure.has('10.0.0.1', 5060)).toBe(false);
  });
});

describe('what is advertised', () => {
  it.each([
    ['pf.example:5070', 'pf.example', 5070, true],
    ['pf.example:5070', 'PF.Example', 5070, true],
    ['pf.example:5070', 'pf.example', undefined, false],
    ['pf.example', 'pf.example', undefined, true],
    ['pf.example', 'pf.example', 5060, true],
    ['[2001:db8::9]:5060', '[2001:db8::9]', 5060, true],
    ['[2001:db8::9]', '[2001:db8::9]', undefined, true],
  ])('%s: is %s port %s ours? %s', (advertised, host, port, expected) => {
    const addresses = own();
    addresses.advertise(advertised, false);
    expect(addresses.has(host, port)).toBe(expected);
  });
});

describe('a listener on all interfaces', () => {
  const interfaces = ['127.0.0.1', '10.0.0.1', '::1', '2001:db8::1'];

  it.each([
    ['0.0.0.0', '10.0.0.1', true],
    ['0.0.0.0', '127.0.0.1', true],
    ['0.0.0.0', 'localhost', true],
    ['0.0.0.0', '[2001:db8::1]', false],
    ['0.0.0.0', '10.0.0.2', false],
    ['::', '[2001:db8::1]', true],
    ['::', '[::1]', true],
    ['::', '10.0.0.1', false],
  ])('%s: is %s ours? %s', (wildcard, host, expected) => {
    const addresses = own(interfaces);
    addresses.listen(wildcard, 5060, false);
    expect(addresses.has(host, 5060)).toBe(expected);
    expect(addresses.has(host, undefined)).toBe(expected);
    expect(addresses.has(host, 5070)).toBe(false);
  });

  it('an interface that comes up later is found, without reading them for each question', () => {
    let now = 100_000;
    let reads = 0;
    const present = ['10.0.0.1'];
    const addresses = new OwnAddresses(
      () => now,
      () => {
        reads++;
        return present;
      },
    );
    addresses.listen('0.0.0.0', 5060, false);
    present.push('10.0.0.2');
    for (let asked = 0; asked < 100; asked++) expect(addresses.has('10.0.0.2', 5060)).toBe(false);
    expect(reads).toBe(1);
    now += 10_000;
    expect(addresses.has('10.0.0.2', 5060)).toBe(true);
  });

  it('peers are told an address they can reach', () => {
    expect(own(interfaces).reachable('0.0.0.0')).toBe('10.0.0.1');
    expect(own(interfaces).reachable('::')).toBe('2001:db8::1');
    expect(own(['127.0.0.1']).reachable('0.0.0.0')).toBe('127.0.0.1');
  });
});

describe('the network', () => {
  it('says in Via what the first listener of a transport advertises, and knows all of them', async () => {
    const { network } = new Element();
    const first = await network.listen({ transport: 'UDP', address: HOST, port: 0 }, { advertise: 'pf.example:5070' });
    const second = await network.listen({ transport: 'UDP', address: HOST, port: 0 });
    const tcp = await network.listen({ transport: 'TCP', address: HOST, port: 0 });
    expect(network.sentBy('UDP')).toBe('pf.example:5070');
    expect(network.sentBy('TCP')).toBe(`${HOST}:${tcp.port}`);
    expect(network.listening).toEqual([first, second, tcp]);
    for (const { port } of network.listening) expect(network.isOwn(HOST, port)).toBe(true);
    expect(network.isOwn('pf.example', 5070)).toBe(true);
    expect(network.isOwn('pf.example', undefined)).toBe(false);
    expect([network.speaks('TCP'), network.speaks('TLS')]).toEqual([true, false]);
  });
});
