/** Packets out of a capture file that is given piece by piece: pcap or pcapng, as its first bytes say. */
import { CaptureError } from '../capture-error.ts';
import { type CaptureFormat, type Packet, viewOf } from './packet.ts';
import { PCAP_HEADER_BYTES, pcapFormat } from './pcap.ts';
import { pcapngFormat } from './pcapng.ts';

/** No link has larger packets: tcpdump keeps 256 kB at the most. More is a damaged file, and would be held. */
const MAX_RECORD_BYTES = 1_048_576;
const NO_CAPTURE = 'not a capture: pcap and pcapng are read, and what cpm-engine sessions export has written';

export class CaptureFile {
  #format: CaptureFormat | undefined;
  #pending: Uint8Array = new Uint8Array(0);
  /** Where `#pending` begins in the file. */
  #offset = 0;

  /** The packets that these bytes complete. Throws {@link CaptureError} where the file can't be read any further. */
  push(bytes: Uint8Array): Packet[] {
    this.#append(bytes);
    if (this.#format === undefined && !this.#begin()) return [];
    const format = this.#format as CaptureFormat;
    const packets: Packet[] = [];
    let at = 0;
    for (;;) {
      const rest = this.#pending.subarray(at);
      const length = format.lengthOf(viewOf(rest));
      if (length === undefined) break;
      if (length > MAX_RECORD_BYTES) {
        throw new CaptureError(`the file is damaged at byte ${this.#offset + at}: a packet of ${length} bytes`);
      }
      if (length > rest.length) break;
      const packet = format.packetOf(viewOf(rest.subarray(0, length)));
      if (packet !== undefined) packets.push(packet);
      at += length;
    }
    this.#drop(at);
    return packets;
  }

  /** No more comes. True where the last packet is not whole, as when whoever captured was killed. */
  end(): boolean {
    if (this.#format === undefined)
      throw new CaptureError(this.#pending.length === 0 ? 'the file is empty' : NO_CAPTURE);
    return this.#pending.length > 0;
  }

  #append(bytes: Uint8Array): void {
    const joint = new Uint8Array(this.#pending.length + bytes.length);
    joint.set(this.#pending);
    joint.set(bytes, this.#pending.length);
    this.#pending = joint;
  }

  #drop(length: number): void {
    this.#pending = this.#pending.subarray(length);
    this.#offset += length;
  }

  /** Finds out what it is; false where more is needed. */
  #begin(): boolean {
    const bytes = this.#pending;
    if (bytes.length < PCAP_HEADER_BYTES) return false;
    const header = viewOf(bytes);
    this.#format = pcapngFormat(header);
    if (this.#format !== undefined) return true;
    this.#format = pcapFormat(header);
    if (this.#format === undefined) throw new CaptureError(otherFile(header));
    this.#drop(PCAP_HEADER_BYTES);
    return true;
  }
}

function otherFile(header: DataView): string {
  if (header.getUint16(0) === 0x1f8b) return 'a compressed file: unpack it first (gunzip)';
  const [one, other] = [header.getUint32(0, true), header.getUint32(0, false)];
  if (one === 0xa1b2cd34 || other === 0xa1b2cd34) {
    return 'a variant of pcap that is not read: convert it first (editcap -F pcap IN OUT)';
  }
  return NO_CAPTURE;
}
