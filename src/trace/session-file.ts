/**
 * One session in a file: everything the page shows of it, to be looked at elsewhere (docs/offline.md). Whoever reads one
 * believes nothing of it before its shape was looked at: a file comes from anywhere.
 */
import type { Verdict } from '../capture/verdicts.ts';
import type { LadderEntry } from '../inspect/ladder.ts';
import type { TraceView } from '../server/admin/trace-views.ts';

export const SESSION_FILE = 'cpm-engine session';
/** Goes up when a reader of the version before would misread; what is only added does not count. */
export const SESSION_FILE_VERSION = 1;
/** A trace has at most 256 steps and 256 messages of 16 kB; with guards and effects that is far below. */
export const MAX_FILE_BYTES = 33_554_432;

export interface SessionFile {
  readonly format: typeof SESSION_FILE;
  readonly version: number;
  /** ms since the epoch. */
  readonly exportedAt: number;
  /** What has written it: `cpm-engine 0.1.0`. */
  readonly by: string;
  readonly source: 'server' | 'capture';
  /** True where numbers of people are masked, and what they have written is left out. */
  readonly redacted: boolean;
  readonly trace: TraceView;
  readonly ladder: readonly LadderEntry[];
  /** Where the session is recorded; null where it is not, or the store could not be asked. */
  readonly history: RecordedAt | null;
  /** What it was decided by; null out of a capture. */
  readonly config: Readonly<Record<string, unknown>> | null;
  /** What the invariants say, where they were asked. */
  readonly verdicts: readonly Verdict[] | null;
}

export interface RecordedAt {
  readonly user: string;
  readonly conversationId: string;
  readonly contributionId: string;
  readonly pointers: Readonly<Record<string, number>>;
}

/** Why a text is no session file, as its reader is told. */
export class SessionFileError extends Error {}

/** Throws {@link SessionFileError}. */
export function readSessionFile(text: string): SessionFile {
  if (text.length > MAX_FILE_BYTES) throw new SessionFileError(`larger than any session: ${text.length} bytes`);
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    throw new SessionFileError('not a session file: it is not JSON');
  }
  const { format, version } = (typeof data === 'object' && data !== null ? data : {}) as Partial<SessionFile>;
  if (format !== SESSION_FILE) {
    throw new SessionFileError(
      `not a session file: cpm-engine sessions export writes one, and cpm-engine ladder --export`,
    );
  }
  if (version !== SESSION_FILE_VERSION) {
    throw new SessionFileError(
      `a session file of version ${String(version)}: version ${SESSION_FILE_VERSION} is read here`,
    );
  }
  FILE(data, '');
  return data as SessionFile;
}

// --- its shape -----------------------------------------------------------------------------------------------

/** Throws where the value has another shape; `path` says where it stands. */
type Shape = (value: unknown, path: string) => void;

function wrong(path: string, expected: string): never {
  throw new SessionFileError(`a damaged session file: ${path === '' ? 'it' : path.slice(1)} is not ${expected}`);
}

const text: Shape = (value, path) => void (typeof value === 'string' || wrong(path, 'a text'));
const number: Shape = (value, path) => void (Number.isFinite(value) || wrong(path, 'a number'));
const flag: Shape = (value, path) => void (typeof value === 'boolean' || wrong(path, 'true or false'));
const anything: Shape = () => {};
const orNull =
  (shape: Shape): Shape =>
  (value, path) =>
    value === null || shape(value, path);
const oneOf =
  (...values: readonly string[]): Shape =>
  (value, path) =>
    void (values.includes(value as string) || wrong(path, `one of ${values.join(', ')}`));

const listOf =
  (shape: Shape): Shape =>
  (value, path) => {
    if (!Array.isArray(value)) return wrong(path, 'a list');
    for (const [at, each] of value.entries()) shape(each, `${path}.${at}`);
  };

function entriesOf(value: unknown, path: string): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong(path, 'an object');
  return Object.entries(value);
}

const recordOf =
  (shape: Shape): Shape =>
  (value, path) => {
    for (const [name, each] of entriesOf(value, path)) shape(each, `${path}.${name}`);
  };

const having =
  (shapes: Readonly<Record<string, Shape>>): Shape =>
  (value, path) => {
    const found = new Map(entriesOf(value, path));
    for (const [name, shape] of Object.entries(shapes)) shape(found.get(name), `${path}.${name}`);
  };

const LEG = having({ peer: text, phase: text, timer: orNull(having({ se: number, refresher: text })) });
const HISTORY = having({ sessionInfoUid: orNull(number), groupStateUid: orNull(number), failures: number });
const ENDING = orNull(having({ reason: text }));

const STEP = having({
  n: number,
  at: number,
  event: text,
  about: recordOf(anything),
  call: text,
  recording: text,
  guards: listOf(
    having({ guard: text, holds: flag, clauses: listOf(text), reads: listOf(having({ path: text, value: anything })) }),
  ),
  transitions: listOf(text),
  actions: listOf(having({ action: text, clauses: listOf(text) })),
  effects: listOf(having({ id: anything, type: text })),
  mode: orNull(text),
  legs: recordOf(LEG),
  deadlines: recordOf(number),
  history: HISTORY,
  ending: ENDING,
});

const MESSAGE = having({
  n: number,
  at: number,
  direction: oneOf('in', 'out'),
  peer: text,
  bytes: number,
  leg: text,
  label: text,
  text,
  again: orNull(number),
});

const MEDIA = having({
  leg: text,
  stream: number,
  port: number,
  secure: flag,
  peer: orNull(text),
  messages: number,
  bytes: number,
});

const DETAILS = having({
  state: text,
  role: text,
  mode: orNull(text),
  user: text,
  with: text,
  reason: orNull(text),
  recording: text,
  service: text,
  conversationId: text,
  contributionId: text,
  legs: recordOf(having({ peer: text })),
  media: listOf(MEDIA),
});

const FILE = having({
  exportedAt: number,
  by: text,
  source: oneOf('server', 'capture'),
  redacted: flag,
  trace: having({
    id: text,
    live: flag,
    now: number,
    startedAt: number,
    endedAt: orNull(number),
    whole: flag,
    dropped: number,
    details: DETAILS,
    steps: listOf(STEP),
    messages: listOf(MESSAGE),
  }),
  ladder: listOf(having({ at: number, leg: text, direction: oneOf('in', 'out'), label: text })),
  history: orNull(having({ user: text, conversationId: text, contributionId: text, pointers: recordOf(number) })),
  config: orNull(recordOf(anything)),
  verdicts: orNull(
    listOf(
      having({
        invariant: number,
        name: text,
        verdict: oneOf('holds', 'broken', 'open', 'not judged'),
        what: listOf(text),
        limits: orNull(text),
      }),
    ),
  ),
});
