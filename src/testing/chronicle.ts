/**
 * Everything that can be seen of a Participating Function from outside, in one order: its messages, its stores, its
 * media, its restarts. Beside it the recorded states of its sessions, which three invariants need.
 */
import type { Pointer } from '../history/driver.ts';
import type { FolderRef } from '../history/intent.ts';
import type { Passage } from './virtual-network.ts';

export interface MessageEntry {
  readonly kind: 'in' | 'out';
  /** ms since the epoch: when it arrived at the function, or left it. */
  readonly at: number;
  readonly passage: Passage;
}

/** What a message store was asked and has done. */
export interface HistoryEntry {
  readonly kind: 'history';
  readonly at: number;
  readonly folder: FolderRef;
  readonly done: 'folder' | 'append' | 'pointer' | 'remove';
  readonly uid?: number;
  readonly pointer?: Pointer;
  /** The object, for an append. */
  readonly object?: string;
}

export interface MediaEntry {
  readonly kind: 'media';
  readonly at: number;
  readonly done: 'bind' | 'free';
  readonly session: string;
  readonly leg: string;
}

/** A session after one of its transitions. */
export interface StateEntry {
  readonly kind: 'state';
  readonly at: number;
  readonly session: string;
  /** Path in the call region, `tearingDown.closing`. */
  readonly state: string;
  readonly role: string;
  readonly mode: string | null;
  readonly reason: string | null;
  /** Taken up after a restart, before anything has happened to it. */
  readonly restored: boolean;
}

export interface ProcessEntry {
  readonly kind: 'crash' | 'start';
  readonly at: number;
}

export type ChronicleEntry = MessageEntry | HistoryEntry | MediaEntry | StateEntry | ProcessEntry;

export class Chronicle {
  readonly entries: ChronicleEntry[] = [];

  note(entry: ChronicleEntry): void {
    this.entries.push(entry);
  }
}
