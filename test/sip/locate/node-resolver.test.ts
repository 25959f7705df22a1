/** Names to addresses: what is kept, for how long, and what happens when nobody answers. */
import { describe, expect, it } from '@jest/globals';
import { type Dns, nodeResolver } from '../../../src/host/node-resolver.ts';
import type { Resolver } from '../../../src/sip/network.ts';

const notFound = Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' });

/** A DNS of tables that counts what it is asked. */
class Zone implements Dns {
  readonly asked: string[] = [];
  readonly four: Record<string, { address: string; ttl: number }[]> = {};
  readonly six: Record<string, { address: string; ttl: number }[]> = {};
  readonly hosts: Record<string, { address: string }[]> = {};
  readonly srv: Record<string, { name: string; port: number; priority: number; weight: number }[]> = {};
  readonly naptr: Record<
    string,
    { flags: string; service: string; replacement: string; order: number; preference: number }[]
  > = {};

  #answer<T>(kind: string, table: Record<string, T[]>, name: string): Promise<T[]> {
    this.asked.push(`${kind} ${name}`);
    const found = table[name];
    return found === undefined ? Promise.reject(notFound) : Promise.resolve(found);
  }

  resolve4 = (name: string) => this.#answer('A', this.four, name);
  resolve6 = (name: string) => this.#answer('AAAA', this.six, name);
  resolveSrv = (name: string) => this.#answer('SRV', this.srv, name);
  resolveNaptr = (name: string) => this.#answer('NAPTR', this.naptr, name);
  lookup = (name: string) => this.#answer('hosts', this.hosts, name);
}

const addresses = (resolver: Resolver, host: string): Promise<readonly string[]> =>
  new Promise((done) => resolver.addresses(host, done));
const srv = (resolver: Resolver, name: string) => new Promise((done) => resolver.srv(name, done));

function clocked(zone: Dns, limitMs?: number) {
  const time = { now: 1_000_000 };
  const resolver = nodeResolver({ dns: zone, now: () => time.now, ...(limitMs === undefined ? {} : { limitMs }) });
  return { resolver, time };
}

describe('addresses', () => {
  it('are those of A and of AAAA records, kept for the shortest of their TTLs', async () => {
    const zone = new Zone();
    zone.four['pf.example'] = [{ address: '192.0.2.1', ttl: 60 }];
    zone.six['pf.example'] = [{ address: '2001:db8::1', ttl: 20 }];
    const { resolver, time } = clocked(zone);
    expect(await addresses(resolver, 'pf.example')).toEqual(['192.0.2.1', '2001:db8::1']);
    time.now += 19_999;
    expect(await addresses(resolver, 'PF.example')).toEqual(['192.0.2.1', '2001:db8::1']);
    expect(zone.asked).toEqual(['A pf.example', 'AAAA pf.example']);
    zone.four['pf.example'] = [{ address: '192.0.2.2', ttl: 60 }];
    time.now += 1;
    expect(await addresses(resolver, 'pf.example')).toEqual(['192.0.2.2', '2001:db8::1']);
  });

  it('that are known come at once, without a turn of the loop', async () => {
    const zone = new Zone();
    zone.four['pf.example'] = [{ address: '192.0.2.1', ttl: 60 }];
    const { resolver } = clocked(zone);
    await addresses(resolver, 'pf.example');
    let found: readonly string[] = [];
    resolver.addresses('pf.example', (known) => {
      found = known;
    });
    expect(found).toEqual(['192.0.2.1']);
    resolver.addresses('2001:db8::5', (literal) => {
      found = literal;
    });
    expect(found).toEqual(['2001:db8::5']);
  });

  it('with a TTL of zero are kept for a second, and with one of days for an hour', async () => {
    const zone = new Zone();
    zone.four['short.example'] = [{ address: '192.0.2.1', ttl: 0 }];
    zone.four['long.example'] = [{ address: '192.0.2.1', ttl: 864_000 }];
    const { resolver, time } = clocked(zone);
    for (const host of ['short.example', 'long.example']) await addresses(resolver, host);
    time.now += 999;
    await addresses(resolver, 'short.example');
    expect(zone.asked).toHaveLength(4);
    time.now += 1;
    await addresses(resolver, 'short.example');
    expect(zone.asked).toHaveLength(6);
    time.now += 3_599_000;
    await addresses(resolver, 'long.example');
    expect(zone.asked).toHaveLength(8);
  });

  it('of localhost and of the hosts file come from the operating system, after the DNS or without it', async () => {
    const zone = new Zone();
    zone.hosts.localhost = [{ address: '127.0.0.1' }, { address: '::1' }];
    zone.hosts['pf.internal'] = [{ address: '10.0.0.1' }];
    const { resolver } = clocked(zone);
    expect(await addresses(resolver, 'localhost')).toEqual(['127.0.0.1', '::1']);
    expect(await addresses(resolver, 'pf.internal')).toEqual(['10.0.0.1']);
    expect(zone.asked).toEqual(['hosts localhost', 'A pf.internal', 'AAAA pf.internal', 'hosts pf.internal']);
  });

  it('of localhost are found on this very host', async () => {
    const found = await addresses(nodeResolver(), 'localhost');
    expect(found.some((address) => address === '127.0.0.1' || address === '::1')).toBe(true);
  });
});

describe('what is not there', () => {
  it('is an empty list, and is not asked for again for five seconds', async () => {
    const zone = new Zone();
    const { resolver, time } = clocked(zone);
    expect(await addresses(resolver, 'nobody.example')).toEqual([]);
    time.now += 4999;
    expect(await addresses(resolver, 'nobody.example')).toEqual([]);
    expect(zone.asked).toHaveLength(3);
    time.now += 1;
    zone.four['nobody.example'] = [{ address: '192.0.2.1', ttl: 60 }];
    expect(await addresses(resolver, 'nobody.example')).toEqual(['192.0.2.1']);
  });

  it('ends after the time limit where the DNS is silent; an answer that comes late serves the next one', async () => {
    let answer: (records: { name: string; port: number; priority: number; weight: number }[]) => void = () => {};
    const zone = new Zone();
    const silent: Dns = Object.assign(zone, {
      resolveSrv: () =>
        new Promise<{ name: string; port: number; priority: number; weight: number }[]>((resolve) => {
          answer = resolve;
        }),
    });
    const { resolver } = clocked(silent, 10);
    expect(await srv(resolver, '_sip._udp.example')).toEqual([]);
    answer([{ name: 'pf.example', port: 5060, priority: 1, weight: 0 }]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await srv(resolver, '_sip._udp.example')).toEqual([
      { host: 'pf.example', port: 5060, priority: 1, weight: 0 },
    ]);
  });

  it('also ends where the DNS is silent about an address, with what the operating system knows', async () => {
    const zone = new Zone();
    zone.hosts['pf.internal'] = [{ address: '10.0.0.1' }];
    const silent = Object.assign(zone, { resolve4: () => new Promise<never>(() => {}) });
    const { resolver } = clocked(silent, 10);
    expect(await addresses(resolver, 'pf.internal')).toEqual(['10.0.0.1']);
  });
});

describe('many questions', () => {
  it('for one name are one look-up, and all are answered', async () => {
    const zone = new Zone();
    zone.srv['_sip._udp.example'] = [{ name: 'pf.example', port: 5060, priority: 1, weight: 2 }];
    const { resolver } = clocked(zone);
    const found = await Promise.all(Array.from({ length: 50 }, () => srv(resolver, '_sip._udp.example')));
    expect(zone.asked).toEqual(['SRV _sip._udp.example']);
    expect(found).toEqual(Array(50).fill([{ host: 'pf.example', port: 5060, priority: 1, weight: 2 }]));
  });

  it('for many names push out the one used longest ago, not one in use', async () => {
    const zone = new Zone();
    zone.four['used.example'] = [{ address: '192.0.2.1', ttl: 3600 }];
    zone.four['unused.example'] = [{ address: '192.0.2.2', ttl: 3600 }];
    const { resolver } = clocked(zone);
    await addresses(resolver, 'unused.example');
    await addresses(resolver, 'used.example');
    for (let number = 0; number < 4095; number++) {
      await addresses(resolver, `n${number}.example`);
      if (number % 1000 === 0) await addresses(resolver, 'used.example');
    }
    zone.asked.length = 0;
    await addresses(resolver, 'used.example');
    expect(zone.asked).toEqual([]);
    await addresses(resolver, 'unused.example');
    expect(zone.asked).toEqual(['A unused.example', 'AAAA unused.example']);
  });

  it('at a time are bounded: beyond a thousand open ones the answer is that nothing was found', async () => {
    const zone = new Zone();
    const silent = Object.assign(zone, { resolveSrv: () => new Promise<never>(() => {}) });
    const { resolver } = clocked(silent, 50);
    let answered = 0;
    for (let number = 0; number < 1030; number++) resolver.srv(`_sip._udp.n${number}.example`, () => answered++);
    expect(answered).toBe(6);
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(answered).toBe(1030);
  });
});

describe('records', () => {
  it('RFC 3263 4.1: NAPTR records count with the flag s, their service in upper case', async () => {
    const zone = new Zone();
    zone.naptr['home.example'] = [
      { flags: 'S', service: 'sip+d2t', replacement: '_sip._tcp.home.example', order: 1, preference: 2 },
      { flags: 'u', service: 'E2U+sip', replacement: '', order: 1, preference: 1 },
    ];
    const { resolver } = clocked(zone);
    const found = await new Promise((done) => resolver.naptr('home.example', done));
    expect(found).toEqual([{ service: 'SIP+D2T', replacement: '_sip._tcp.home.example', order: 1, preference: 2 }]);
  });

  it('of one answer are bounded', async () => {
    const zone = new Zone();
    zone.srv['_sip._udp.example'] = Array.from({ length: 500 }, (_, port) => ({
      name: 'x.example',
      port,
      priority: 1,
      weight: 1,
    }));
    const { resolver } = clocked(zone);
    expect(await srv(resolver, '_sip._udp.example')).toHaveLength(64);
  });
});
