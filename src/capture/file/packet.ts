/** A packet as a capture file holds it. */
export interface Packet {
  /** ms since the epoch. */
  readonly at: number;
  /** Number of the link layer (LINKTYPE_ of the tcpdump group). */
  readonly link: number;
  /** As much of it as was captured. */
  readonly bytes: Uint8Array;
  /** Bytes of it that were not captured. */
  readonly missing: number;
}

/** How the records of a file are told apart. */
export interface CaptureFormat {
  /** Length of the record that begins `bytes`, in bytes; undefined where more is needed to tell. */
  lengthOf(bytes: DataView): number | undefined;
  /** The packet of a whole record; undefined for a record of another kind. */
  packetOf(record: DataView): Packet | undefined;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function partOf(view: DataView, from: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + from, length);
}
