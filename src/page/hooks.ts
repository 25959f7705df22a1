/** What the views share: the address, the server's clock, questions that are asked again. */
import { createContext } from 'preact';
import { useCallback, useContext, useEffect, useRef, useState } from 'preact/hooks';
import { ask } from './api.ts';
import type { Feed } from './feed.ts';
import { type Route, routeOf } from './route.ts';
import type { Told } from './told.ts';

export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location.hash));
  useEffect(() => {
    const follow = (): void => setRoute(routeOf(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return route;
}

export interface Server {
  readonly feed: Feed;
  /** False while the server is not heard. */
  readonly up: boolean;
  /** Goes up with each token that is given, so that what was refused is asked again. */
  readonly token: number;
}

export const ServerContext = createContext<Server>({
  feed: { listen: () => () => {}, again: () => {} },
  up: true,
  token: 0,
});

/** Calls `hear` with each message of the feed. */
export function useFeed(hear: (told: Told) => void): void {
  const { feed } = useContext(ServerContext);
  const latest = useRef(hear);
  latest.current = hear;
  useEffect(() => feed.listen((told) => latest.current(told)), [feed]);
}

export interface Asked<T> {
  readonly data: T | undefined;
  readonly error: string | undefined;
  /** Asks again; what is shown stays until the answer is there. */
  readonly again: () => void;
}

/** The answer to a question; null asks nothing. */
export function useAsked<T>(path: string | null): Asked<T> {
  const { token } = useContext(ServerContext);
  const [state, setState] = useState<{ path: string | null; data?: T; error?: string }>({ path });
  const [round, setRound] = useState(0);
  const again = useCallback(() => setRound((before) => before + 1), []);
  // A new round or token asks the same again
  useEffect(() => {
    if (path === null) return;
    const stop = new AbortController();
    ask<T>(path, { signal: stop.signal }).then(
      (data) => setState({ path, data }),
      (error: Error) => {
        if (!stop.signal.aborted) setState({ path, error: error.message });
      },
    );
    return () => stop.abort();
  }, [path, round, token]);
  const current = state.path === path;
  return { data: current ? state.data : undefined, error: current ? state.error : undefined, again };
}

/** The server's time, renewed so often; ms since the epoch. */
export function useServerTime(everyMs: number): number {
  const ahead = useRef(0);
  const [now, setNow] = useState(() => Date.now());
  useFeed((told) => {
    ahead.current = told.now - Date.now();
  });
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now + ahead.current;
}

/** Keys that mean something wherever one is, but not while one writes. */
export function useKeys(act: (key: string, event: KeyboardEvent) => boolean): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const at = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null) return;
      if (/^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName) && !(at instanceof HTMLInputElement && at.type === 'range'))
        return;
      if (latest.current(event.key, event)) event.preventDefault();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
}
