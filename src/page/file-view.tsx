/** A session out of a file, as the view of a session shows it; and how a file is opened. */
import type { ComponentChildren } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import type { SessionFile } from '../trace/session-file.ts';
import { brief } from './format.ts';
import { OpenedContext } from './opened.ts';
import { Empty, Facts, Panel } from './parts.tsx';
import type { Route } from './route.ts';
import { Session } from './session-view.tsx';

export function FileView({ route }: { readonly route: Route }) {
  const { opened } = useContext(OpenedContext);
  if (opened === undefined) {
    return (
      <DropZone>
        <div class="session">
          <Empty>No file is open in this window. Open one, or drop it here: it is read here and goes nowhere.</Empty>
          <p class="open-here">
            <OpenButton />
          </p>
        </div>
      </DropZone>
    );
  }
  const { name, file } = opened;
  return (
    <DropZone>
      <p class="from-file">
        <b>{name}</b>
        <span>
          {file.source === 'capture' ? 'out of a capture' : 'from a server'}, {momentOf(file.exportedAt)}, {file.by}
        </span>
        {!file.redacted && <span class="error">not redacted</span>}
      </p>
      <Session
        // Another file begins anew
        key={`${name} ${file.exportedAt} ${file.trace.id}`}
        trace={file.trace}
        place={{ view: 'file', path: [] }}
        query={route.query}
        tools={<OpenButton />}
        above={file.verdicts !== null && <Verdicts of={file.verdicts} />}
        below={<Kept file={file} />}
        still
      />
    </DropZone>
  );
}

/** What a file has beside the trace: where the session is recorded, and what it was decided by. */
function Kept({ file: { history, config } }: { readonly file: SessionFile }) {
  if (history === null && config === null) return null;
  return (
    <details class="panel kept">
      <summary>Record and configuration</summary>
      {history !== null && (
        <Facts
          of={[
            ['Folder', `${history.conversationId}/${history.contributionId}`],
            ...Object.entries(history.pointers).map(([pointer, uid]) => [pointer, `UID ${uid}`] as const),
          ]}
        />
      )}
      {config !== null && <Facts of={factsOf(config)} />}
    </details>
  );
}

/** `2026-11-26 11:51:32 UTC`: who reads it may be anywhere. */
function momentOf(at: number): string {
  // A file may say anything, also what is no time.
  const moment = new Date(at);
  return Number.isNaN(moment.getTime()) ? 'no date' : `${moment.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** One level of objects is taken apart: the policy. */
function factsOf(config: Readonly<Record<string, unknown>>): (readonly [string, string])[] {
  return Object.entries(config).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).map(([key, each]) => [`${name}.${key}`, brief(each)] as const)
      : [[name, brief(value)] as const],
  );
}

function Verdicts({ of }: { readonly of: NonNullable<SessionFile['verdicts']> }) {
  return (
    <Panel title="Invariants" class="verdicts">
      <ol>
        {of.map(({ invariant, name, verdict, what, limits }) => (
          <li key={invariant} value={invariant} class={verdict.replace(' ', '-')}>
            <b>{name}</b> <span class="verdict">{verdict}</span>
            {what.map((each) => (
              <span key={each} class="what">
                {each}
              </span>
            ))}
            {limits !== null && <span class="limits">{limits}</span>}
          </li>
        ))}
      </ol>
    </Panel>
  );
}

/** Opens a file that is chosen; what is wrong with one is said beside the button. */
export function OpenButton() {
  const { open } = useContext(OpenedContext);
  const [error, setError] = useState<string>();
  const input = useRef<HTMLInputElement>(null);
  const take = (file: File | undefined): void => {
    if (file === undefined) return;
    open(file).then(
      () => setError(undefined),
      (failure: Error) => setError(failure.message),
    );
    // The same file may be chosen again.
    if (input.current !== null) input.current.value = '';
  };
  return (
    <span class="open-file">
      {error !== undefined && (
        <span class="error" role="alert">
          {error}
        </span>
      )}
      <button type="button" title="A session file, also of another server" onClick={() => input.current?.click()}>
        Open a file
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept=".json,application/json"
        aria-label="Session file"
        onChange={(event) => take(event.currentTarget.files?.[0])}
      />
    </span>
  );
}

/** Takes a file that is dropped anywhere in it. */
export function DropZone({ children }: { readonly children: ComponentChildren }) {
  const { open } = useContext(OpenedContext);
  const [over, setOver] = useState(false);
  const [error, setError] = useState<string>();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (error === undefined) return;
    const timer = setTimeout(() => setError(undefined), 10_000);
    return () => clearTimeout(timer);
  }, [error]);
  const holdsFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: what is dropped can also be chosen with the button
    <div
      ref={box}
      class={`drop ${over ? 'over' : ''}`}
      onDragOver={(event) => {
        if (!holdsFile(event)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!box.current?.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        if (!holdsFile(event)) return;
        event.preventDefault();
        setOver(false);
        const file = event.dataTransfer?.files[0];
        if (file !== undefined)
          open(file).then(
            () => setError(undefined),
            (failure: Error) => setError(failure.message),
          );
      }}
    >
      {error !== undefined && (
        <p class="drop-error error" role="alert">
          {error}
        </p>
      )}
      {children}
    </div>
  );
}
