/**
 * pcapng (draft-ietf-opsawg-pcapng): blocks in sections, each section with its byte order and its interfaces. Packets
 * stand in Enhanced and Simple Packet Blocks, and in the Packet Blocks of old files; all other blocks are passed over.
 */
import { CaptureError } from '../capture-error.ts';
import { type CaptureFormat, type Packet, partOf } from './packet.ts';

export const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const INTERFACE = 1;
const OLD_PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
/** Type, length, and the length again at the end. */
const FRAME_BYTES = 12;
/** Bytes in front of a packet's own. */
const ENHANCED_HEADER_BYTES = 28;
const SIMPLE_HEADER_BYTES = 12;
/** Interfaces in one section; `any` on a large router has some hundred. */
const MAX_INTERFACES = 4096;

const TSRESOL = 9;
const TSOFFSET = 14;

interface Interface {
  readonly link: number;
  /** Bytes kept of each packet; 0 where there is no limit. */
  readonly kept: number;
  readonly ticksPerMs: number;
  /** Seconds added to each time. */
  readonly offset: number;
}

/** The format of a file that begins with these twelve bytes; undefined where it is no pcapng. */
export function pcapngFormat(header: DataView): CaptureFormat | undefined {
  return header.getUint32(0) === SECTION_HEADER ? new PcapngFormat() : undefined;
}

class PcapngFormat implements CaptureFormat {
  #little = true;
  #interfaces: Interface[] = [];

  lengthOf(bytes: DataView): number | undefined {
    if (bytes.byteLength < FRAME_BYTES) return undefined;
    if (bytes.getUint32(0) === SECTION_HEADER) this.#begin(bytes);
    const length = bytes.getUint32(4, this.#little);
    if (length < FRAME_BYTES || length % 4 !== 0) {
      throw new CaptureError(`the file is damaged: a block of ${length} bytes`);
    }
    return length;
  }

  /** A section has its own byte order, and its own interfaces. */
  #begin(bytes: DataView): void {
    this.#little = bytes.getUint32(8, true) === BYTE_ORDER_MAGIC;
    if (!this.#little && bytes.getUint32(8, false) !== BYTE_ORDER_MAGIC) {
      throw new CaptureError('the file is damaged: a section without its byte order');
    }
  }

  packetOf(block: DataView): Packet | undefined {
    const type = block.getUint32(0, this.#little);
    if (type === SECTION_HEADER) this.#interfaces = [];
    else if (type === INTERFACE) this.#describe(block);
    else if (type === ENHANCED_PACKET || type === OLD_PACKET) return this.#timed(block, type);
    else if (type === SIMPLE_PACKET) return this.#simple(block);
    return undefined;
  }

  #describe(block: DataView): void {
    if (block.byteLength < 20 || this.#interfaces.length >= MAX_INTERFACES) {
      throw new CaptureError('the file is damaged: an interface without its description');
    }
    const little = this.#little;
    let [ticksPerMs, offset] = [1000, 0];
    for (const { code, at, length } of optionsOf(block, 16, little)) {
      if (code === TSRESOL && length >= 1) ticksPerMs = resolution(block.getUint8(at));
      if (code === TSOFFSET && length >= 8) offset = Number(block.getBigInt64(at, little));
    }
    this.#interfaces.push({ link: block.getUint16(8, little), kept: block.getUint32(12, little), ticksPerMs, offset });
  }

  #timed(block: DataView, type: number): Packet | undefined {
    if (block.byteLength < ENHANCED_HEADER_BYTES + 4) return undefined;
    const little = this.#little;
    const from = this.#interfaces[type === OLD_PACKET ? block.getUint16(8, little) : block.getUint32(8, little)];
    if (from === undefined)
      throw new CaptureError('the file is damaged: a packet of an interface it does not describe');
    const ticks = block.getUint32(12, little) * 2 ** 32 + block.getUint32(16, little);
    const captured = Math.min(block.getUint32(20, little), block.byteLength - ENHANCED_HEADER_BYTES - 4);
    return {
      at: from.offset * 1000 + ticks / from.ticksPerMs,
      link: from.link,
      bytes: partOf(block, ENHANCED_HEADER_BYTES, captured),
      missing: Math.max(0, block.getUint32(24, little) - captured),
    };
  }

  /** It has no time: all such packets are taken for one moment, in their order. */
  #simple(block: DataView): Packet | undefined {
    const from = this.#interfaces[0];
    if (from === undefined || block.byteLength < SIMPLE_HEADER_BYTES + 4) return undefined;
    const whole = block.getUint32(8, this.#little);
    const room = block.byteLength - SIMPLE_HEADER_BYTES - 4;
    const captured = Math.min(whole, room, from.kept === 0 ? room : from.kept);
    return { at: 0, link: from.link, bytes: partOf(block, SIMPLE_HEADER_BYTES, captured), missing: whole - captured };
  }
}

/** if_tsresol: a power of ten, or of two where the highest bit is set. */
function resolution(value: number): number {
  const power = value & 0x7f;
  return (value & 0x80 ? 2 ** power : 10 ** power) / 1000;
}

function* optionsOf(
  block: DataView,
  from: number,
  little: boolean,
): Generator<{ code: number; at: number; length: number }> {
  const end = block.byteLength - 4;
  for (let at = from; at + 4 <= end; ) {
    const code = block.getUint16(at, little);
    const length = block.getUint16(at + 2, little);
    if (code === 0 || at + 4 + length > end) return;
    yield { code, at: at + 4, length };
    at += 4 + Math.ceil(length / 4) * 4;
  }
}
