/** A running server, asked through its admin address. */
import { readSecret } from '../config/secrets.ts';
import { CommandFailed } from './output.ts';

export interface AdminOptions {
  /** Base URL, `http://127.0.0.1:8080`. */
  readonly admin: string;
  /** `env:NAME` or `file:PATH`. */
  readonly token?: string;
}

export async function ask<T>(options: AdminOptions, method: 'GET' | 'POST', path: string, body?: string): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.token !== undefined) headers.authorization = `Bearer ${readSecret(options.token)}`;
  if (body !== undefined) headers['content-type'] = 'application/sip';
  let response: Response;
  try {
    response = await fetch(new URL(path, options.admin), { method, headers, ...(body === undefined ? {} : { body }) });
  } catch (error) {
    const cause = (error as { cause?: Error }).cause?.message ?? (error as Error).message;
    throw new CommandFailed(`no server answers at ${options.admin} (${cause}); start one, or name it with --admin`);
  }
  const answer = (await response.json()) as T & { error?: string };
  if (!response.ok) throw new CommandFailed(answer.error ?? `${options.admin} answered ${response.status}`);
  return answer;
}
