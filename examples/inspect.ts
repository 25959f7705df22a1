/**
 * Watches the sessions of a running server, as Stately's inspector would: the receiver of `@statelyai/inspect` reads
 * `WS /inspect`, and each session's way through its states is printed until it ends.
 *
 *   cpm-engine demo --serve=yes --config pf.yaml
 *   node examples/inspect.ts http://127.0.0.1:8080 'state=interworking&limit=10'
 *
 * Needs `npm install @statelyai/inspect`. With `admin.token` set, give it in the variable CPM_ADMIN_TOKEN.
 */
import { pathToFileURL } from 'node:url';
import { createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';

export interface Watching {
  /** `http://127.0.0.1:8080` */
  readonly admin: string;
  /** Which sessions: `session=ID`, `state=…`, `user=…`, `reason=…`, `sample=0.01`, `limit=10`; all without. */
  readonly query?: string;
  readonly token?: string;
  /** Ends the program; without, it goes on until Ctrl-C. */
  readonly until?: (frame: StatelyInspectionEvent) => boolean;
}

/** A WebSocket of a browser has no place for a bearer token, so the token buys a ticket for one connection. */
async function ticket(admin: string, token: string): Promise<string> {
  const answer = await fetch(`${admin}/api/inspect/ticket`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  if (!answer.ok) throw new Error(`${admin} answers ${answer.status}`);
  return ((await answer.json()) as { ticket: string }).ticket;
}

/** `b2buaEstablished.steady, recording live`; a session that is not recorded has the one region only. */
function placeOf(value: unknown): string {
  const { call = value, recording } = value as { call?: unknown; recording?: string };
  const path =
    typeof call === 'string'
      ? call
      : Object.entries(call as object)
          .flat()
          .join('.');
  return recording === undefined ? path : `${path}, recording ${recording}`;
}

export async function main(print: (line: string) => void, watching: Watching): Promise<void> {
  const { admin, token, until = () => false } = watching;
  const query = new URLSearchParams(watching.query);
  if (token !== undefined) query.set('ticket', await ticket(admin, token));
  const receiver = createWebSocketReceiver({ server: `${admin.replace('http', 'ws')}/inspect?${query}` });
  await new Promise<void>((resolve) => {
    receiver.subscribe((frame) => {
      if (frame.type === '@xstate.actor') print(`${frame.sessionId} is in ${placeOf(frame.snapshot.value)}`);
      if (frame.type === '@xstate.snapshot') {
        const { status, value } = frame.snapshot as { status: string; value?: unknown };
        const now = status === 'active' ? `-> ${placeOf(value)}` : 'is over';
        print(`${frame.sessionId} ${status === 'active' ? frame.event.type : ''} ${now}`.replace('  ', ' '));
      }
      if (until(frame)) resolve();
    });
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [, , admin = 'http://127.0.0.1:8080', query = ''] = process.argv;
  const token = process.env.CPM_ADMIN_TOKEN;
  await main(console.log, { admin, query, ...(token === undefined ? {} : { token }) });
}
