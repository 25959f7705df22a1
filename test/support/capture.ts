/** What passes over an MSRP connection, recorded at a phone, and written as a capture file other programs read. */
import type { Carrier, CarrierUser } from '../../src/msrp/carrier.ts';

export interface Passed {
  /** True for what the phone sent. */
  readonly sent: boolean;
  readonly bytes: Buffer;
}

/** A carrier and its user that note what passes between them; `user` makes the user of the carrier it is given. */
export function recorded(carrier: Carrier, passed: Passed[], user: (carrier: Carrier) => CarrierUser): CarrierUser {
  const note = (sent: boolean, bytes: Buffer) => void passed.push({ sent, bytes: Buffer.from(bytes) });
  const inner = user({
    get open() {
      return carrier.open;
    },
    get full() {
      return carrier.full;
    },
    secure: carrier.secure,
    get remote() {
      return carrier.remote;
    },
    get fingerprint() {
      return carrier.fingerprint;
    },
    write(text) {
      note(true, Buffer.from(text, 'latin1'));
      carrier.write(text);
    },
    writeBytes(bytes) {
      note(true, bytes);
      carrier.writeBytes(bytes);
    },
    writePart(bytes, from, to) {
      note(true, bytes.subarray(from, to));
      carrier.writePart(bytes, from, to);
    },
    flush: () => carrier.flush(),
    pause: () => carrier.pause(),
    resume: () => carrier.resume(),
    close: (gently) => carrier.close(gently),
  });
  return {
    onOpen: () => inner.onOpen(),
    onData(bytes) {
      note(false, bytes);
      inner.onData(bytes);
    },
    onDrain: () => inner.onDrain(),
    onClosed: (reason) => inner.onClosed(reason),
  };
}

/** Port of the function in a capture, and of the first phone; the next one has the next. */
export const CAPTURED_PORT = 2855;
const FIRST_PHONE = 40_001;
/** Payload of one frame, below what an IPv4 packet can have. */
const FRAME_BYTES = 60_000;

/**
 * A pcap file (LINKTYPE_RAW) of one TCP connection for each phone. Each message begins a segment of its own: dissectors
 * read one for each.
 */
export function captureOf(phones: readonly (readonly Passed[])[]): Buffer {
  const frames = phones.flatMap((passed, at) => connection(passed, FIRST_PHONE + at));
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(262_144, 16);
  header.writeUInt32LE(101, 20);
  const records = frames.flatMap((frame, at) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(at, 0);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return [record, frame];
  });
  return Buffer.concat([header, ...records]);
}

function connection(passed: readonly Passed[], port: number): Buffer[] {
  const next = { sent: 1, received: 1 };
  const frames = [segment(true, port, 0, 0, 0x02), segment(false, port, 0, 1, 0x12)];
  for (const sent of [true, false]) {
    const stream = Buffer.concat(passed.filter((piece) => piece.sent === sent).map(({ bytes }) => bytes));
    for (const message of stream.toString('latin1').split(/(?<=[$+#]\r\n)(?=MSRP )/)) {
      const bytes = Buffer.from(message, 'latin1');
      for (let at = 0; at < bytes.length; at += FRAME_BYTES) {
        const part = bytes.subarray(at, at + FRAME_BYTES);
        const [own, other] = sent ? (['sent', 'received'] as const) : (['received', 'sent'] as const);
        frames.push(segment(sent, port, next[own], next[other], 0x18, part));
        next[own] += part.length;
      }
    }
  }
  return frames;
}

/** One IPv4 packet with a TCP segment. */
function segment(sent: boolean, port: number, seq: number, ack: number, flags: number, data = Buffer.alloc(0)): Buffer {
  const packet = Buffer.alloc(40 + data.length);
  const [from, to] = sent ? [port, CAPTURED_PORT] : [CAPTURED_PORT, port];
  packet[0] = 0x45;
  packet.writeUInt16BE(packet.length, 2);
  packet[8] = 64;
  packet[9] = 6;
  packet.writeUInt32BE(0x7f000001, 12);
  packet.writeUInt32BE(0x7f000001, 16);
  packet.writeUInt16BE(from, 20);
  packet.writeUInt16BE(to, 22);
  packet.writeUInt32BE(seq, 24);
  packet.writeUInt32BE(ack, 28);
  packet[32] = 0x50;
  packet[33] = flags;
  packet.writeUInt16BE(65_535, 34);
  data.copy(packet, 40);
  return packet;
}
