/**
 * Most messages are written the plain way, and are read the short way. Whatever that reads, the careful way reads the
 * same: each property puts one text before both, by a spelling that means nothing (RFC 3261 7.3.1, 19.1.4, 20.42).
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { literalAddress } from '../../../src/sip/locate/locate.ts';
import { addressWithoutTag } from '../../../src/sip/message/address.ts';
import { bytesOfWire } from '../../../src/sip/message/bytes.ts';
import { wellFormedParams } from '../../../src/sip/message/params.ts';
import { parseMessage } from '../../../src/sip/message/parse.ts';
import { parseUri } from '../../../src/sip/message/uri.ts';
import { parseVia } from '../../../src/sip/message/via.ts';

/** Texts of a few pieces that mean something to the reader, and of some that do not belong there. */
const made = (pieces: readonly string[]) =>
  fc.array(fc.constantFrom(...pieces), { maxLength: 9 }).map((chosen) => chosen.join(''));

const runs = { numRuns: 5000 };

describe('what is read the short way', () => {
  it('RFC 3261 19.1: a URI is the same as with its scheme in capitals', () => {
    const rest = made([
      'alice',
      'bob@a.b:99999',
      'bob@a.b:0',
      'a.b',
      '+1555',
      '@',
      ':',
      '5060',
      '0',
      '99999',
      ';lr',
      ';',
      '=',
      'x',
      '?',
      '%41',
      '<',
      ' ',
      '"',
      '\x80',
      'Home',
      '[::1]',
      '-',
      '_',
      '~',
      ',',
      '\n',
    ]);
    fc.assert(
      fc.property(rest, (text) => {
        const careful = parseUri(`SIP:${text}`);
        expect(parseUri(`sip:${text}`)).toEqual(
          careful === undefined ? undefined : { ...careful, text: `sip:${text}` },
        );
      }),
      runs,
    );
  });

  it('RFC 3261 20.42: a Via is the same as with its transport in small letters', () => {
    const rest = made([
      'a.example',
      '127.0.0.1',
      ':',
      '5060',
      '0',
      '65536',
      ';',
      'branch',
      '=',
      'z9hG4bKx',
      ';rport',
      ' ',
      '\t',
      '\n',
      '"',
      ',',
      'H',
      '_',
      '[::1]',
      '\x80',
    ]);
    fc.assert(
      fc.property(rest, (text) => {
        expect(parseVia(`SIP/2.0/UDP ${text}`)).toEqual(parseVia(`SIP/2.0/udp ${text}`));
      }),
      runs,
    );
  });

  it('RFC 3261 7.3.1: a header line is the same as with a blank before its colon', () => {
    const value = made([
      'x',
      ' ',
      '\t',
      '\r\n ',
      '\r\n\t',
      '\r',
      '\n',
      '\0',
      '"',
      '\\\0',
      ':',
      ';tag=1',
      '\x80',
      '\r\nTo: y',
      '\r\nb',
    ]);
    const read = (name: string, text: string) => {
      const { message, fault } = parseMessage(
        bytesOfWire(`OPTIONS sip:a SIP/2.0\r\n${name}:${text}\r\nCall-ID: 1\r\n\r\n`),
      );
      return { fault: fault?.code, fields: message?.headers.map((field) => [field.name, field.value]) };
    };
    fc.assert(
      fc.property(fc.constantFrom('Via', 'f', 'Contribution-ID', 'CSEQ', 'X-Own', 'to'), value, (name, text) => {
        expect(read(name, text)).toEqual(read(`${name} `, text));
      }),
      runs,
    );
  });

  it('RFC 3261 8.1.1.5: a CSeq is ten digits at most, below 2**31, and one word behind', () => {
    const value = made(['1', '0', '2147483647', '2147483648', ' ', '\t', '\xa0', 'INVITE', 'x', '-', '\x80']);
    fc.assert(
      fc.property(value, (text) => {
        const { message } = parseMessage(bytesOfWire(`OPTIONS sip:a SIP/2.0\r\nCSeq: ${text}\r\n\r\n`));
        const match = /^(\d{1,10})\s+(\S+)$/.exec(message?.header('cseq') ?? '');
        const number = Number(match?.[1]);
        expect(message?.cseq).toEqual(number < 2 ** 31 ? { number, method: match?.[2] } : undefined);
      }),
      runs,
    );
  });

  it('RFC 3261 12.1.1: an address loses its tag the same way, alone or beside another parameter', () => {
    const address = made(['"A;tag=1" ', 'Alice ', '<sip:a@b>', '<sip:a@b;tag=2>', 'sip:a@b', ';tag=3', ' ', '\xa0']);
    fc.assert(
      fc.property(address, (text) => {
        expect(`${addressWithoutTag(`${text};tag=9`)};x`).toBe(addressWithoutTag(`${text};tag=9;x`));
      }),
      runs,
    );
  });

  it('RFC 3261 25.1: parameters are well formed, or not, as they are with a blank before them', () => {
    const params = made([';', 'tag', '=', 'a-1', '%', ':', '"', '"q"', '<', '>', ',', ' ', '\t', '\x80', '\\', '\n']);
    fc.assert(
      fc.property(params, (text) => {
        expect(wellFormedParams(text)).toBe(wellFormedParams(` ${text}`));
      }),
      runs,
    );
  });

  it('RFC 3263 4.2: an IPv4 address is four numbers of one to three digits with dots between them', () => {
    const part = fc.constantFrom('1', '22', '255', '1234', '', 'a', '1-2');
    const parts = fc.array(part, { minLength: 3, maxLength: 5 }).map((chosen) => chosen.join('.'));
    fc.assert(
      fc.property(parts, (host) => {
        const expected = /^\d{1,3}(\.\d{1,3}){3}$/.test(host) ? host : undefined;
        expect(literalAddress(host)).toBe(expected);
      }),
      runs,
    );
    expect(literalAddress('10.0.1.255')).toBe('10.0.1.255');
  });
});
