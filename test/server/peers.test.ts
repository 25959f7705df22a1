/** Which peers are believed, and where interworked sessions go. */
import { describe, expect, it } from '@jest/globals';
import { isfRoutes } from '../../src/server/isf-routes.ts';
import { trustOf } from '../../src/server/trust.ts';

describe('sip.trusted', () => {
  it('takes networks and single addresses of both families, mapped addresses too', () => {
    const trusts = trustOf(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']);
    const believed = ['10.1.2.3', '192.0.2.7', '::ffff:10.1.2.3', '2001:db8::1'];
    const strangers = ['11.0.0.1', '192.0.2.8', '2001:db9::1', '::ffff:11.0.0.1', '127.0.0.1'];
    for (const round of [1, 2]) {
      expect([round, ...believed.filter((address) => !trusts(address))]).toEqual([round]);
      expect([round, ...strangers.filter(trusts)]).toEqual([round]);
    }
  });

  it('believes nobody where it is empty', () => {
    expect(trustOf([])('127.0.0.1')).toBe(false);
  });

  it.each(['10.0.0.0/33', '10.0.0', 'core.home.example', '::1/129', ''])('refuses %j', (network) => {
    expect(() => trustOf([network])).toThrow(`not a network: ${network}`);
  });
});

describe('isf.routes', () => {
  it('one route, or none, is what it is', () => {
    expect(isfRoutes([], Math.random).routeSets()).toEqual([]);
    expect(isfRoutes(['sip:127.0.0.1:5080;lr'], Math.random).routeSets()).toEqual([['<sip:127.0.0.1:5080;lr>']]);
  });

  it('several are drawn by weight, the others behind for when one fails', () => {
    const heavy = { uri: 'sip:heavy', weight: 3 };
    const drawn = (at: number): string[] =>
      isfRoutes([heavy, 'sip:light'], () => at)
        .routeSets()
        .map(([route]) => route ?? '');
    const firsts = Array.from({ length: 100 }, (_, at) => drawn((at + 0.5) / 100)[0]);
    expect(firsts.filter((route) => route === '<sip:heavy>')).toHaveLength(75);
    expect(firsts.filter((route) => route === '<sip:light>')).toHaveLength(25);
    expect(drawn(0.99).sort()).toEqual(['<sip:heavy>', '<sip:light>']);
  });
});
