/** Bodies of several parts (RFC 2046 5.1, RFC 5621): the session description is found, and put in anew. */
import { describe, expect, it } from '@jest/globals';
import { mediaType, partsOf, sdpOf, withSdp } from '../../../src/sip/message/body.ts';
import { bytesOfWire, wireOfBytes } from '../../../src/sip/message/bytes.ts';

const SDP = 'v=0\r\nm=message 2855 TCP/MSRP *\r\n';
const NEW = 'v=0\r\nm=message 9 TCP/MSRP *\r\na=x:longer\r\n';
const MIXED = 'multipart/mixed;boundary=b1';
const CPIM = 'Content-Type: message/cpim\r\n\r\nhello \xff\0';
const PART = `Content-Type: application/sdp\r\n\r\n${SDP}`;

/** A multipart body of these parts. */
function multipart(parts: readonly string[], boundary = 'b1'): string {
  return `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`;
}
const sdpIn = (type: string, text: string): string | undefined => sdpOf(type, bytesOfWire(text));
const replaced = (type: string, text: string): string => wireOfBytes(withSdp(type, bytesOfWire(text), NEW));

describe('sdpOf', () => {
  it.each([
    ['alone', 'application/sdp', SDP],
    ['with parameters', 'Application/SDP ;charset=utf-8', SDP],
    ['first of several parts', MIXED, multipart([PART, CPIM])],
    ['last of several parts', MIXED, multipart([CPIM, PART])],
    ['with the boundary in quotes', 'multipart/mixed; boundary="b;1 x"', multipart([CPIM, PART], 'b;1 x')],
    ['behind a preamble', MIXED, `ignored\r\n--b1x\r\n${multipart([PART])}epilogue`],
    ['with blanks behind the boundary', MIXED, multipart([PART]).replace('--b1\r\n', '--b1 \t\r\n')],
    ['without a closing boundary', MIXED, `--b1\r\n${CPIM}\r\n--b1\r\n${PART}`],
    ['with a folded Content-Type', MIXED, multipart([`Content-Type:\r\n application/sdp;\r\n\tx=y\r\n\r\n${SDP}`])],
    ['in the compact form', MIXED, multipart([`c: application/sdp\r\n\r\n${SDP}`])],
    [
      'nested',
      MIXED,
      multipart([CPIM, `Content-Type: multipart/related; boundary=in\r\n\r\n${multipart([PART], 'in')}`]),
    ],
  ])('RFC 5621 3.1: finds the description %s', (_, type, text) => {
    expect(sdpIn(type, text)).toBe(SDP);
  });

  it.each([
    ['another type', 'text/plain', SDP],
    ['no boundary', 'multipart/mixed', multipart([PART])],
    ['an empty boundary', 'multipart/mixed;boundary=""', multipart([PART])],
    ['another boundary', 'multipart/mixed;boundary=b2', multipart([PART])],
    ['a boundary that is only the start of a line', 'multipart/mixed;boundary=b', multipart([PART])],
    ['a boundary in the middle of a line', MIXED, ` ${multipart([PART])}`.replace('\r\n--b1--', '')],
    ['no such part', MIXED, multipart([CPIM])],
    ['a part without a blank line', MIXED, multipart(['Content-Type: application/sdp'])],
    ['a part behind the closing boundary', MIXED, `--b1--\r\n${multipart([PART])}`],
    ['the 33rd part', MIXED, multipart([...Array.from({ length: 32 }, () => CPIM), PART])],
  ])('finds none in %s', (_, type, text) => {
    expect(sdpIn(type, text)).toBeUndefined();
  });

  it('finds none without a type or without a body', () => {
    expect(sdpOf(undefined, bytesOfWire(SDP))).toBeUndefined();
    expect(sdpOf('application/sdp', new Uint8Array())).toBeUndefined();
  });

  it('looks no deeper than three levels', () => {
    const nested = (depth: number): string =>
      depth === 0
        ? PART
        : `Content-Type: multipart/mixed;boundary=d${depth}\r\n\r\n${multipart([nested(depth - 1)], `d${depth}`)}`;
    expect(sdpIn(MIXED, multipart([nested(2)]))).toBe(SDP);
    expect(sdpIn(MIXED, multipart([nested(3)]))).toBeUndefined();
  });
});

describe('withSdp', () => {
  it('puts another description in the place of one alone', () => {
    expect(replaced('application/sdp', SDP)).toBe(NEW);
    expect(wireOfBytes(withSdp(undefined, new Uint8Array(), NEW))).toBe(NEW);
  });

  it('RFC 5621 3.1: leaves the other parts byte for byte', () => {
    expect(replaced(MIXED, multipart([CPIM, PART, CPIM]))).toBe(multipart([CPIM, PART.replace(SDP, NEW), CPIM]));
  });

  it('replaces the description, not a quotation of it in an earlier part', () => {
    const quoting = `Content-Type: text/plain\r\n\r\nfyi: ${SDP}`;
    expect(replaced(MIXED, multipart([quoting, PART]))).toBe(multipart([quoting, PART.replace(SDP, NEW)]));
  });

  it('replaces an empty description where it stands', () => {
    const empty = 'Content-Type: application/sdp\r\n\r\n';
    expect(replaced(MIXED, multipart([CPIM, empty]))).toBe(multipart([CPIM, `${empty}${NEW}`]));
  });

  it('mends the Content-Length of its part and of no other', () => {
    const measured = (text: string): string =>
      `Content-Length: ${text.length}\r\nContent-Type: application/sdp\r\n\r\n${text}`;
    const other = 'content-length: 5\r\nContent-Type: text/plain\r\n\r\nhello';
    expect(replaced(MIXED, multipart([other, measured(SDP)]))).toBe(multipart([other, measured(NEW)]));
    expect(replaced(MIXED, multipart([measured(SDP), other]))).toBe(multipart([measured(NEW), other]));
    const behind = (text: string): string =>
      `Content-Type: application/sdp\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
    expect(replaced(MIXED, multipart([behind(SDP)]))).toBe(multipart([behind(NEW)]));
  });

  it('replaces a nested description', () => {
    const outer = (part: string): string =>
      multipart([CPIM, `Content-Type: multipart/related;boundary=in\r\n\r\n${multipart([CPIM, part], 'in')}`, CPIM]);
    expect(replaced(MIXED, outer(PART))).toBe(outer(PART.replace(SDP, NEW)));
  });

  it('leaves a body without one alone', () => {
    const text = multipart([CPIM]);
    expect(replaced(MIXED, text)).toBe(text);
    expect(replaced('text/plain', 'x')).toBe('x');
  });
});

describe('partsOf', () => {
  it('RFC 2046 5.1.1: gives headers by canonical name and the content without the line end of the boundary', () => {
    const text = multipart([`c : text/plain\r\nX-Y:1\r\n\r\na\r\n\r\nb`, '\r\nno headers', '']);
    expect(partsOf(MIXED, bytesOfWire(text))).toMatchObject([
      {
        headers: new Map([
          ['content-type', 'text/plain'],
          ['x-y', '1'],
        ]),
        content: 'a\r\n\r\nb',
      },
      { headers: new Map(), content: 'no headers' },
    ]);
  });

  it('RFC 4475 3.1.1.11: binary parts stay what they are', () => {
    const binary = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
    const [part] = partsOf(MIXED, bytesOfWire(multipart([`Content-Type: application/octet-stream\r\n\r\n${binary}`])));
    expect(part?.content).toBe(binary);
  });
});

it('mediaType knows neither case nor parameters', () => {
  expect([' Text/Plain ; x=y', 'A/B', ''].map(mediaType)).toEqual(['text/plain', 'a/b', '']);
});
