/** Addresses, parameters, lists and Vias (RFC 3261 20 and 25.1), each grammar with what it takes and what not. */
import { describe, expect, it } from '@jest/globals';
import { addressParam, addressWithoutTag, parseNameAddress } from '../../../src/sip/message/address.ts';
import { splitList } from '../../../src/sip/message/header.ts';
import {
  isToken,
  paramOf,
  parseParams,
  quote,
  unquote,
  wellFormedParams,
  withoutParams,
} from '../../../src/sip/message/params.ts';
import { defaultPort, parseVia } from '../../../src/sip/message/via.ts';

describe('parseNameAddress', () => {
  it.each([
    ['<sip:a@b>', undefined, 'sip:a@b', ''],
    ['sip:a@b', undefined, 'sip:a@b', ''],
    ['sip:a@b;tag=1', undefined, 'sip:a@b', ';tag=1'],
    ['sip:a@b ; tag = 1', undefined, 'sip:a@b', '; tag = 1'],
    ['<sip:a@b;lr>;tag=1', undefined, 'sip:a@b;lr', ';tag=1'],
    ['Alice <sip:a@b>', 'Alice', 'sip:a@b', ''],
    ['Alice  B.  Toklas<sip:a@b>;x', 'Alice  B.  Toklas', 'sip:a@b', ';x'],
    ['"Alice" <sip:a@b>', 'Alice', 'sip:a@b', ''],
    ['"Bell, Alexander; <x> \\"Al\\" \\\\"<sip:a@b>', 'Bell, Alexander; <x> "Al" \\', 'sip:a@b', ''],
    ['""<sip:a@b>', '', 'sip:a@b', ''],
    ['<tel:+15550100>;tag=1', undefined, 'tel:+15550100', ';tag=1'],
    ['tel:+15550100;phone-context=x', undefined, 'tel:+15550100', ';phone-context=x'],
    ['<sip:a@b?x=y,z>', undefined, 'sip:a@b?x=y,z', ''],
    ['\xc3\xa0 <sip:a@b>', '\xc3\xa0', 'sip:a@b', ''],
    ['\t<sip:a@b> \t;x', undefined, 'sip:a@b', ';x'],
  ])('RFC 3261 20.10: takes %s apart', (value, display, uri, params) => {
    expect(parseNameAddress(value)).toEqual({ display, uri, params });
  });

  it.each([
    ['nothing', ''],
    ['a quote never closed', '"Mr. J. User <sip:a@b>'],
    ['a quote closed by an escaped quote only', '"Mr. \\" <sip:a@b>'],
    ['a bracket never closed', '<sip:a@b'],
    ['an empty URI', '<>'],
    ['a blank in the brackets', '< sip:a@b>'],
    ['a blank behind the URI', '<sip:a@b >'],
    ['a bracket in the brackets', '<<sip:a@b>>'],
    ['text between name and bracket', '"Alice" x <sip:a@b>'],
    ['a name and no bracket', '"Alice" sip:a@b'],
    ['a comma in an unquoted name', 'Bell, Alexander <sip:a@b>'],
    ['a semicolon in an unquoted name', 'Bell; Alexander <sip:a@b>'],
    ['text behind the bracket', '<sip:a@b>tag=1'],
    ['a comma behind the bracket', '<sip:a@b>, <sip:c@d>'],
    ['URI headers without brackets', 'sip:a@b?x=y'],
    ['a comma without brackets', 'sip:a@b,c'],
    ['a blank without brackets', 'sip:a @b'],
    ['a closing bracket alone', 'sip:a@b>'],
    ['only parameters', ';tag=1'],
  ])('RFC 3261 20: finds no address in %s', (_, value) => {
    expect(parseNameAddress(value)).toBeUndefined();
  });

  it('reads header parameters, not those of the URI', () => {
    const address = parseNameAddress('<sip:a@b;tag=uri>;Tag=header;flag');
    expect(address && addressParam(address, 'tag')).toBe('header');
    expect(address && addressParam(address, 'flag')).toBe('');
    expect(address && addressParam(address, 'none')).toBeUndefined();
  });
});

describe('parameters', () => {
  it.each([
    ['', []],
    [';a', [['a', undefined]]],
    [
      ';a=1;B=2',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      ' ; a = 1 ; b ',
      [
        ['a', '1'],
        ['b', undefined],
      ],
    ],
    [
      ';a="x;y=\\"z\\\\";b',
      [
        ['a', 'x;y="z\\'],
        ['b', undefined],
      ],
    ],
    [';+sip.instance="<urn:uuid:1>"', [['+sip.instance', '<urn:uuid:1>']]],
    [';a=', [['a', '']]],
    [';a=""', [['a', '']]],
    [';a=b=c', [['a', 'b=c']]],
    [';;a', [['a', undefined]]],
  ])('RFC 3261 25.1 generic-param: %j is read', (text, params) => {
    expect(parseParams(text)?.map(({ name, value }) => [name, value])).toEqual(params);
  });

  it.each([';=1', ';a b', ';a"b', ';a="x', ';a="', ';<a>', ';a\\b=1'])('RFC 3261 25.1: %j is broken', (text) => {
    expect(parseParams(text)).toBeUndefined();
  });

  it.each(['', ';a', ' ; a = 1 ; b ', ';a="x;,\\"y"', ';a=', ';received=2001:db8::1', ';a="\\\\"', ";!%*_+`'~.-=x"])(
    'RFC 3261 25.1: %j can be read in one way only',
    (text) => {
      expect(wellFormedParams(text)).toBe(true);
    },
  );

  it.each([
    ';',
    ';;',
    ';a;',
    ';a;;b',
    ';;,;,,',
    'a=1',
    ';a=1 2',
    ';a=1,b',
    ';a="x',
    ';a="x"y',
    ';a="x\\"',
    ';a=x"y"',
    ';=1',
    ';a b',
    ';a=<x>',
    ';a=1\0;\0',
  ])('RFC 4475 3.1.2.1: %j can not', (text) => {
    expect(wellFormedParams(text)).toBe(false);
  });

  it('paramOf gives what parseParams gives', () => {
    const text = ' ; A = 1 ; flag;q="x;a=2\\"";a=3';
    expect(paramOf(text, 'a')).toBe('1');
    expect(paramOf(text, 'flag')).toBe('');
    expect(paramOf(text, 'q')).toBe('x;a=2"');
    expect(paramOf(text, 'b')).toBeUndefined();
    expect(paramOf('', 'a')).toBeUndefined();
  });

  it('withoutParams takes names away and leaves the spelling of the rest', () => {
    expect(withoutParams(';Tag=1; X = "a;tag=2" ;TAG=3;y', 'tag')).toBe(';X = "a;tag=2";y');
    expect(withoutParams(';expires=1;q=0.5;x', 'expires', 'q')).toBe(';x');
    expect(withoutParams('', 'tag')).toBe('');
  });

  it('quoting and unquoting are inverse', () => {
    for (const text of ['', 'a', '"', '\\', 'a\\"b', '\\\\"']) expect(unquote(quote(text))).toBe(text);
  });

  it('RFC 3261 25.1: a token is what methods and option tags are made of', () => {
    expect(["a-.!%*_+`'~0", 'INVITE'].map(isToken)).toEqual([true, true]);
    expect(['', 'a b', 'a:b', 'a/b', '"a"', 'a@b', '\xc3\xa0', 'a\n'].some(isToken)).toBe(false);
  });
});

describe('splitList', () => {
  it.each([
    ['', []],
    [' ', []],
    ['a', ['a']],
    ['a,b', ['a', 'b']],
    [' a , b\t,c ', ['a', 'b', 'c']],
    [',a,,b,', ['a', 'b']],
    ['"a,b",c', ['"a,b"', 'c']],
    ['"a\\",b",c', ['"a\\",b"', 'c']],
    ['<sip:a@b;x=1,2>,<sip:c@d>', ['<sip:a@b;x=1,2>', '<sip:c@d>']],
    ['"x<" <sip:a,b@c>, d', ['"x<" <sip:a,b@c>', 'd']],
    ['"never closed, a', ['"never closed, a']],
    ['voil\xc3\xa0, x', ['voil\xc3\xa0', 'x']],
  ])('RFC 3261 7.3.1: %j', (value, parts) => {
    expect(splitList(value)).toEqual(parts);
  });
});

describe('parseVia', () => {
  it.each([
    ['SIP/2.0/UDP host', { version: '2.0', transport: 'UDP', host: 'host', port: undefined, params: '' }],
    ['SIP/2.0/tcp 10.0.0.1:5070', { version: '2.0', transport: 'TCP', host: '10.0.0.1', port: 5070, params: '' }],
    [
      'SIP / 2.0 / UDP  first.example.com : 4000 ;ttl=16 ;branch=z9',
      {
        version: '2.0',
        transport: 'UDP',
        host: 'first.example.com',
        port: 4000,
        params: ';ttl=16 ;branch=z9',
        branch: 'z9',
      },
    ],
    ['sip/2.0/WSS x.invalid;b', { version: '2.0', transport: 'WSS', host: 'x.invalid', port: undefined, params: ';b' }],
    [
      'SIP/2.0/TLS [2001:db8::1]:5061',
      { version: '2.0', transport: 'TLS', host: '[2001:db8::1]', port: 5061, params: '' },
    ],
    ['SIP/7.0/UDP host', { version: '7.0', transport: 'UDP', host: 'host', port: undefined, params: '' }],
    ['SIP/2.0/UNKNOWN host;;', { version: '2.0', transport: 'UNKNOWN', host: 'host', port: undefined, params: ';;' }],
  ])('RFC 3261 20.42: takes %s apart', (value, via) => {
    expect(parseVia(value)).toEqual(via);
  });

  it.each([
    ['nothing', ''],
    ['no host', 'SIP/2.0/UDP'],
    ['no transport', 'SIP/2.0 host'],
    ['another protocol', 'HTTP/1.1/TCP host'],
    ['a bare IPv6 address', 'SIP/2.0/UDP 2001:db8::1'],
    ['port zero', 'SIP/2.0/UDP host:0'],
    ['a port too large', 'SIP/2.0/UDP host:65536'],
    ['text behind the host', 'SIP/2.0/UDP host x'],
    ['two values', 'SIP/2.0/UDP a, SIP/2.0/UDP b'],
    ['a control character in the host', 'SIP/2.0/UDP ho\0st'],
  ])('RFC 3261 18.2.2: finds no way back in %s', (_, value) => {
    expect(parseVia(value)).toBeUndefined();
  });

  it('RFC 3261 8.1.1.7: reads the branch', () => {
    expect(parseVia('SIP/2.0/UDP h;rport;Branch = z9hG4bKx ;received=1.2.3.4')?.branch).toBe('z9hG4bKx');
    expect((parseVia('SIP/2.0/UDP h;rport') ?? fail()).branch).toBeUndefined();
  });

  it('RFC 3261 18.2.2: knows the default ports', () => {
    expect(['UDP', 'TCP', 'TLS', 'WSS', 'SCTP'].map(defaultPort)).toEqual([5060, 5060, 5061, 5061, 5060]);
  });
});

function fail(): never {
  throw new Error('not a Via');
}

describe('addressWithoutTag', () => {
  it.each([
    ['<sip:a@b>;tag=1', '<sip:a@b>'],
    ['<sip:a@b>', '<sip:a@b>'],
    ['sip:a@b;tag=1', 'sip:a@b'],
    ['sip:a@b ; TAG = 1 ; x', 'sip:a@b;x'],
    ['"x;tag=name" <sip:a@b>;tag=1', '"x;tag=name" <sip:a@b>'],
    ['<sip:a@b;tag=uri>;tag=1', '<sip:a@b;tag=uri>'],
    ['<sip:a@b;tag=uri>', '<sip:a@b;tag=uri>'],
    ['Alice  <sip:a@b> ;x="a;tag=2";tag=1;tag=3', 'Alice  <sip:a@b>;x="a;tag=2"'],
    ['broken <', 'broken <'],
  ])('RFC 3261 12.1: of %s is %s', (value, rest) => {
    expect(addressWithoutTag(value)).toBe(rest);
  });
});
