/** Questions to the server, with the token where one is needed. It is kept for this tab, until it is closed. */

const TOKEN = 'cpm-engine.token';

export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

let tokenWanted: () => void = () => {};

/** `listener` is told when the server asks for a token, or does not take the one it got. */
export function onTokenWanted(listener: () => void): void {
  tokenWanted = listener;
}

export function keepToken(token: string): void {
  sessionStorage.setItem(TOKEN, token);
}

function headersWith(more: Record<string, string>): Record<string, string> {
  const token = sessionStorage.getItem(TOKEN);
  return token === null ? more : { ...more, authorization: `Bearer ${token}` };
}

export interface Question {
  readonly method?: 'GET' | 'POST';
  readonly json?: unknown;
  readonly signal?: AbortSignal;
}

/** The answer as it comes. Throws {@link Refused} for anything but a 2xx. */
export async function answer(path: string, { method = 'GET', json, signal }: Question = {}): Promise<Response> {
  const response = await fetch(path, {
    method,
    headers: headersWith(json === undefined ? {} : { 'content-type': 'application/json' }),
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.ok) return response;
  if (response.status === 401) tokenWanted();
  const { error } = (await response.json().catch(() => ({}))) as { error?: string };
  throw new Refused(response.status, error ?? `${response.status} ${response.statusText}`);
}

export async function ask<T>(path: string, question: Question = {}): Promise<T> {
  return (await answer(path, question)).json() as Promise<T>;
}
