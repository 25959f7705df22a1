/**
 * What is written to one connection in one turn, put together in one piece of memory. The pieces are kept and used again:
 * new memory for each would have to be cleared, and the system would have to give and take it back.
 */
import type { Socket } from 'node:net';

/** A connection under load has this much ready after each read. */
const PIECE_BYTES = 65_536;
/** Less than this is copied once more where the peer has something to take before it: no piece waits with little in it. */
const LITTLE_BYTES = 16_384;
/** Up to so many letters, writing them one by one costs less than the call out of the language. */
const SHORT = 32;
/** Free pieces that are kept, for all connections: a turn of the loop serves some of them, not all. */
const KEPT_PIECES = 16;

/** Node has it, its types do not: `write` without looking at its arguments each time. */
type Piece = Buffer & { latin1Write(text: string, at: number, length: number): number };

const free: Piece[] = [];

const takeBack = (pieces: readonly Piece[]) => {
  for (const piece of pieces) if (free.length < KEPT_PIECES) free.push(piece);
};

export class Packing {
  /** Bytes that wait to be sent. */
  size = 0;
  #piece: Piece | undefined;
  #used = 0;
  /** Full ones, before `#piece`. */
  #full: Piece[] = [];
  /** How much is in each of them. */
  #filled: number[] = [];

  /** A wire string. */
  text(text: string): void {
    const { length } = text;
    if (length > PIECE_BYTES) {
      this.bytes(Buffer.from(text, 'latin1'));
      return;
    }
    const piece = this.#room(length);
    if (length > SHORT) piece.latin1Write(text, this.#used, length);
    else for (let at = 0; at < length; at++) piece[this.#used + at] = text.charCodeAt(at);
    this.#used += length;
    this.size += length;
  }

  bytes(bytes: Buffer): void {
    this.part(bytes, 0, bytes.length);
  }

  /** Those from here to there. */
  part(bytes: Buffer, from: number, to: number): void {
    for (let at = from; at < to; ) {
      const piece = this.#room(1);
      const end = Math.min(to, at + PIECE_BYTES - this.#used);
      bytes.copy(piece, this.#used, at, end);
      this.#used += end - at;
      at = end;
    }
    this.size += to - from;
  }

  #room(length: number): Piece {
    if (this.#piece !== undefined && this.#used + length > PIECE_BYTES) this.#complete();
    this.#piece ??= free.pop() ?? (Buffer.allocUnsafeSlow(PIECE_BYTES) as Piece);
    return this.#piece;
  }

  #complete(): void {
    if (this.#piece === undefined) return;
    this.#full.push(this.#piece);
    this.#filled.push(this.#used);
    this.#piece = undefined;
    this.#used = 0;
  }

  /** Gives it to the socket, in as few writes as can be had. */
  send(socket: Socket): void {
    this.#complete();
    const [pieces, filled] = [this.#full, this.#filled];
    this.#full = [];
    this.#filled = [];
    const little = this.size < LITTLE_BYTES && (socket.connecting || socket.writableLength > 0);
    this.size = 0;
    if (socket.destroyed) return;
    const packets = pieces.map((piece, at) => piece.subarray(0, filled[at]));
    if (little) {
      socket.write(Buffer.concat(packets));
      takeBack(pieces);
      return;
    }
    // Told in order: when the last has left, all have.
    const left = () => takeBack(pieces);
    const last = packets.length - 1;
    if (last > 0) socket.cork();
    for (const [at, packet] of packets.entries()) socket.write(packet, at === last ? left : undefined);
    if (last > 0) socket.uncork();
  }
}
