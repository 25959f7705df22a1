/** Every form of capture file, link and packet gives the same messages. */
import { describe, expect, it } from '@jest/globals';
import { CaptureError } from '../../src/capture/capture-error.ts';
import type { SipSaid } from '../../src/capture/dissector.ts';
import { ipv6Text } from '../../src/capture/network/internet.ts';
import { hearingOf } from '../../src/capture/read.ts';
import { BEGUN, ethernet, type Frame, LINKS, options, pcap, pcapng, tcpPacket, udpPackets } from './builders.ts';

const ENDS = { from: '10.0.0.1:5060', to: '10.0.0.2:5080' };
const SIX = { from: '[2001:db8::1]:5060', to: '[::1]:5080' };
const payload = Buffer.from(options(1));
const one: Frame[] = udpPackets(ENDS, payload).map((ip) => ethernet(BEGUN + 7.25, ip));

/** `call-1 10.0.0.1:5060 10.0.0.2:5080` of each message. */
function said(file: Uint8Array): string[] {
  const { heard } = hearingOf([file]);
  return heard.map((each) => `${(each as SipSaid).message.callId} ${each.from} ${each.to}`);
}

describe('a capture file', () => {
  const files: [string, Buffer, number][] = [
    ...[true, false].flatMap((little): [string, Buffer, number][] => [
      [`pcap, ${little ? 'little' : 'big'} endian`, pcap(one, { little }), 7.25],
      [`pcap with nanoseconds, ${little ? 'little' : 'big'} endian`, pcap(one, { little, nano: true }), 7.25],
      [`pcapng, ${little ? 'little' : 'big'} endian`, pcapng(one, { little }), 7.25],
      [
        `pcapng with old packet blocks, ${little ? 'little' : 'big'} endian`,
        pcapng(one, { little, block: 'old' }),
        7.25,
      ],
    ]),
    ['pcapng with nanoseconds', pcapng(one, { resolution: 9 }), 7.25],
    ['pcapng with milliseconds', pcapng(one, { resolution: 3 }), 7],
    ['pcapng with packets that have no time', pcapng(one, { block: 'simple' }), -BEGUN],
  ];
  it.each(files)('%s', (_name, file, since) => {
    expect(said(file)).toEqual(['call-1 10.0.0.1:5060 10.0.0.2:5080']);
    expect(hearingOf([file]).begun - BEGUN).toBeCloseTo(since, 2);
    // Fed byte by byte it is the same.
    const { heard } = hearingOf([...file].map((byte) => Uint8Array.of(byte)));
    expect(heard).toHaveLength(1);
  });

  it('with two sections of different byte order is read on', () => {
    expect(
      said(
        Buffer.concat([
          pcapng(one),
          pcapng(
            one.map(({ bytes }) => ({ at: BEGUN + 900, bytes })),
            { little: false },
          ),
        ]),
      ),
    ).toHaveLength(2);
  });

  it.each(['enhanced', 'old'] as const)(
    'with two interfaces of different links, in %s blocks, is read by each',
    (block) => {
      const [ip] = udpPackets(ENDS, payload) as [Buffer];
      const cooked = { at: BEGUN + 900, bytes: (LINKS['Linux cooked'] as (typeof LINKS)[string]).wrap(ip), source: 1 };
      expect(said(pcapng([...one, cooked], { more: [113], block }))).toHaveLength(2);
    },
  );

  it('that ends in the middle of a packet gives what is whole, and says so', () => {
    const file = pcap([...one, ...one]);
    const { heard, notes } = hearingOf([file.subarray(0, file.length - 5)]);
    expect(heard).toHaveLength(1);
    expect(notes).toEqual(['the file ends in the middle of a packet']);
  });

  it.each([
    ['nothing', Buffer.alloc(0), 'the file is empty'],
    ['text', Buffer.from('INVITE sip:bob@home.example SIP/2.0\r\n'), 'not a capture'],
    ['a compressed file', Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(40)]), 'unpack it first'],
    ['a link that is not read', pcap(one, { link: 127 }), 'link type 127 is not read'],
    [
      'a packet of two gigabytes',
      Buffer.concat([pcap([]), Buffer.alloc(8), Buffer.from('ffffff7fffffff7f', 'hex')]),
      'damaged at byte 24',
    ],
    [
      'a packet of no interface',
      Buffer.concat([pcapng([]).subarray(0, 28), pcapng(one).subarray(64)]),
      'an interface it does not describe',
    ],
  ])('that is %s is refused with its reason', (_name, file, reason) => {
    expect(() => hearingOf([file])).toThrow(CaptureError);
    expect(() => hearingOf([file])).toThrow(reason);
  });
});

describe('a packet', () => {
  it.each(Object.entries(LINKS))('on %s', (_name, { link, wrap }) => {
    const frames = [...udpPackets(ENDS, payload), ...udpPackets(SIX, payload)].map((ip) => ({
      at: BEGUN,
      bytes: wrap(ip),
    }));
    expect(said(pcap(frames, { link }))).toEqual([
      'call-1 10.0.0.1:5060 10.0.0.2:5080',
      'call-1 [2001:db8::1]:5060 [::1]:5080',
    ]);
  });

  it.each([
    ['IPv4', ENDS],
    ['IPv6', SIX],
  ])('in fragments of %s, in any order and one of them twice, is one datagram', (_name, ends) => {
    const parts = udpPackets(ends, Buffer.from(options(1, 'x'.repeat(900))), 256).map((ip) => ethernet(BEGUN, ip));
    expect(parts.length).toBeGreaterThan(4);
    for (const order of [parts, [...parts].reverse(), [...parts.slice(2), ...parts.slice(1)].concat(parts[0]!)]) {
      expect(said(pcap(order))).toHaveLength(1);
    }
    expect(said(pcap(parts.slice(1)))).toEqual([]);
    expect(said(pcap(parts.slice(0, -1)))).toEqual([]);
  });

  it('captured at two interfaces at once is one message, and a repetition after T1 is another', () => {
    const bytes = one[0]!.bytes;
    const times = [0, 0.02, 500, 500.01];
    const { heard } = hearingOf([pcap(times.map((ms) => ({ at: BEGUN + ms, bytes })))]);
    expect(heard.map(({ at }) => Math.round(at - BEGUN))).toEqual([0, 500]);
  });

  it('that carries something else is passed over', () => {
    const other = [
      ...udpPackets(ENDS, Buffer.from([0, 1, 1, 0, 0, 1])),
      tcpPacket(ENDS, Buffer.from('GET / HTTP/1.1\r\n\r\n'), { sequence: 1 }),
      Buffer.from([0x45, 0]),
      Buffer.alloc(0),
    ];
    expect(said(pcap(other.map((ip) => ethernet(BEGUN, ip))))).toEqual([]);
  });

  it('captured in part is told', () => {
    const file = pcap(one);
    file.writeUInt32LE(2000, 24 + 12);
    expect(hearingOf([file]).notes).toEqual(['1 packets were captured in part (capture with -s 0)']);
  });
});

describe('an address of IPv6', () => {
  it.each([
    ['20010db8000000000000000000000001', '2001:db8::1'],
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000000000001', '::1'],
    ['fe800000000000000000000000000000', 'fe80::'],
    ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
    ['20010000000000010000000000000001', '2001:0:0:1::1'],
    ['10001000000000000000000000000000', '1000:1000::'],
  ])('%s is written as RFC 5952 has it', (bytes, text) => {
    expect(ipv6Text(Buffer.from(bytes, 'hex'))).toBe(text);
  });
});
