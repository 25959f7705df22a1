/** `cpm-engine deferred`: messages a running server keeps for users who are not there; removing one. */
import type { DeferredMessage } from '../admin/deferred.ts';
import { type AdminOptions, ask } from './admin-client.ts';
import { limitOf, print, table } from './output.ts';

export interface DeferredOptions extends AdminOptions {
  readonly json?: boolean;
  readonly user?: string;
  readonly limit?: string;
}

export async function listDeferred(options: DeferredOptions): Promise<void> {
  const query = new URLSearchParams({ limit: limitOf(options.limit) });
  if (options.user !== undefined) query.set('user', options.user);
  const path = `/api/deferred?${query}`;
  const told = await ask<{ total: number; matched: number; messages: DeferredMessage[] }>(options, 'GET', path);
  if (options.json) return print(JSON.stringify(told, null, 2));
  const { total, matched, messages } = told;
  if (messages.length === 0) return print(total === 0 ? 'no messages are kept' : `none of ${total} messages fits`);
  const rows = messages.map(({ id, user, from, state, tries, bytes, at, expiresAt }) => [
    id,
    user,
    from,
    state,
    String(tries),
    `${bytes} B`,
    timeOf(at),
    expiresAt === null ? '' : timeOf(expiresAt),
  ]);
  print(table(['ID', 'FOR', 'FROM', 'STATE', 'TRIES', 'SIZE', 'SINCE', 'UNTIL'], rows));
  if (messages.length < matched) print(`${messages.length} of ${matched}; more with --limit`);
}

export async function dropDeferred(id: string, options: DeferredOptions): Promise<void> {
  await ask(options, 'POST', `/api/deferred/${encodeURIComponent(id)}/drop`);
  print(options.json ? JSON.stringify({ dropped: id }) : `dropped ${id}`);
}

function timeOf(at: number): string {
  return new Date(at).toISOString().replace('T', ' ').slice(0, 19);
}
