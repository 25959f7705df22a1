/** `cpm-engine ladder`: sessions out of a capture, or out of a file that was exported, and what is to be said of them. */
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { CaptureError } from '../../capture/capture-error.ts';
import { MAX_FILE_BYTES, SessionFileError } from '../../trace/session-file.ts';
import { capturedSubject } from './ladder-capture.ts';
import { exportedSubject } from './ladder-file.ts';
import { ladderReport, type Subject } from './ladder-report.ts';
import { CommandFailed, print, UsageError } from './output.ts';

export interface LadderOptions {
  readonly json?: boolean;
  /** Part of a Call-ID, a Contribution-ID or a session's id. */
  readonly call?: string;
  readonly svg?: string;
  readonly export?: string;
  readonly redact: boolean;
  readonly node?: readonly string[];
  readonly isf?: readonly string[];
  readonly check?: boolean;
}

export function ladder(file: string, options: LadderOptions): void {
  for (const name of ['node', 'isf'] as const) for (const address of options[name] ?? []) checkAddress(name, address);
  const subject = subjectOf(file, options);
  if (options.svg !== undefined) write(options.svg, subject.svg());
  if (options.export !== undefined) write(options.export, JSON.stringify(subject.file(options.redact)));
  if (options.json) print(JSON.stringify({ file, ...subject.json() }, null, 2));
  else for (const line of ladderReport(file, subject)) print(line);
  const broken = subject.sessions.some(({ verdicts }) => verdicts.some(({ verdict }) => verdict === 'broken'));
  if (options.check && broken) throw new CommandFailed('an invariant is broken');
}

function checkAddress(name: string, address: string): void {
  if (/^(\d+(\.\d+){3}|\[[\da-f:]+\]):\d{1,5}$/.test(address)) return;
  const expected = 'an address and a port, such as 10.0.0.1:5060 or [2001:db8::1]:5060';
  throw new UsageError(`--${name} ${address}: expected ${expected}`);
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CommandFailed(`${file}: ${(error as Error).message}`);
  }
}

// --- reading -------------------------------------------------------------------------------------------------

const PIECE_BYTES = 262_144;
const OPENS_OBJECT = 0x7b;

function subjectOf(file: string, options: LadderOptions): Subject {
  try {
    const pieces = piecesOf(file);
    const { value: first = new Uint8Array(0) } = pieces.next() as IteratorResult<Uint8Array, undefined>;
    if (first[0] === OPENS_OBJECT) return exportedSubject(textOf(first, pieces), options);
    return capturedSubject(startingWith(first, pieces), options);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new CommandFailed(`${file}: ${reasonOf(error as NodeJS.ErrnoException)}`);
  }
}

function reasonOf(error: NodeJS.ErrnoException): string {
  const told = error instanceof CaptureError || error instanceof SessionFileError || error instanceof CommandFailed;
  return !told && error.code === 'ENOENT' ? 'no such file' : error.message;
}

/** The file piece by piece, however large it is. */
function* piecesOf(file: string): Generator<Uint8Array, undefined> {
  const descriptor = file === '-' ? 0 : openSync(file, 'r');
  try {
    for (;;) {
      const piece = new Uint8Array(PIECE_BYTES);
      const length = readSync(descriptor, piece);
      if (length === 0) return;
      yield piece.subarray(0, length);
    }
  } finally {
    if (file !== '-') closeSync(descriptor);
  }
}

function* startingWith(first: Uint8Array, rest: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield first;
  yield* rest;
}

function textOf(first: Uint8Array, rest: Iterable<Uint8Array>): string {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (const piece of startingWith(first, rest)) {
    length += piece.length;
    if (length > MAX_FILE_BYTES) throw new SessionFileError('larger than any session file');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
