/** What has been recorded: a user's conversations, the sessions in each, the objects of a session, one object whole. */
import { useEffect, useState } from 'preact/hooks';
import { answer } from './api.ts';
import { shortUri, size } from './format.ts';
import { useAsked } from './hooks.ts';
import { Empty, Facts, Panel } from './parts.tsx';
import { hashOf, type Route } from './route.ts';
import { indented, kindOf, type Stored, storedObject } from './stored.ts';
import type { EndedList, Folder, FolderContent, SessionList } from './told.ts';

export function HistoryView({ route }: { readonly route: Route }) {
  const [user, conversation, contribution, uid] = route.path;
  const [typed, setTyped] = useState(user ?? '');
  useEffect(() => setTyped(user ?? ''), [user]);
  const users = useUsers();
  const show = (event: Event): void => {
    event.preventDefault();
    location.hash = hashOf({ view: 'history', path: [typed.trim()] });
  };
  return (
    <div class="history">
      <div class="toolbar">
        <h1 class="hidden">History</h1>
        <form onSubmit={show}>
          <label>
            User
            <input
              list="users"
              size={36}
              placeholder="sip:alice@home.example"
              value={typed}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          </label>
          <datalist id="users">
            {users.map((known) => (
              <option key={known} value={known} />
            ))}
          </datalist>
          <button type="submit">Show</button>
        </form>
        {user === undefined &&
          users.slice(0, 8).map((known) => (
            <a key={known} class="button" href={hashOf({ view: 'history', path: [known] })}>
              {shortUri(known)}
            </a>
          ))}
      </div>
      {user === undefined ? (
        <Empty>Whose history? The users of live and late sessions are offered above.</Empty>
      ) : (
        <div class="history-columns">
          <Folders user={user} chosen={`${conversation}/${contribution}`} />
          {conversation !== undefined && contribution !== undefined && (
            <Objects user={user} conversation={conversation} contribution={contribution} chosen={uid} />
          )}
          {uid !== undefined && <StoredObject path={apiPath(route.path)} uid={uid} />}
        </div>
      )}
    </div>
  );
}

/** Users of sessions that live or have ended lately. */
function useUsers(): readonly string[] {
  const live = useAsked<SessionList>('/api/sessions?limit=200&order=newest');
  const ended = useAsked<EndedList>('/api/sessions/ended?limit=200');
  const all = [...(live.data?.sessions ?? []), ...(ended.data?.sessions ?? [])].map((session) => session.user);
  // A masked number names nobody.
  return [...new Set(all)].filter((user) => !user.includes('*')).sort();
}

function apiPath(path: readonly string[]): string {
  return `/api/history/${path.map(encodeURIComponent).join('/')}`;
}

function Folders({ user, chosen }: { readonly user: string; readonly chosen: string }) {
  const { data, error } = useAsked<{ folders: readonly Folder[] }>(apiPath([user]));
  const conversations = new Map<string, Folder[]>();
  for (const folder of data?.folders ?? []) {
    conversations.set(folder.conversationId, [...(conversations.get(folder.conversationId) ?? []), folder]);
  }
  return (
    <Panel title="Conversations" class="folders">
      {error !== undefined && <Empty>{error}</Empty>}
      {data?.folders.length === 0 && <Empty>Nothing is recorded for {user}.</Empty>}
      {[...conversations].reverse().map(([conversation, folders]) => (
        <section key={conversation} aria-label={`Conversation ${conversation}`}>
          <h3>{conversation}</h3>
          <ul>
            {folders.map(({ contributionId, objects }) => (
              <li key={contributionId}>
                <a
                  href={hashOf({ view: 'history', path: [user, conversation, contributionId] })}
                  aria-current={chosen === `${conversation}/${contributionId}` ? 'true' : undefined}
                >
                  <code>{contributionId}</code>
                  <span>{objects === 1 ? '1 object' : `${objects} objects`}</span>
                </a>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </Panel>
  );
}

interface ObjectsProps {
  readonly user: string;
  readonly conversation: string;
  readonly contribution: string;
  readonly chosen: string | undefined;
}

function Objects({ user, conversation, contribution, chosen }: ObjectsProps) {
  const path = [user, conversation, contribution];
  const { data, error } = useAsked<FolderContent>(apiPath(path));
  const pointers = Object.entries(data?.pointers ?? {});
  return (
    <Panel title="Session" class="objects">
      {error !== undefined && <Empty>{error}</Empty>}
      <Facts of={pointers.map(([name, uid]) => [name, `UID ${uid}`] as const)} />
      <table>
        <thead>
          <tr>
            <th scope="col">UID</th>
            <th scope="col">Object</th>
            <th scope="col">Date</th>
            <th scope="col" class="number">
              Size
            </th>
          </tr>
        </thead>
        <tbody>
          {data?.objects.map(({ uid, type, date, bytes }) => (
            <tr key={uid} class={chosen === String(uid) ? 'chosen' : ''}>
              <td>{uid}</td>
              <td>
                <a href={hashOf({ view: 'history', path: [...path, String(uid)] })}>{kindOf(type)}</a>
                {pointers
                  .filter(([, pointed]) => pointed === uid)
                  .map(([name]) => (
                    <span key={name} class="pointer">
                      ◂ {name}
                    </span>
                  ))}
              </td>
              <td>{date.replace(/ [+-]\d{4}$/, '')}</td>
              <td class="number">{size(bytes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function StoredObject({ path, uid }: { readonly path: string; readonly uid: string }) {
  const [state, setState] = useState<{ path: string; object?: Stored; error?: string }>({ path });
  useEffect(() => {
    const stop = new AbortController();
    answer(path, { signal: stop.signal })
      .then(async (response) => setState({ path, object: storedObject(await response.text()) }))
      .catch((error: Error) => {
        if (!stop.signal.aborted) setState({ path, error: error.message });
      });
    return () => stop.abort();
  }, [path]);
  const { object, error } = state;
  const type = object?.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  return (
    <Panel title={object === undefined ? `UID ${uid}` : `${kindOf(type)}, UID ${uid}`} class="object">
      {error !== undefined && <Empty>{error}</Empty>}
      {object !== undefined && (
        <>
          <Facts of={object.headers} />
          <pre>{indented(object.body)}</pre>
        </>
      )}
    </Panel>
  );
}
