/** `cpm-engine sessions`: what lives on a running server, one session in detail, ending one. */
import { writeFileSync } from 'node:fs';
import type { LadderEntry } from '../../inspect/ladder.ts';
import type { SessionSummary } from '../admin/views.ts';
import { type AdminOptions, ask, askText } from './admin-client.ts';
import { CommandFailed, limitOf, print, table } from './output.ts';

export interface SessionsOptions extends AdminOptions {
  readonly json?: boolean;
  readonly state?: string;
  readonly user?: string;
  readonly limit?: string;
}

export async function listSessions(options: SessionsOptions): Promise<void> {
  const query = new URLSearchParams({ limit: limitOf(options.limit) });
  for (const name of ['state', 'user'] as const) {
    const value = options[name];
    if (value !== undefined) query.set(name, value);
  }
  const path = `/api/sessions?${query}`;
  const { total, sessions } = await ask<{ total: number; sessions: SessionSummary[] }>(options, 'GET', path);
  if (options.json) return print(JSON.stringify({ total, sessions }, null, 2));
  if (sessions.length === 0) return print(total === 0 ? 'no sessions' : `none of ${total} sessions fits`);
  const rows = sessions.map(({ id, state, role, mode, user, to, seconds }) => [
    id,
    state,
    role,
    mode ?? '',
    user,
    to,
    `${seconds} s`,
  ]);
  print(table(['ID', 'STATE', 'ROLE', 'MODE', 'USER', 'TO', 'AGE'], rows));
  if (sessions.length < total) print(`${sessions.length} of ${total}; more with --limit`);
}

export async function showSession(id: string, options: SessionsOptions): Promise<void> {
  const path = `/api/sessions/${encodeURIComponent(id)}`;
  const details = await ask<Record<string, unknown>>(options, 'GET', path);
  const ladder = await ask<{ entries: LadderEntry[]; text: string[] }>(options, 'GET', `${path}/ladder`);
  if (options.json) return print(JSON.stringify({ ...details, ladder: ladder.entries }, null, 2));
  for (const [name, value] of Object.entries(details)) {
    print(`${name.padEnd(16)} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`);
  }
  print();
  for (const line of ladder.text) print(line);
}

/** Writes the session as a file that the page and `cpm-engine ladder` open; `-` is standard output. */
export async function exportSession(id: string, options: SessionsOptions & { readonly to: string }): Promise<void> {
  const file = await askText(options, `/api/sessions/${encodeURIComponent(id)}/export`);
  if (options.to === '-') return print(file);
  try {
    writeFileSync(options.to, file);
  } catch (error) {
    throw new CommandFailed(`${options.to}: ${(error as Error).message}`);
  }
  print(options.json ? JSON.stringify({ exported: id, to: options.to }) : `written: ${options.to}`);
}

export async function endSession(id: string, options: SessionsOptions): Promise<void> {
  await ask(options, 'POST', `/api/sessions/${encodeURIComponent(id)}/end`);
  print(options.json ? JSON.stringify({ ending: id }) : `ending ${id}`);
}
