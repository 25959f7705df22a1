/**
 * What is written to one connection in one turn, put together in one piece of memory. The pieces are kept and used again:
 * new memory for each would have to be cleared, and the system would have to give and take it back.
 */
import type { Socket } from 'node:net';

/** A connection under load has this much ready after each read. */
const PIECE_BYTES = 65_536;
/** Bytes up to this many are copied; more go by themselves. */
const COPIED_BYTES = 8_192;
/** Less than this is copied once more when it is sent, so that a piece never waits for a peer with little in it. */
const LITTLE_BYTES = 16_384;
/** Up to so many letters, writing them one by one costs less than the call out of the language. */
const SHORT = 32;
/** Free pieces that are kept, for all connections: a turn of the loop serves some of them, not all. */
const KEPT_PIECES = 16;

/** Node has it, its types do not: `write` without looking at its arguments each time. */
type Piece = Buffer & { latin1Write(text: string, at: number, length: number): number };

const free: Piece[] = [];

const takeBack = (piece: Piece) => {
  if (free.length < KEPT_PIECES) free.push(piece);
};

export class Packing {
  /** Bytes that wait to be sent. */
  size = 0;
  #piece: Piece | undefined;
  #used = 0;
  /** What is complete, before `#piece`. */
  #packets: Buffer[] = [];
  /** Pieces that are in `#packets`, to be taken back when they have left. */
  #lent: Piece[] = [];

  /** A wire string. */
  text(text: string): void {
    const { length } = text;
    if (length > PIECE_BYTES) {
      this.#alone(Buffer.from(text, 'latin1'));
      return;
    }
    const piece = this.#room(length);
    if (length > SHORT) piece.latin1Write(text, this.#used, length);
    else for (let at = 0; at < length; at++) piece[this.#used + at] = text.charCodeAt(at);
    this.#used += length;
    this.size += length;
  }

  bytes(bytes: Buffer): void {
    const { length } = bytes;
    if (length > COPIED_BYTES) {
      this.#alone(bytes);
      return;
    }
    const piece = this.#room(length);
    piece.set(bytes, this.#used);
    this.#used += length;
    this.size += length;
  }

  /** Those from here to there, copied. */
  part(bytes: Buffer, from: number, to: number): void {
    const length = to - from;
    if (length > COPIED_BYTES) {
      this.#alone(bytes.subarray(from, to));
      return;
    }
    bytes.copy(this.#room(length), this.#used, from, to);
    this.#used += length;
    this.size += length;
  }

  #alone(bytes: Buffer): void {
    this.#complete();
    this.#packets.push(bytes);
    this.size += bytes.length;
  }

  #room(length: number): Piece {
    if (this.#piece !== undefined && this.#used + length > PIECE_BYTES) this.#complete();
    this.#piece ??= free.pop() ?? (Buffer.allocUnsafeSlow(PIECE_BYTES) as Piece);
    return this.#piece;
  }

  #complete(): void {
    const piece = this.#piece;
    if (piece === undefined) return;
    if (this.#used < LITTLE_BYTES) {
      this.#packets.push(Buffer.from(piece.subarray(0, this.#used)));
      takeBack(piece);
    } else {
      this.#packets.push(piece.subarray(0, this.#used));
      this.#lent.push(piece);
    }
    this.#piece = undefined;
    this.#used = 0;
  }

  /** Gives it to the socket, in as few writes as can be had without copying what is large. */
  send(socket: Socket): void {
    this.#complete();
    const [packets, lent] = [this.#packets, this.#lent];
    this.#packets = [];
    this.#lent = [];
    this.size = 0;
    if (socket.destroyed) return;
    // Told in order: when the last has left, all have.
    const left =
      lent.length === 0
        ? undefined
        : () => {
            for (const piece of lent) takeBack(piece);
          };
    const last = packets.length - 1;
    if (last > 0) socket.cork();
    for (const [at, packet] of packets.entries()) socket.write(packet, at === last ? left : undefined);
    if (last > 0) socket.uncork();
  }
}
