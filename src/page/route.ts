/** What the page shows, as the address says it: `#/sessions/<id>?at=7`. Every view can be linked to. */

export type ViewName = 'sessions' | 'file' | 'history' | 'policy' | 'health';

export interface Route {
  readonly view: ViewName;
  /** What follows the view: a session's id; a user, a conversation, a contribution, a UID. */
  readonly path: readonly string[];
  readonly query: Readonly<Record<string, string>>;
}

const VIEWS: readonly string[] = ['sessions', 'file', 'history', 'policy', 'health'];

export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [view = '', ...rest] = path.split('/');
  return {
    view: (VIEWS.includes(view) ? view : 'sessions') as ViewName,
    path: VIEWS.includes(view) ? rest.filter((part) => part !== '').map(decoded) : [],
    query: Object.fromEntries(
      query
        .split('&')
        .filter((pair) => pair !== '')
        .map((pair) => {
          const [name = '', value = ''] = pair.split('=');
          return [decoded(name), decoded(value)];
        }),
    ),
  };
}

/** Parameters with an empty value are left out. */
export function hashOf({ view, path = [], query = {} }: Partial<Route> & { readonly view: ViewName }): string {
  const pairs = Object.entries(query)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  const parts = [view, ...path].map(encodeURIComponent).join('/');
  return `#/${parts}${pairs.length === 0 ? '' : `?${pairs.join('&')}`}`;
}

/** An address that somebody typed may be no encoding of anything. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
