/**
 * What passes through a relay, for whoever records it: chunk by chunk, as the bytes go by. Nothing is assembled and
 * nothing held; chunks of one message have the same Message-ID and say by their range where they belong.
 */
import type { LegName } from '../../../machines/session/context.ts';
import type { ByteRange } from '../message/byte-range.ts';
import type { ContinuationFlag } from '../message/head.ts';

/** A SEND on its way from one leg of a session to another. */
export interface PassingChunk {
  readonly session: string;
  /** Place of the m-line in the inviter's offer. */
  readonly stream: number;
  readonly from: LegName;
  readonly messageId: string;
  readonly range: ByteRange;
  /** Header lines but the paths, as they came. */
  readonly lines: string;
}

export interface ChunkObserver {
  /** A view: to be used or copied before the call returns. */
  onBytes(bytes: Buffer): void;
  /**
   * The chunk is over. `#` also stands for one that was refused or whose sender is gone. The 200 to the sender waits
   * until `done` has been called; with a status that is not 200, that is what the sender gets.
   */
  onEnd(flag: ContinuationFlag, done: (status: number) => void): void;
}

/** Undefined for what is not observed. */
export type Observe = (chunk: PassingChunk) => ChunkObserver | undefined;
