/** From a URI to the addresses to try (RFC 3263), with RFC 2782 for the order of SRV records. */
import { describe, expect, it } from '@jest/globals';
import type { Target, TransportName } from '../../../src/sip/flow.ts';
import { locate, orderSrv } from '../../../src/sip/locate/locate.ts';
import type { Naptr, Resolver, Srv } from '../../../src/sip/network.ts';

class Zone implements Resolver {
  readonly asked: string[] = [];
  readonly naptrs: Record<string, Naptr[]> = {};
  readonly srvs: Record<string, Srv[]> = {};
  readonly hosts: Record<string, string[]> = {};

  naptr(domain: string, done: (records: readonly Naptr[]) => void): void {
    this.asked.push(`NAPTR ${domain}`);
    done(this.naptrs[domain] ?? []);
  }

  srv(name: string, done: (records: readonly Srv[]) => void): void {
    this.asked.push(`SRV ${name}`);
    done(this.srvs[name] ?? []);
  }

  addresses(host: string, done: (addresses: readonly string[]) => void): void {
    this.asked.push(`A ${host}`);
    done(this.hosts[host] ?? []);
  }
}

interface Question {
  readonly transports?: readonly TransportName[];
  readonly random?: () => number;
}

function targets(uri: string, zone = new Zone(), question: Question = {}): readonly Target[] {
  let found: readonly Target[] | undefined;
  const { transports = ['UDP', 'TCP', 'TLS', 'WS', 'WSS'], random = () => 0 } = question;
  locate(uri, { resolver: zone, speaks: (name) => transports.includes(name), random }, (located) => {
    expect(found).toBeUndefined();
    found = located;
  });
  if (found === undefined) throw new Error('no answer');
  return found;
}

const spelled = ({ transport, address, port }: Target): string => `${transport} ${address} ${port}`;
const found = (...given: Parameters<typeof targets>): string[] => targets(...given).map(spelled);
const at = (priority: number, weight: number, host: string, port = 5060): Srv => ({ priority, weight, host, port });
const rule = (order: number, preference: number, service: string, replacement: string): Naptr => ({
  order,
  preference,
  service,
  replacement,
});

describe('RFC 3263 4.1 and 4.2: what needs no look-up', () => {
  it.each([
    ['sip:10.0.0.1', ['UDP 10.0.0.1 5060']],
    ['sip:bob@10.0.0.1:5070', ['UDP 10.0.0.1 5070']],
    ['sip:10.0.0.1;transport=tcp', ['TCP 10.0.0.1 5060']],
    ['sip:10.0.0.1;transport=TLS', ['TLS 10.0.0.1 5061']],
    ['sips:10.0.0.1', ['TLS 10.0.0.1 5061']],
    ['sips:10.0.0.1:5070;transport=tcp', ['TLS 10.0.0.1 5070']],
    ['sips:10.0.0.1;transport=udp', []],
    ['sip:10.0.0.1;transport=sctp', []],
    ['sip:[2001:db8::1]', ['UDP 2001:db8::1 5060']],
    ['sip:[2001:db8::1]:5070;transport=tcp', ['TCP 2001:db8::1 5070']],
    ['sip:bob@home.example;maddr=10.0.0.9', ['UDP 10.0.0.9 5060']],
    ['sip:bob@home.example:5070;maddr=[::1];transport=tcp', ['TCP ::1 5070']],
    ['sip:abc@df7jal23ls0d.invalid;transport=ws', ['WS df7jal23ls0d.invalid 80']],
    ['sips:abc@df7jal23ls0d.invalid;transport=ws', ['WSS df7jal23ls0d.invalid 443']],
    ['sip:abc@10.0.0.1;transport=ws', ['WS 10.0.0.1 80']],
    ['tel:+15550100', []],
    ['im:bob@home.example', []],
    ['nonsense', []],
  ])('%s', (uri, expected) => {
    const zone = new Zone();
    expect(found(uri, zone)).toEqual(expected);
    expect(zone.asked).toEqual([]);
  });

  it('where UDP is not spoken, an address is tried over TCP', () => {
    expect(found('sip:10.0.0.1', new Zone(), { transports: ['TCP', 'TLS'] })).toEqual(['TCP 10.0.0.1 5060']);
  });
});

describe('RFC 3263 4.2: a name with a port', () => {
  it('needs its address alone', () => {
    const zone = new Zone();
    zone.hosts['pf.example'] = ['10.0.0.1', '10.0.0.2'];
    expect(found('sip:pf.example:5070', zone)).toEqual(['UDP 10.0.0.1 5070', 'UDP 10.0.0.2 5070']);
    expect(found('sips:pf.example:5070', zone)).toEqual(['TLS 10.0.0.1 5070', 'TLS 10.0.0.2 5070']);
    expect(found('sip:pf.example:5070;transport=tcp', zone)).toEqual(['TCP 10.0.0.1 5070', 'TCP 10.0.0.2 5070']);
    expect(new Set(zone.asked)).toEqual(new Set(['A pf.example']));
  });

  it('in maddr is looked up in place of the host', () => {
    const zone = new Zone();
    zone.hosts['edge.example'] = ['10.0.0.3'];
    expect(found('sip:bob@home.example:5070;maddr=edge.example', zone)).toEqual(['UDP 10.0.0.3 5070']);
  });
});

describe('RFC 3263 4.1: the transport of a bare name', () => {
  function home(): Zone {
    const zone = new Zone();
    for (const [name, transport] of [
      ['_sip._udp', 'u'],
      ['_sip._tcp', 't'],
      ['_sips._tcp', 's'],
    ] as const) {
      zone.srvs[`${name}.home.example`] = [at(1, 0, `${transport}.home.example`, 6000)];
      zone.hosts[`${transport}.home.example`] = [`10.0.0.${transport.charCodeAt(0)}`];
    }
    return zone;
  }
  const udp = 'UDP 10.0.0.117 6000';
  const tcp = 'TCP 10.0.0.116 6000';
  const tls = 'TLS 10.0.0.115 6000';

  it('is that of the NAPTR records, by order, then by preference', () => {
    const zone = home();
    zone.naptrs['home.example'] = [
      rule(20, 1, 'SIP+D2U', '_sip._udp.home.example'),
      rule(10, 2, 'SIP+D2T', '_sip._tcp.home.example'),
      rule(10, 1, 'SIPS+D2T', '_sips._tcp.home.example'),
    ];
    expect(found('sip:bob@home.example', zone)).toEqual([tls, tcp, udp]);
    expect(found('sip:bob@home.example', zone, { transports: ['UDP', 'TCP'] })).toEqual([tcp, udp]);
  });

  it('for sips is TLS, whatever else the NAPTR records offer', () => {
    const zone = home();
    zone.naptrs['home.example'] = [
      rule(1, 1, 'SIP+D2U', '_sip._udp.home.example'),
      rule(2, 1, 'SIP+D2T', '_sip._tcp.home.example'),
      rule(3, 1, 'SIPS+D2T', '_sips._tcp.home.example'),
    ];
    expect(found('sips:bob@home.example', zone)).toEqual([tls]);
    zone.naptrs['home.example'] = zone.naptrs['home.example'].slice(0, 2);
    expect(found('sips:bob@home.example', zone)).toEqual([tls]);
    expect(found('sips:bob@home.example', zone, { transports: ['UDP', 'TCP'] })).toEqual([]);
  });

  it('without usable NAPTR records is that of the SRV records, UDP before TCP', () => {
    const zone = home();
    zone.naptrs['home.example'] = [rule(1, 1, 'SIP+D2S', '_sip._sctp.home.example')];
    expect(found('sip:bob@home.example', zone)).toEqual([udp, tcp]);
    expect(zone.asked).not.toContain('SRV _sip._sctp.home.example');
    delete zone.srvs['_sip._udp.home.example'];
    expect(found('sip:bob@home.example', zone)).toEqual([tcp]);
  });

  it('that the URI names needs no NAPTR', () => {
    const zone = home();
    expect(found('sip:bob@home.example;transport=tcp', zone)).toEqual([tcp]);
    expect(found('sips:bob@home.example;transport=tcp', zone)).toEqual([tls]);
    expect(zone.asked.some((question) => question.startsWith('NAPTR'))).toBe(false);
  });

  it('without any SRV record is UDP, or TLS for sips, at the name itself and the usual port', () => {
    const zone = new Zone();
    zone.hosts['home.example'] = ['10.0.0.1'];
    expect(found('sip:bob@home.example', zone)).toEqual(['UDP 10.0.0.1 5060']);
    expect(found('sips:bob@home.example', zone)).toEqual(['TLS 10.0.0.1 5061']);
    expect(found('sip:bob@home.example;transport=tcp', zone)).toEqual(['TCP 10.0.0.1 5060']);
    expect(found('sip:bob@home.example', zone, { transports: ['TCP'] })).toEqual(['TCP 10.0.0.1 5060']);
  });

  it('has no fallback where SRV records exist and lead nowhere', () => {
    const zone = new Zone();
    zone.hosts['home.example'] = ['10.0.0.1'];
    zone.srvs['_sip._udp.home.example'] = [at(1, 0, 'gone.home.example')];
    expect(found('sip:bob@home.example', zone)).toEqual([]);
    // RFC 2782: a dot says that the service is decidedly not there. Node spells it as an empty name.
    for (const nowhere of ['.', '']) {
      zone.srvs['_sip._udp.home.example'] = [at(0, 0, nowhere, 0)];
      expect(found('sip:bob@home.example', zone)).toEqual([]);
    }
  });
});

describe('RFC 5922 7.3: the name a certificate has to prove', () => {
  it('is the domain of the URI, not what SRV or maddr made of it', () => {
    const zone = new Zone();
    zone.srvs['_sips._tcp.home.example'] = [at(1, 0, 'edge.elsewhere.example', 5061)];
    zone.hosts['edge.elsewhere.example'] = ['10.0.0.1'];
    expect(targets('sips:bob@home.example', zone)[0]?.serverName).toBe('home.example');
    expect(targets('sips:bob@home.example;maddr=10.0.0.1')[0]?.serverName).toBe('home.example');
    expect(targets('sips:10.0.0.1')[0]?.serverName).toBeUndefined();
  });
});

describe('RFC 2782: the order of SRV records', () => {
  it('is that of priority first, whatever the draw', () => {
    const records = [at(2, 100, 'backup'), at(1, 0, 'first'), at(3, 0, 'last')];
    for (const draw of [0, 0.5, 0.999]) {
      expect(orderSrv(records, () => draw).map(({ host }) => host)).toEqual(['first', 'backup', 'last']);
    }
  });

  it('among equals is drawn by the running sum of weights, the sum included', () => {
    const records = [at(1, 60, 'b'), at(1, 0, 'zero'), at(1, 40, 'a')];
    // The draw is one of 0 to 100; weights in order of weight: zero, a, b.
    const first = (draw: number): string | undefined => orderSrv(records, () => draw / 101)[0]?.host;
    expect([first(0), first(1), first(40), first(41), first(100)]).toEqual(['zero', 'a', 'a', 'b', 'b']);
  });

  it('over many draws each server comes first in proportion to its weight', () => {
    const records = [at(1, 75, 'large'), at(1, 25, 'small')];
    let large = 0;
    for (let draw = 0; draw < 1000; draw++) {
      if (orderSrv(records, () => draw / 1000)[0]?.host === 'large') large++;
    }
    expect(large).toBeGreaterThan(730);
    expect(large).toBeLessThan(760);
  });
});

describe('a hostile zone', () => {
  it('can neither make us ask without end nor give targets without end', () => {
    const zone = new Zone();
    zone.naptrs['evil.example'] = Array.from({ length: 500 }, (_, number) =>
      rule(number, 1, 'SIP+D2U', `_sip._udp.n${number}.evil.example`),
    );
    const many = Array.from({ length: 500 }, () => '10.0.0.1');
    for (let number = 0; number < 500; number++) {
      zone.srvs[`_sip._udp.n${number}.evil.example`] = Array.from({ length: 500 }, (_, host) =>
        at(host, 1, `h${host}.evil.example`),
      );
      zone.hosts[`h${number}.evil.example`] = many;
    }
    expect(targets('sip:bob@evil.example', zone)).toHaveLength(16);
    expect(zone.asked.length).toBeLessThanOrEqual(32);
    zone.hosts['evil.example'] = many;
    expect(targets('sip:bob@evil.example:5060', zone)).toHaveLength(16);
  });
});
