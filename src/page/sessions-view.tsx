/** The list of sessions. Only what is in sight is drawn and fetched, so ten thousand are as quick as ten. */
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import { ask } from './api.ts';
import { DropZone, OpenButton } from './file-view.tsx';
import { count, duration, shortUri, words } from './format.ts';
import { ServerContext, useFeed, useKeys, useServerTime } from './hooks.ts';
import { Choice, Empty, State } from './parts.tsx';
import { hashOf, type Route } from './route.ts';
import type { EndedList, EndedSession, SessionList, SessionSummary } from './told.ts';
import { pagesOf, rowsInSight } from './window.ts';

const PAGE = 100;
/** Height of a row, as the style sheet has it. */
const ROW = 30;
/** The list is asked for again at most so often. */
const AGAIN_MS = 400;

const STATES = ['inviting', 'proxying', 'b2buaEstablished', 'interworking', 'tearingDown'];
const REASONS = [
  'byeFromClient',
  'byeFromEntity',
  'byeFromIwf',
  'sessionTimer',
  'cancelled',
  'refused',
  'failed',
  'dnd',
  'noClient',
  'noSuitableClient',
  'ringingTimeout',
  'noAck',
  'dialogGone',
  'mediaFailure',
  'operator',
  'shutdown',
];

type Row = SessionSummary | EndedSession;

export function SessionsView({ route }: { readonly route: Route }) {
  const { which = 'live', state = '', user = '', reason = '' } = route.query;
  const filter = (change: Record<string, string>): void => {
    location.replace(hashOf({ view: 'sessions', query: { ...route.query, ...change } }));
  };
  const list = useList(which, { state: which === 'live' ? state : '', user, reason });
  const find = useRef<HTMLInputElement>(null);
  useKeys((key) => {
    if (key !== '/') return false;
    find.current?.focus();
    return true;
  });
  return (
    <DropZone>
      <div class="sessions">
        <div class="toolbar">
          <h1 class="hidden">Sessions</h1>
          <Choice
            label="Which sessions"
            value={which === 'ended' ? 'ended' : 'live'}
            of={[
              ['live', 'Live'],
              ['ended', 'Ended lately'],
            ]}
            choose={(chosen) => filter({ which: chosen === 'live' ? '' : chosen })}
          />
          <label>
            User
            <input
              ref={find}
              type="search"
              placeholder="part of an address"
              value={user}
              onInput={(event) => filter({ user: event.currentTarget.value })}
            />
          </label>
          {which === 'live' && (
            <Pick label="State" value={state} of={STATES} choose={(value) => filter({ state: value })} />
          )}
          <Pick label="Reason" value={reason} of={REASONS} choose={(value) => filter({ reason: value })} />
          <output class="found" aria-label="Found">
            {list.matched === list.total ? count(list.total) : `${count(list.matched)} of ${count(list.total)}`}
          </output>
          <OpenButton />
        </div>
        <Rows list={list} ended={which === 'ended'} />
      </div>
    </DropZone>
  );
}

function Pick(props: {
  readonly label: string;
  readonly value: string;
  readonly of: readonly string[];
  readonly choose: (value: string) => void;
}) {
  return (
    <label>
      {props.label}
      <select value={props.value} onChange={(event) => props.choose(event.currentTarget.value)}>
        <option value="">any</option>
        {props.of.map((value) => (
          <option key={value} value={value}>
            {words(value)}
          </option>
        ))}
      </select>
    </label>
  );
}

interface List {
  readonly total: number;
  readonly matched: number;
  readonly error: string | undefined;
  row(at: number): Row | undefined;
  /** Says which rows are in sight, so that they are fetched. */
  see(from: number, to: number): void;
}

function useList(which: string, filters: Readonly<Record<string, string>>): List {
  const { token } = useContext(ServerContext);
  const key = `${which} ${JSON.stringify(filters)}`;
  const [shown, setShown] = useState({ key: '', total: 0, matched: 0, pages: new Map<number, readonly Row[]>() });
  const [error, setError] = useState<string>();
  const seen = useRef({ from: 0, to: PAGE });
  const [stale, setStale] = useState(0);
  const asked = useRef({ at: 0, timer: 0 });

  const askSoon = (): void => {
    if (asked.current.timer !== 0) return;
    const wait = Math.max(0, asked.current.at + AGAIN_MS - performance.now());
    asked.current.timer = window.setTimeout(() => {
      asked.current = { at: performance.now(), timer: 0 };
      setStale((before) => before + 1);
    }, wait);
  };
  useFeed(({ changed, many }) => {
    if (many || changed.length > 0) askSoon();
  });
  useEffect(() => () => clearTimeout(asked.current.timer), []);

  // What is stale, or was refused, is asked for again
  useEffect(() => {
    const stop = new AbortController();
    const load = async (): Promise<void> => {
      const pages = new Map<number, readonly Row[]>();
      let counts = { total: 0, matched: 0 };
      for (const page of pagesOf(seen.current, PAGE)) {
        const path = pathOf(which, { ...filters, limit: String(PAGE), offset: String(page * PAGE) });
        const { total, matched, sessions } = await ask<SessionList | EndedList>(path, { signal: stop.signal });
        counts = { total, matched };
        pages.set(page, sessions);
      }
      setShown((before) => ({
        key,
        ...counts,
        pages: before.key === key ? new Map([...before.pages, ...pages]) : pages,
      }));
      setError(undefined);
    };
    load().catch((failure: Error) => {
      if (!stop.signal.aborted) setError(failure.message);
    });
    return () => stop.abort();
  }, [key, stale, token]);

  return {
    total: shown.total,
    matched: shown.matched,
    error,
    row: (at) => shown.pages.get(Math.floor(at / PAGE))?.[at % PAGE],
    see(from, to) {
      const unknown = pagesOf({ from, to }, PAGE).some((page) => !shown.pages.has(page));
      seen.current = { from, to: Math.max(to, from + 1) };
      if (unknown && shown.key === key) setStale((before) => before + 1);
    },
  };
}

function pathOf(which: string, filters: Readonly<Record<string, string>>): string {
  const pairs = Object.entries({ ...filters, order: 'newest' }).filter(([, value]) => value !== '');
  return `/api/sessions${which === 'ended' ? '/ended' : ''}?${new URLSearchParams(pairs)}`;
}

function Rows({ list, ended }: { readonly list: List; readonly ended: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState({ top: 0, height: 600 });
  const now = useServerTime(1000);
  useEffect(() => {
    const look = (): void => setSight({ top: box.current?.scrollTop ?? 0, height: box.current?.clientHeight ?? 600 });
    look();
    addEventListener('resize', look);
    return () => removeEventListener('resize', look);
  }, []);
  const { from, to } = rowsInSight(sight.top, sight.height, ROW, list.matched);
  // The list is told of what is in sight, and of nothing else
  useEffect(() => {
    if (to > from) list.see(from, to);
  }, [from, to]);
  const walk = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    const here = (event.target as HTMLElement).closest('.row');
    const next = event.key === 'ArrowDown' ? here?.nextElementSibling : here?.previousElementSibling;
    next?.querySelector('a')?.focus();
  };
  const rows = Array.from({ length: to - from }, (_, at) => from + at);
  return (
    <div class="table" role="table" aria-label="Sessions" aria-rowcount={list.matched + 1}>
      <div class="row head" role="row" aria-rowindex={1}>
        {['Served user', 'With', ended ? 'Ended' : 'State', 'Role', 'Mode', 'Lasts', 'Reason', 'Session'].map(
          (title) => (
            <span key={title} role="columnheader">
              {title}
            </span>
          ),
        )}
      </div>
      <div
        class="rows"
        role="rowgroup"
        ref={box}
        onScroll={(event) => setSight({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
        onKeyDown={walk}
      >
        <div class="space" style={{ height: `${list.matched * ROW}px` }}>
          {rows.map((at) => (
            <SessionRow key={at} at={at} row={list.row(at)} now={now} />
          ))}
        </div>
        {list.error !== undefined && <Empty>{list.error}</Empty>}
        {list.matched === 0 && list.error === undefined && (
          <Empty>
            {list.total === 0 ? 'No session yet. The next INVITE appears here.' : 'No session fits the filters.'}
          </Empty>
        )}
      </div>
    </div>
  );
}

function SessionRow({ at, row, now }: { readonly at: number; readonly row: Row | undefined; readonly now: number }) {
  const place = { top: `${at * ROW}px` };
  if (row === undefined) return <div class="row waiting" role="row" style={place} aria-rowindex={at + 2} />;
  const until = 'endedAt' in row ? row.endedAt : now;
  return (
    <div class="row" role="row" style={place} aria-rowindex={at + 2}>
      <span role="cell" class="user">
        <a href={hashOf({ view: 'sessions', path: [row.id] })}>{shortUri(row.user)}</a>
      </span>
      <span role="cell">{shortUri(row.with)}</span>
      <span role="cell">{'endedAt' in row ? `${duration(now - row.endedAt)} ago` : <State path={row.state} />}</span>
      <span role="cell">{row.role === 'orig' ? 'originating' : 'terminating'}</span>
      <span role="cell">{row.mode === null ? '–' : row.mode === 'proxy' ? 'proxy' : 'B2BUA'}</span>
      <span role="cell" class="number">
        {duration(Math.max(0, until - row.startedAt))}
      </span>
      <span role="cell">{row.reason === null ? '' : words(row.reason)}</span>
      <code role="cell">{row.id}</code>
    </div>
  );
}
