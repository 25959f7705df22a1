/** One GET to an XCAP server: conditional, bounded in time and bytes, never to another host. */
import type { Clock } from '../../time/clock.ts';
import type { Credentials } from './credentials.ts';
import { XcapFailure } from './failure.ts';

export interface RequestOptions {
  readonly clock: Clock;
  readonly credentials: Credentials;
  /** ms for the whole of a request. */
  readonly requestTimeoutMs: number;
  readonly maxDocumentBytes: number;
}

export interface Question {
  readonly url: string;
  /** Entity tag of what is known already. */
  readonly etag: string | undefined;
  /** Value of X-3GPP-Asserted-Identity (TS 24.109); undefined sends none. */
  readonly identity: string | undefined;
}

/** `unchanged`: what is known still holds; `absent`: there is no such document. */
export type Reply =
  | { readonly kind: 'document'; readonly text: string; readonly etag: string | undefined }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'absent' };

const MAX_REDIRECTS = 2;

/** Rejects with an {@link XcapFailure}. `closing` ends it early. */
export async function request(question: Question, options: RequestOptions, closing: AbortSignal): Promise<Reply> {
  const limit = new AbortController();
  const timer = options.clock.schedule(options.requestTimeoutMs, { onTimer: () => limit.abort() }, 'xcapRequest');
  const signal = AbortSignal.any([limit.signal, closing]);
  try {
    return await asked(question, options, signal);
  } catch (error) {
    if (error instanceof XcapFailure) throw error;
    if (limit.signal.aborted) throw new XcapFailure('timeout', `no answer within ${options.requestTimeoutMs} ms`);
    throw new XcapFailure('transport', reasonOf(error as Error));
  } finally {
    timer.cancel();
  }
}

function reasonOf(error: Error): string {
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return cause?.code ?? cause?.message ?? error.message;
}

async function asked(question: Question, options: RequestOptions, signal: AbortSignal): Promise<Reply> {
  let url = new URL(question.url);
  let challenged = false;
  for (let redirects = 0; ; ) {
    const response = await fetch(url, { headers: headersFor(url, question, options), redirect: 'manual', signal });
    if (response.status === 200) return { kind: 'document', ...(await documentIn(response, options)) };
    await response.body?.cancel();
    if (response.status === 304) return { kind: 'unchanged' };
    if (response.status === 404) return { kind: 'absent' };
    if (response.status === 401 && !challenged && options.credentials.challenged(challengeOf(response))) {
      challenged = true;
    } else if (isRedirect(response.status) && redirects < MAX_REDIRECTS) {
      url = redirected(url, response);
      redirects++;
    } else throw refused(response.status);
  }
}

function headersFor(url: URL, { etag, identity }: Question, { credentials }: RequestOptions): Headers {
  // A compressed answer could be a thousand times what comes over the wire; plain ones are small enough.
  const headers = new Headers({ accept: 'application/xml, */*;q=0.5', 'accept-encoding': 'identity' });
  if (etag !== undefined) headers.set('if-none-match', etag);
  if (identity !== undefined) headers.set('x-3gpp-asserted-identity', `"${identity}"`);
  const authorization = credentials.authorization('GET', url.pathname + url.search);
  if (authorization !== undefined) headers.set('authorization', authorization);
  return headers;
}

function challengeOf(response: Response): string {
  return response.headers.get('www-authenticate') ?? '';
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

/** Our identity and secrets are for this server alone. */
function redirected(from: URL, response: Response): URL {
  const location = response.headers.get('location') ?? '';
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (to?.origin !== from.origin || to.username !== '') {
    throw new XcapFailure('redirect', `it sends us to another host${to === undefined ? '' : `: ${to.host}`}`);
  }
  return to;
}

function refused(status: number): XcapFailure {
  if (status === 401 || status === 403) return new XcapFailure('unauthorized', `it answers ${status}`);
  return isRedirect(status)
    ? new XcapFailure('redirect', 'it sends us round and round')
    : new XcapFailure('status', `it answers ${status}`);
}

/** The body as text, given up as soon as it is too large. */
async function documentIn(
  response: Response,
  { maxDocumentBytes }: RequestOptions,
): Promise<{ text: string; etag: string | undefined }> {
  const tooLarge = new XcapFailure('tooLarge', `a document is larger than ${maxDocumentBytes} bytes`);
  const chunks: Uint8Array[] = [];
  let size = Number(response.headers.get('content-length') ?? 0) > maxDocumentBytes ? Number.POSITIVE_INFINITY : 0;
  const reader = response.body?.getReader();
  while (reader !== undefined && size <= maxDocumentBytes) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    chunks.push(value);
  }
  if (size > maxDocumentBytes) {
    await reader?.cancel();
    throw tooLarge;
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
    return { text, etag: response.headers.get('etag') ?? undefined };
  } catch {
    throw new XcapFailure('malformed', 'a document is not in UTF-8');
  }
}
