/** Classic pcap (draft-ietf-opsawg-pcap): a header, then packets. Either byte order, micro- or nanoseconds. */
import { type CaptureFormat, type Packet, partOf } from './packet.ts';

const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;
export const PCAP_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;

/** The format of a file that begins so; undefined where it is no classic pcap. */
export function pcapFormat(header: DataView): CaptureFormat | undefined {
  for (const little of [true, false]) {
    const magic = header.getUint32(0, little);
    if (magic !== MICROSECONDS && magic !== NANOSECONDS) continue;
    const ticksPerMs = magic === NANOSECONDS ? 1_000_000 : 1000;
    // Above the link type stand the length of a frame check sequence and flags.
    return new PcapFormat(little, ticksPerMs, header.getUint32(20, little) & 0xffff);
  }
  return undefined;
}

class PcapFormat implements CaptureFormat {
  readonly #little: boolean;
  readonly #ticksPerMs: number;
  readonly #link: number;

  constructor(little: boolean, ticksPerMs: number, link: number) {
    this.#little = little;
    this.#ticksPerMs = ticksPerMs;
    this.#link = link;
  }

  lengthOf(bytes: DataView): number | undefined {
    if (bytes.byteLength < RECORD_HEADER_BYTES) return undefined;
    return RECORD_HEADER_BYTES + bytes.getUint32(8, this.#little);
  }

  packetOf(record: DataView): Packet {
    const seconds = record.getUint32(0, this.#little);
    const ticks = record.getUint32(4, this.#little);
    const captured = record.byteLength - RECORD_HEADER_BYTES;
    return {
      at: seconds * 1000 + ticks / this.#ticksPerMs,
      link: this.#link,
      bytes: partOf(record, RECORD_HEADER_BYTES, captured),
      missing: Math.max(0, record.getUint32(12, this.#little) - captured),
    };
  }
}
