/** The parts of MSRP messages: URIs (RFC 4975 6), byte ranges (7.1.1), report wishes, responses (7.2). */
import { describe, expect, it } from '@jest/globals';
import { respondTo } from '../../src/msrp/message/answering.ts';
import { parseByteRange } from '../../src/msrp/message/byte-range.ts';
import { Beginning, failureReportOf, headerIn, wantsSuccessReport } from '../../src/msrp/message/head.ts';
import { msrpUri, parseMsrpUri, parsePath, sameMsrpUri } from '../../src/msrp/message/uri.ts';

describe('URIs', () => {
  it('RFC 4975 6: scheme, user info, host, port, session-id, transport and parameters', () => {
    expect(parseMsrpUri('msrps://alice@[2001:DB8::1]:2855/s2.-_~+=/1;TCP;x=y')).toEqual({
      text: 'msrps://alice@[2001:DB8::1]:2855/s2.-_~+=/1;TCP;x=y',
      secure: true,
      host: '2001:db8::1',
      port: 2855,
      sessionId: 's2.-_~+=/1',
      transport: 'tcp',
    });
    expect(parseMsrpUri('msrp://relay.example.com;tcp')).toMatchObject({ port: undefined, sessionId: '' });
  });

  it.each([
    '',
    'sip:bob@home.example',
    'msrp://host:1/x',
    'msrp://host:99999/x;tcp',
    'msrp:host:1/x;tcp',
    'msrp:///x;tcp',
    'msrp://a b/x;tcp',
  ])('%s is none', (text) => expect(parseMsrpUri(text)).toBeUndefined());

  it.each([
    ['msrp://Host.example:1/aB;tcp', 'MSRP://u@host.example:1/aB;TCP;p', true],
    ['msrp://host:1/aB;tcp', 'msrp://host:1/ab;tcp', false],
    ['msrp://host:1/a;tcp', 'msrps://host:1/a;tcp', false],
    ['msrp://host:2855/a;tcp', 'msrp://host/a;tcp', false],
    ['msrp://host:1/a;tcp', 'msrp://other:1/a;tcp', false],
  ])('RFC 4975 6.1: %s and %s compare', (left, right, same) => {
    expect(sameMsrpUri(parseMsrpUri(left)!, parseMsrpUri(right)!)).toBe(same);
  });

  it('a path is one URI or several; one that is none spoils it', () => {
    expect(parsePath('msrp://a:1/x;tcp msrp://b:2/y;tcp')?.map(({ port }) => port)).toEqual([1, 2]);
    expect(parsePath('msrp://a:1/x;tcp nonsense')).toBeUndefined();
    expect(parsePath('')).toBeUndefined();
  });

  it('ours bracket an IPv6 address', () => {
    expect(msrpUri('::1', 2855, 'x', true)).toBe('msrps://[::1]:2855/x;tcp');
    expect(parseMsrpUri(msrpUri('127.0.0.1', 1, 'x', false))).toBeDefined();
  });
});

describe('byte ranges', () => {
  it.each([
    ['1-25/25', { start: 1, end: 25, total: 25 }],
    ['1-*/*', { start: 1, end: null, total: null }],
    ['2049-*/4096', { start: 2049, end: null, total: 4096 }],
    ['1-0/0', { start: 1, end: 0, total: 0 }],
    ['26-25/25', { start: 26, end: 25, total: 25 }],
  ])('RFC 4975 9: %s', (text, range) => expect(parseByteRange(text)).toEqual(range));

  it.each([
    '',
    '0-5/5',
    '-1-5/5',
    '1--5/5',
    '5-3/9',
    '1-10/5',
    '7-*/5',
    '1-5',
    '1-5/-5',
    'a-b/c',
    '1-5/5/5',
    '1-99999999999999999999/*',
  ])('%s contradicts itself or is none', (text) => expect(parseByteRange(text)).toBeUndefined());
});

describe('headers and responses', () => {
  it('RFC 4975 7.1.1: what is wished of reports, and what silence means', () => {
    expect(wantsSuccessReport('Success-Report: yes\r\n')).toBe(true);
    expect(wantsSuccessReport('Message-ID: 1\r\n')).toBe(false);
    expect(failureReportOf('')).toBe('yes');
    expect(failureReportOf('Failure-Report: No\r\n')).toBe('no');
    expect(failureReportOf('X: 1\r\nfailure-report:partial\r\n')).toBe('partial');
    expect(failureReportOf('Failure-Report: perhaps\r\n')).toBe('yes');
  });

  it('finds a header by its whole name only', () => {
    expect(headerIn('Message-IDs: 1\r\nMessage-ID: 2\r\n', 'message-id')).toBe('2');
    expect(headerIn('Message-I: 1\r\n', 'message-id')).toBeUndefined();
  });

  it('RFC 4975 7.2: the 200 goes to the first URI of a SEND, to the whole path of another request', () => {
    const from = 'msrp://relay:1;tcp msrp://alice:2/x;tcp';
    const answer = (method: string, status: number, wanted: 'yes' | 'no' | 'partial' = 'yes') => {
      let text = '';
      const beginning = new Beginning({ method, status: 0 }, 'msrp://b:2/y;tcp msrp://c:3/z;tcp', from);
      respondTo({ id: 'abcd', beginning }, status, wanted, {
        open: true,
        answer(id, between) {
          text += `MSRP ${id}${between}${id}$\r\n`;
        },
      });
      return text;
    };
    expect(answer('SEND', 200)).toBe(
      'MSRP abcd 200 OK\r\nTo-Path: msrp://relay:1;tcp\r\nFrom-Path: msrp://b:2/y;tcp\r\n-------abcd$\r\n',
    );
    expect(answer('AUTH', 481)).toBe(
      `MSRP abcd 481 Session Does Not Exist\r\nTo-Path: ${from}\r\nFrom-Path: msrp://b:2/y;tcp\r\n-------abcd$\r\n`,
    );
    // 7.1.1: `partial` asks for errors alone.
    expect([answer('SEND', 200, 'partial'), answer('SEND', 200, 'no'), answer('REPORT', 481)]).toEqual(['', '', '']);
    expect(answer('SEND', 413, 'partial')).toContain('MSRP abcd 413 Message Too Large');
  });
});
