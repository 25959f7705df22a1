/** The head of a message (RFC 3261 7): header lines in every spelling, and what must not be taken for one. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { bytesOfWire, textOfWire, wireOfBytes } from '../../../src/sip/message/bytes.ts';
import { canonicalName, headerField } from '../../../src/sip/message/header.ts';
import type { AnyMessage, SipRequest } from '../../../src/sip/message/message.ts';
import { parseMessage } from '../../../src/sip/message/parse.ts';
import { serialize } from '../../../src/sip/message/serialize.ts';
import { validateRequest } from '../../../src/sip/message/validate.ts';
import { faultInAllFeeds, joined, readInAllFeeds, wire } from '../../support/feeds.ts';

const START = 'OPTIONS sip:bob@home.example SIP/2.0';

/** A fit request with these lines in it, between the usual ones. */
function request(lines: readonly string[], body = ''): Uint8Array {
  return wire(
    [
      START,
      'Via: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bKa1',
      'From: <sip:alice@home.example>;tag=a',
      'To: <sip:bob@home.example>',
      'Call-ID: c1@10.0.1.1',
      'CSeq: 1 OPTIONS',
      ...lines,
      `Content-Length: ${body.length}`,
    ],
    body,
  );
}

function read(bytes: Uint8Array): SipRequest {
  const { message, fault } = readInAllFeeds(bytes);
  expect(fault).toBeUndefined();
  return message as SipRequest;
}

describe('a header line', () => {
  it.each([
    ['a space', 'Subject: hello', 'hello'],
    ['none', 'Subject:hello', 'hello'],
    ['blanks and tabs around the colon', 'Subject \t :\t hello \t', 'hello'],
    ['an empty value', 'Subject:', ''],
    ['a value of blanks', 'Subject: \t ', ''],
    ['another case', 'sUBJECT: hello', 'hello'],
    ['the compact form', 's: hello', 'hello'],
    ['the compact form in upper case', 'S : hello', 'hello'],
    ['colons in the value', 'Subject: a:b: c', 'a:b: c'],
    ['a fold', 'Subject: hello\r\n world', 'hello world'],
    ['a fold with blanks around it', 'Subject: hello \t\r\n \t world', 'hello world'],
    ['a fold at once', 'Subject:\r\n hello', 'hello'],
    ['a fold by a tab', 'Subject: hello\r\n\tworld', 'hello world'],
    ['folds one after the other', 'Subject: a\r\n b\r\n c', 'a b c'],
    ['a fold that adds nothing', 'Subject: hello\r\n ', 'hello'],
  ])('RFC 3261 7.3.1: with %s reads the same', (_, line, value) => {
    const message = read(request([line]));
    expect(message.header('subject')).toBe(value);
    expect(message.lines('subject')[0]?.line).toBe(line);
  });

  it.each(
    Object.entries({
      a: 'accept-contact',
      b: 'referred-by',
      c: 'content-type',
      d: 'request-disposition',
      e: 'content-encoding',
      f: 'from',
      i: 'call-id',
      j: 'reject-contact',
      k: 'supported',
      l: 'content-length',
      m: 'contact',
      o: 'event',
      r: 'refer-to',
      s: 'subject',
      t: 'to',
      u: 'allow-events',
      v: 'via',
      x: 'session-expires',
    }),
  )('RFC 3261 7.3.3: %s is the compact form of %s', (letter, name) => {
    expect(canonicalName(letter)).toBe(name);
    expect(canonicalName(letter.toUpperCase())).toBe(name);
  });

  it('a letter that is nobody’s compact form is a name of its own', () => {
    expect(read(request(['z: 1', '7: 2', "!%'*: 3"])).header('z')).toBe('1');
    expect(read(request(['7: 2'])).header('7')).toBe('2');
  });

  it.each(['constructor', '__proto__', 'toString', 'valueOf', 'hasOwnProperty'])(
    'a header named %s is a header like any other',
    (name) => {
      expect(canonicalName(name)).toBe(name.toLowerCase());
      const message = read(request([`${name}: x`]));
      expect(message.header(name.toLowerCase())).toBe('x');
      expect(wireOfBytes(serialize(message))).toContain(`\r\n${name}: x\r\n`);
    },
  );

  it.each([
    ['no colon', 'Subject hello'],
    ['no name', ': hello'],
    ['a blank inside the name', 'Sub ject: hello'],
    ['a fold before the colon', 'Subject\r\n : hello'],
    ['a character no token has', 'Sub(ject): hello'],
    ['a byte of UTF-8 in the name', 'S\xc3\xbcbject: hello'],
    ['NUL in the name', 'Sub\0ject: hello'],
    ['a lone LF in the name', 'X\nSubject: hello'],
  ])('RFC 3261 25.1: with %s is none, and the request gets 400', (_, line) => {
    const bytes = request([line]);
    expect(faultInAllFeeds(bytes)).toEqual({ datagram: 'header-line', stream: 'header-line' });
    const { message, fault } = parseMessage(bytes);
    expect(validateRequest(message as SipRequest, fault)).toMatchObject({ kind: 'refuse', status: 400 });
  });

  it('a line that continues the start line is none', () => {
    const bytes = wire([START, ' Subject: hello', 'Content-Length: 0']);
    expect(parseMessage(bytes).fault?.code).toBe('header-line');
  });
});

describe('header injection', () => {
  it.each([
    ['a lone LF', 'Subject: x\nRoute: <sip:evil.example;lr>'],
    ['a lone CR', 'Subject: x\rRoute: <sip:evil.example;lr>'],
    ['LF CR', 'Subject: x\n\rRoute: <sip:evil.example;lr>'],
    ['a lone LF behind a fold', 'Subject: x\r\n y\nRoute: <sip:evil.example;lr>'],
    ['a lone CR in front of a line end', 'Subject: x\r'],
    ['NUL', 'Subject: x\0Route: <sip:evil.example;lr>'],
    ['NUL in quotes without a backslash', 'Subject: "x\0"'],
    ['NUL behind a backslash outside quotes', 'Subject: x\\\0'],
    ['NUL behind an escaped backslash in quotes', 'Subject: "x\\\\\0"'],
  ])('%s inside a header is refused, not passed on', (_, line) => {
    expect(faultInAllFeeds(request([line]))).toEqual({ datagram: 'header-line', stream: 'header-line' });
  });

  it('RFC 3261 25.1 quoted-pair: NUL behind a backslash in a quoted string is a character', () => {
    expect(read(request(['Subject: "x\\\0y"'])).header('subject')).toBe('"x\\\0y"');
  });

  it('a header of our own is never written with a line break in it', () => {
    for (const value of ['a\r\nRoute: <sip:evil.example>', 'a\n', '\r']) {
      expect(() => headerField('Subject', value)).toThrow(RangeError);
    }
  });
});

describe('UTF-8', () => {
  const voila = 'voil\xc3\xa0';

  it('RFC 3261 7: stays byte for byte, also where a letter ends in a byte that looks like white space', () => {
    const message = read(request([`Subject: ${voila}`]));
    expect(message.header('subject')).toBe(voila);
    expect(textOfWire(message.header('subject') ?? '')).toBe('voilà');
    expect(message.list('subject')).toEqual([voila]);
  });

  it('passes broken too', () => {
    const broken = '\xff\xfe\xc3';
    expect(wireOfBytes(serialize(read(request([`Subject: ${broken}`]))))).toContain(`Subject: ${broken}\r\n`);
  });

  it('keeps a byte order mark that begins a value', () => {
    expect(textOfWire('\xef\xbb\xbfx')).toBe('\ufeffx');
  });
});

describe('a message that is only passed on', () => {
  /** Everything but Content-Length, which is written anew. */
  const kept = (bytes: Uint8Array): string =>
    wireOfBytes(bytes).replace(/\r\n(?:content-length|l)[ \t]*:[^\r\n]*/i, '');

  it('RFC 3261 7.3.1: leaves with the same bytes, folds, spelling and order included', () => {
    const bytes = request(
      ['sUbJeCt :  a\r\n\tb', 'X-Odd:\xff\xc3\xa0', 'k: timer,,100rel', 'Via:SIP/2.0/UDP x;branch=1', 'Subject:'],
      'body \0\xff',
    );
    expect(kept(serialize(read(bytes)))).toBe(kept(bytes));
  });

  it('has one Content-Length, the true one, last', () => {
    const bytes = wire([START, 'l: 3', 'Subject: x'], 'abc');
    const text = wireOfBytes(serialize(parseMessage(bytes).message as AnyMessage));
    expect(text).toBe(`${START}\r\nSubject: x\r\nContent-Length: 3\r\n\r\nabc`);
  });

  it.each(['wsinv', 'intmeth', 'unreason', 'longreq', 'esc02', 'mpart01'])('RFC 4475 %s leaves as it came', (file) => {
    const bytes = readFileSync(new URL(`../../torture/rfc4475/${file}.dat`, import.meta.url));
    const text = kept(serialize(parseMessage(bytes).message as AnyMessage));
    expect(text).toBe(kept(bytes));
  });
});

describe('the start line', () => {
  it.each([
    ['a request', START, 'OPTIONS'],
    ['a method nobody knows', "X-!%*_+`'~.9 sip:bob@home.example SIP/2.0", "X-!%*_+`'~.9"],
    ['the version in lower case', 'OPTIONS sip:bob@home.example sip/2.0', 'OPTIONS'],
    ['a URI of another scheme', 'OPTIONS tel:+15550100 SIP/2.0', 'OPTIONS'],
  ])('RFC 3261 7.1: %s is read', (_, line, method) => {
    expect(read(wire([line, 'Content-Length: 0'])).method).toBe(method);
  });

  it.each([
    ['SIP/2.0 100 ', 100, ''],
    ['SIP/2.0 200 OK', 200, 'OK'],
    ['SIP/2.0 699  two blanks ', 699, ' two blanks '],
    ['sip/2.0 404 \xd0\xbd', 404, '\xd0\xbd'],
  ])('RFC 3261 7.2: %j is a response', (line, status, reason) => {
    const { message, fault } = readInAllFeeds(wire([line, 'Content-Length: 0']));
    expect(fault).toBeUndefined();
    expect(message).toMatchObject({ kind: 'response', status, reason });
  });

  it.each([
    ['SIP/2.0 099 x', 'start-line'],
    ['SIP/2.0 700 x', 'start-line'],
    ['SIP/2.0 20 x', 'start-line'],
    ['SIP/2.0 2000 x', 'start-line'],
    ['SIP/3.0 200 OK', 'start-line'],
    ['SIP/2.0 200', 'start-line'],
    ['SIP/2.0', 'start-line'],
    ['OPTIONS  sip:bob@home.example SIP/2.0', 'start-line'],
    ['OPTIONS sip:bob@home.example SIP/2.0 ', 'start-line'],
    [' OPTIONS sip:bob@home.example SIP/2.0', 'start-line'],
    ['OPTIONS\tsip:bob@home.example\tSIP/2.0', 'start-line'],
    ['OPTIONS sip:b ob@home.example SIP/2.0', 'start-line'],
    ['OPTIONS sip:bob@home.example', 'start-line'],
    ['OPTIONS SIP/2.0', 'start-line'],
    ['OPT(IONS sip:bob@home.example SIP/2.0', 'start-line'],
    ['OPTIONS sip:bob@home.example HTTP/1.1', 'start-line'],
    ['OPTIONS sip:bob@home.example SIP/2.0\nX: y', 'start-line'],
    ['OPTIONS sip:bob@home.example SIP/7.0', 'version'],
    ['OPTIONS sip:bob@home.example SIP/2.1', 'version'],
    ['OPTIONS sip:bob@home.example SIP/02.0', 'version'],
    ['garbage', 'start-line'],
  ])('RFC 3261 25.1: %j is none', (line, code) => {
    expect(faultInAllFeeds(wire([line, 'Content-Length: 0']))).toEqual({ datagram: code, stream: code });
  });

  it('RFC 3261 7.5: empty lines in front of it are ignored in a datagram', () => {
    const bytes = joined(bytesOfWire('\r\n\r\n\r\n'), request([]));
    expect(parseMessage(bytes)).toMatchObject({ message: { method: 'OPTIONS' } });
    expect(parseMessage(bytes).fault).toBeUndefined();
  });

  it.each(['', '\r\n', '\r\n\r\n'])('a datagram of %j is no message', (text) => {
    expect(parseMessage(bytesOfWire(text))).toEqual({ fault: expect.objectContaining({ code: 'empty' }) });
  });
});
