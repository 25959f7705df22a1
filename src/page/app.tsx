/** The frame around the views: where one is, whether the server is heard, the token where one is needed. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { keepToken, onTokenWanted } from './api.ts';
import { type Feed, openFeed } from './feed.ts';
import { FileView } from './file-view.tsx';
import { count } from './format.ts';
import { HealthView } from './health-view.tsx';
import { HistoryView } from './history-view.tsx';
import { ServerContext, useFeed, useKeys, useRoute } from './hooks.ts';
import { type Opened, OpenedContext, readFile } from './opened.ts';
import { Dialog, KeysDialog } from './parts.tsx';
import { PolicyView } from './policy-view.tsx';
import { hashOf, type Route, type ViewName } from './route.ts';
import { SessionView } from './session-view.tsx';
import { SessionsView } from './sessions-view.tsx';

export function App() {
  const [up, setUp] = useState(true);
  const [token, setToken] = useState(0);
  const [asking, setAsking] = useState(false);
  // The feed outlives every view.
  const [feed, setFeed] = useState<Feed>();
  useEffect(() => {
    onTokenWanted(() => setAsking(true));
    setFeed(openFeed(setUp));
  }, []);
  const [opened, setOpened] = useState<Opened>();
  const files = useMemo(() => ({ opened, open }), [opened]);
  async function open(file: File): Promise<void> {
    setOpened(await readFile(file));
    location.hash = hashOf({ view: 'file' });
  }
  const server = useMemo(() => (feed === undefined ? undefined : { feed, up, token }), [feed, up, token]);
  if (server === undefined) return null;
  const give = (given: string): void => {
    keepToken(given);
    setAsking(false);
    setToken(token + 1);
    feed?.again();
  };
  return (
    <ServerContext.Provider value={server}>
      <OpenedContext.Provider value={files}>
        <Frame up={up} />
      </OpenedContext.Provider>
      {asking && <TokenDialog give={give} again={token > 0} close={() => setAsking(false)} />}
    </ServerContext.Provider>
  );
}

const VIEWS: readonly (readonly [ViewName, string])[] = [
  ['sessions', 'Sessions'],
  ['history', 'History'],
  ['policy', 'Policy lab'],
  ['health', 'Health'],
];

function Frame({ up }: { readonly up: boolean }) {
  const route = useRoute();
  const [sessions, setSessions] = useState(0);
  const [status, setStatus] = useState('ready');
  const [helping, setHelping] = useState(false);
  useFeed((told) => {
    setSessions(told.sessions);
    setStatus(told.status);
  });
  useKeys((key) => {
    const view = VIEWS[Number(key) - 1]?.[0];
    if (view !== undefined) location.hash = hashOf({ view });
    else if (key === '?') setHelping(true);
    else return false;
    return true;
  });
  return (
    <>
      <header class="frame">
        <a class="brand" href="#/sessions">
          cpm-engine
        </a>
        <nav aria-label="Views">
          {VIEWS.map(([view, title]) => (
            <a
              key={view}
              href={hashOf({ view })}
              aria-current={(route.view === 'file' ? 'sessions' : route.view) === view ? 'page' : undefined}
            >
              {title}
            </a>
          ))}
        </nav>
        <output class="live">
          <b>{count(sessions)}</b> live
        </output>
        <a class={`status ${up ? status : 'lost'}`} href="#/health">
          {up ? status : 'not heard'}
        </a>
        <button type="button" class="quiet" aria-label="Keys" title="Keys" onClick={() => setHelping(true)}>
          ?
        </button>
      </header>
      <main>
        <Shown route={route} />
      </main>
      {helping && <KeysDialog keys={KEYS} close={() => setHelping(false)} />}
    </>
  );
}

function Shown({ route }: { readonly route: Route }) {
  if (route.view === 'history') return <HistoryView route={route} />;
  if (route.view === 'policy') return <PolicyView route={route} />;
  if (route.view === 'health') return <HealthView />;
  if (route.view === 'file') return <FileView route={route} />;
  const [id] = route.path;
  return id === undefined ? <SessionsView route={route} /> : <SessionView key={id} id={id} route={route} />;
}

function TokenDialog(props: {
  readonly give: (token: string) => void;
  readonly again: boolean;
  readonly close: () => void;
}) {
  const [token, setToken] = useState('');
  const submit = (event: Event): void => {
    event.preventDefault();
    if (token !== '') props.give(token);
  };
  return (
    <Dialog title="Token" close={props.close}>
      <form onSubmit={submit}>
        <p>{props.again ? 'That token was not taken.' : 'This server asks for its bearer token (admin.token).'}</p>
        <label>
          Token
          <input
            type="password"
            autocomplete="off"
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <p class="actions">
          <button type="submit" class="main">
            Use it
          </button>
        </p>
      </form>
    </Dialog>
  );
}

const KEYS: readonly (readonly [string, string])[] = [
  ['1 2 3 4', 'sessions, history, policy lab, health'],
  ['/', 'to the filter'],
  ['↑ ↓', 'through a list or a ladder'],
  ['Enter', 'open'],
  ['← →', 'a step back or on, in a session'],
  ['Home End', 'its beginning; live again'],
  ['c', 'the next way to see the chart'],
  ['Esc', 'close the messages; back to the list'],
];
