/** A running server, asked through its admin address. */
import { readSecret } from '../config/secrets.ts';
import { CommandFailed, UsageError } from './output.ts';

export interface AdminOptions {
  /** Base URL, `http://127.0.0.1:8080`. */
  readonly admin: string;
  /** `env:NAME` or `file:PATH`. */
  readonly token?: string;
}

/** @param type of the body: a SIP message, where nothing else is said */
export async function ask<T>(
  options: AdminOptions,
  method: 'GET' | 'POST',
  path: string,
  body?: string,
  type = 'application/sip',
): Promise<T> {
  const response = await request(options, method, path, body, type);
  const answer = await jsonOf<T & { error?: string }>(response);
  if (response.ok && answer !== undefined) return answer;
  throw refusal(options, response, answer?.error);
}

/** As {@link ask}, for what is no JSON. */
export async function askText(options: AdminOptions, path: string): Promise<string> {
  const response = await request(options, 'GET', path);
  if (response.ok) return response.text();
  throw refusal(options, response, (await jsonOf<{ error?: string }>(response))?.error);
}

async function request(
  options: AdminOptions,
  method: string,
  path: string,
  body?: string,
  type = '',
): Promise<Response> {
  const url = urlOf(options.admin, path);
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.token !== undefined) headers.authorization = `Bearer ${tokenOf(options.token)}`;
  if (body !== undefined) headers['content-type'] = type;
  try {
    return await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
  } catch (error) {
    const cause = (error as { cause?: Error }).cause?.message ?? (error as Error).message;
    throw new CommandFailed(`no server answers at ${options.admin} (${cause}); start one, or name it with --admin`);
  }
}

function refusal({ admin }: AdminOptions, { status }: Response, error: string | undefined): CommandFailed {
  if (status === 401) return new CommandFailed(`${admin} wants a token; give it with --token`);
  return new CommandFailed(error ?? `${admin} is no cpm-engine: it answered ${status}`);
}

function urlOf(admin: string, path: string): URL {
  if (!/^https?:\/\//.test(admin) || !URL.canParse(admin)) {
    throw new UsageError(`--admin ${admin}: expected an address such as http://127.0.0.1:8080`);
  }
  return new URL(path, admin);
}

function tokenOf(reference: string): string {
  try {
    return readSecret(reference);
  } catch (error) {
    throw new UsageError(`--token: ${(error as Error).message}`);
  }
}

/** Undefined where it is not JSON: something else answers there. */
async function jsonOf<T>(response: Response): Promise<T | undefined> {
  try {
    return (await response.json()) as T;
  } catch {
    return undefined;
  }
}
