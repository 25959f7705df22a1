/** MSRP out of a byte stream: RFC 4975 5, 7 and 9, and what is no MSRP. */
import { describe, expect, it } from '@jest/globals';
import { headerIn } from '../../src/msrp/message/head.ts';
import { cut, lines, readInAllFeeds, readPieces } from '../support/msrp-feeds.ts';

const TO = 'msrp://bob.example.com:8888/9di4eae923wzd;tcp';
const FROM = 'msrp://alicepc.example.com:7777/iau39soe2843z;tcp';
const PATHS = [`To-Path: ${TO}`, `From-Path: ${FROM}`];

describe('the examples of RFC 4975', () => {
  it('section 4: a SEND with a Byte-Range, and its 200', () => {
    const send = lines(
      'MSRP a786hjs2 SEND',
      ...PATHS,
      'Message-ID: 87652491',
      'Byte-Range: 1-25/25',
      'Content-Type: text/plain',
      '',
      'Hey Bob, are you there?',
      '-------a786hjs2$',
    );
    const ok = lines('MSRP a786hjs2 200 OK', `To-Path: ${FROM}`, `From-Path: ${TO}`, '-------a786hjs2$');
    const { messages, broken } = readInAllFeeds(send + ok);
    expect(broken).toBeUndefined();
    expect(messages).toEqual([
      {
        head: {
          id: 'a786hjs2',
          method: 'SEND',
          status: 0,
          toPath: TO,
          fromPath: FROM,
          lines: lines('Message-ID: 87652491', 'Byte-Range: 1-25/25', 'Content-Type: text/plain'),
          fault: undefined,
        },
        body: 'Hey Bob, are you there?',
        flag: '$',
      },
      {
        head: { id: 'a786hjs2', method: '', status: 200, toPath: FROM, fromPath: TO, lines: '', fault: undefined },
        body: undefined,
        flag: '$',
      },
    ]);
  });

  it('section 5.1: a message in two chunks, the first interrupted', () => {
    const chunk = (id: string, range: string, body: string, flag: string) =>
      lines(
        `MSRP ${id} SEND`,
        ...PATHS,
        'Message-ID: 4564dpWd',
        `Byte-Range: ${range}`,
        'Content-Type: text/plain',
        '',
      ) + lines(body, `-------${id}${flag}`);
    const { messages } = readInAllFeeds(
      chunk('dkei38sd', '1-*/8', 'abcd', '+') + chunk('dkei38ia', '5-8/8', 'EFGH', '$'),
    );
    expect(messages.map(({ head, body, flag }) => [headerIn(head.lines, 'byte-range'), body, flag])).toEqual([
      ['1-*/8', 'abcd', '+'],
      ['5-8/8', 'EFGH', '$'],
    ]);
  });

  it('section 11.4: a REPORT has no body, and its status stands in a header', () => {
    const report = lines(
      'MSRP dkei38sd REPORT',
      ...PATHS,
      'Message-ID: 12339sdqwer',
      'Byte-Range: 1-106/106',
      'Status: 000 200 OK',
      '-------dkei38sd$',
    );
    const { messages } = readInAllFeeds(report);
    expect(messages[0]).toMatchObject({ head: { method: 'REPORT' }, flag: '$' });
    expect(headerIn(messages[0]!.head.lines, 'status')).toBe('000 200 OK');
  });
});

describe('bodies', () => {
  const message = (body: string, flag = '$') =>
    lines('MSRP d93kswow SEND', ...PATHS, 'Message-ID: 1', 'Content-Type: text/plain', '') +
    lines(body, `-------d93kswow${flag}`);

  it.each([
    ['lines that begin like an end-line', '-------d93ksw\r\n-------d93kswow\r\n-------d93kswow!\r\n'],
    ['the end-line with more behind its flag', 'x\r\n-------d93kswow$x\r\ny'],
    ['the end-line of another message', 'a\r\n-------d93kswox$\r\nMSRP d93kswox SEND\r\n'],
    ['many carriage returns', '\r\r\r\r\n\r\n\r\r\n-------\r\n-------d93kswo\r'],
    ['nothing but dashes', '-'.repeat(300)],
    ['all byte values', Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('')],
    ['nothing', ''],
  ])('RFC 4975 7.1: a body with %s arrives byte by byte as it was sent', (_, body) => {
    const { messages, broken } = readInAllFeeds(message(body) + message('next', '+'));
    expect(broken).toBeUndefined();
    expect(messages.map((read) => [read.body, read.flag])).toEqual([
      [body, '$'],
      ['next', '+'],
    ]);
  });

  it('an empty body may be written without a line of its own', () => {
    const bare = lines(
      'MSRP d93kswow SEND',
      ...PATHS,
      'Message-ID: 1',
      'Content-Type: text/plain',
      '',
      '-------d93kswow#',
    );
    expect(readInAllFeeds(bare + message('x')).messages.map(({ body, flag }) => [body, flag])).toEqual([
      ['', '#'],
      ['x', '$'],
    ]);
  });

  it('a body of 64 MB is handed on as views, and never held', () => {
    const seen = { bytes: 0, largest: 0, ends: 0 };
    const piece = Buffer.alloc(65_536, 'x');
    const start = message('').split('\r\n-------')[0]!;
    let held = 0;
    const sink = {
      onHead: () => {},
      onBody: (bytes: Buffer, from: number, to: number) => {
        seen.bytes += to - from;
        if (to - from === piece.length && bytes.buffer === piece.buffer) held++;
      },
      onEnd: () => void seen.ends++,
      onBroken: () => {},
    };
    return import('../../src/msrp/message/parser.ts').then(({ MsrpParser }) => {
      const parser = new MsrpParser(sink, { headBytes: 1000 });
      parser.push(Buffer.from(`${start}`));
      for (let at = 0; at < 1024; at++) parser.push(piece);
      parser.push(Buffer.from('\r\n-------d93kswow$\r\n'));
      expect(seen).toEqual({ bytes: 1024 * 65_536, largest: 0, ends: 1 });
      expect(held).toBeGreaterThan(1000);
    });
  });
});

describe('heads', () => {
  it('keeps headers it does not know, in order, byte for byte', () => {
    const unknown = lines(
      'Message-ID: 7',
      'X-Caf\xc3\xa9: \xff\xfe',
      'Use-Nickname: "a: b"',
      'Content-Type: message/cpim',
    );
    const { messages } = readInAllFeeds(lines('MSRP abcd SEND', ...PATHS) + unknown + lines('', 'x', '-------abcd$'));
    expect(messages[0]!.head.lines).toBe(unknown);
  });

  it('reads paths in another order and spelling, and several URIs in one', () => {
    const text = lines(
      'MSRP abcd SEND',
      'Message-ID: 7',
      `FROM-PATH:${FROM}`,
      `to-path:  ${TO} ${FROM}`,
      '-------abcd$',
    );
    expect(readInAllFeeds(text).messages[0]!.head).toMatchObject({
      toPath: `${TO} ${FROM}`,
      fromPath: FROM,
      fault: undefined,
    });
  });

  it.each([
    ['no From-Path', lines('MSRP abcd SEND', PATHS[0]!, '-------abcd$')],
    ['no paths at all', lines('MSRP abcd SEND', '-------abcd$')],
    ['a path twice', lines('MSRP abcd SEND', PATHS[0]!, PATHS[0]!, PATHS[1]!, '-------abcd$')],
    ['a line without a colon', lines('MSRP abcd SEND', PATHS[1]!, PATHS[0]!, 'nonsense', '-------abcd$')],
  ])('%s is a fault, and what comes behind is still read', (_, text) => {
    const next = lines('MSRP next SEND', ...PATHS, '-------next$');
    const { messages, broken } = readInAllFeeds(text + next);
    expect(broken).toBeUndefined();
    expect(messages.map(({ head }) => [head.id, head.fault === undefined])).toEqual([
      ['abcd', false],
      ['next', true],
    ]);
  });

  it('blank lines between messages are passed over', () => {
    const text = lines('MSRP abcd SEND', ...PATHS, '-------abcd$');
    expect(readInAllFeeds(`\r\n${text}\r\n\r\n${text}`).messages).toHaveLength(2);
  });

  it.each([
    ['another protocol', 'GET / HTTP/1.1\r\n'],
    ['SIP', 'INVITE sip:bob@home.example SIP/2.0\r\n'],
    ['a transaction id that is too short', 'MSRP abc SEND\r\n'],
    ['a transaction id that is too long', `MSRP ${'a'.repeat(33)} SEND\r\n`],
    ['a transaction id with a space of its own', 'MSRP ab cd SEND\r\n'],
    ['bare line feeds', 'MSRP abcd SEND\nTo-Path: x\n'],
    ['a lower-case method', 'MSRP abcd send\r\n'],
    ['bytes of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ])('%s can not be read any further', (_, text) => {
    const { messages, broken } = readInAllFeeds(text);
    expect(broken).toBeDefined();
    expect(messages).toEqual([]);
  });

  it('a head above its limit can not be read any further, also where its end never comes', () => {
    const long = lines('MSRP abcd SEND', ...PATHS, `X: ${'x'.repeat(2000)}`);
    expect(readInAllFeeds(long, 1000).broken).toBe('the head is too large');
    expect(readInAllFeeds(`MSRP abcd SEND\r\n${'x'.repeat(2000)}`, 1000).broken).toBe('the head is too large');
    expect(readInAllFeeds(`${long}\r\nbody\r\n-------abcd$\r\n`, 1000).broken).toBe('the head is too large');
  });

  it('a response may be without a comment', () => {
    const text = lines('MSRP abcd 200', ...PATHS, '-------abcd$');
    expect(readInAllFeeds(text).messages[0]!.head.status).toBe(200);
  });
});

describe('heads that begin as one before them', () => {
  const send = (id: string, to: string, more: readonly string[] = ['Message-ID: 1']) =>
    lines(`MSRP ${id} SEND`, `To-Path: ${to}`, `From-Path: ${FROM}`, ...more, '', `text of ${id}`, `-------${id}$`);
  const ok = (id: string, words = '200 OK') =>
    lines(`MSRP ${id} ${words}`, `To-Path: ${FROM}`, `From-Path: ${TO}`, `-------${id}$`);
  const SHORTER = TO.slice(0, -1);

  it('are read as each of them is by itself: the same paths, others, longer ones, other methods and spellings', () => {
    const messages = [
      send('abcd1', TO),
      ok('qwert1'),
      send('abcd2', TO),
      ok('qwert2', '200'),
      send('abcd3', `${TO} ${TO}`),
      send('abcd4', SHORTER),
      send('a'.repeat(32), TO, ['Message-ID: 1', `To-Path: ${FROM}`]),
      lines('MSRP abcd5 REPORT', ...PATHS, 'Status: 000 200 OK', '-------abcd5$'),
      lines('MSRP abcd6 SEND', `to-path: ${TO}`, `From-Path: ${FROM}`, '-------abcd6$'),
      send('abcd7', TO, []),
      ok('qwert3', '413 Too large'),
      ok('qwert4'),
      send('abcd8', TO),
    ];
    const alone = messages.map((text) => readPieces([Buffer.from(text, 'latin1')]).messages[0]);
    expect(readInAllFeeds(messages.join(''))).toEqual({ messages: alone, broken: undefined });
  });

  it.each(['abc', 'a'.repeat(33), '.bcd', 'ab_d', 'ab d'])('but for a transaction id that is none: %s', (id) => {
    const { messages, broken } = readInAllFeeds(send('abcd1', TO) + send(id, TO));
    expect([messages.length, broken]).toEqual([1, 'no start line of MSRP']);
  });
});

describe('cost', () => {
  it.each([
    ['almost end-lines', `\r\n-------d93kswo`],
    ['carriage returns', '\r'],
    ['end-lines without a flag', '\r\n-------d93kswow'],
    ['dashes', '-'],
  ])('a megabyte of %s costs no more than a few passes over it', (_, unit) => {
    const body = unit.repeat(Math.floor(1_000_000 / unit.length));
    const text = lines('MSRP d93kswow SEND', ...PATHS, 'Message-ID: 1', '') + lines(body, '-------d93kswow$');
    const bytes = Buffer.from(text, 'latin1');
    for (const size of [16, 100, 65_536]) {
      const began = performance.now();
      let read = 0;
      for (const piece of cut(bytes, size)) read += piece.length;
      const plain = performance.now() - began;
      const start = performance.now();
      expect(readPieces(cut(bytes, size)).messages[0]!.flag).toBe('$');
      // Quadratic would be minutes; the collector's strings and the machine's noise are in this as well.
      expect(performance.now() - start).toBeLessThan(plain * 50 + 10_000);
      expect(read).toBe(bytes.length);
    }
  });
});
