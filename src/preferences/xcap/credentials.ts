/** How the function shows an XCAP server who it is: HTTP digest (RFC 7616) or a bearer token (RFC 6750). */
import { createHash } from 'node:crypto';

export type CredentialsOptions =
  | { readonly type: 'digest'; readonly username: string; readonly password: string }
  | { readonly type: 'bearer'; readonly token: string };

export interface Credentials {
  /** Authorization of a request; undefined where there is nothing to say yet. */
  authorization(method: string, uri: string): string | undefined;
  /** Takes the WWW-Authenticate of a 401. True where another try may succeed. */
  challenged(header: string): boolean;
}

export function credentialsOf(options: CredentialsOptions | undefined, cnonce: () => string): Credentials {
  if (options === undefined) return { authorization: () => undefined, challenged: () => false };
  if (options.type === 'bearer') {
    return { authorization: () => `Bearer ${options.token}`, challenged: () => false };
  }
  return new Digest(options.username, options.password, cnonce);
}

interface Challenge {
  readonly algorithm: Algorithm;
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly qop: boolean;
}

/** RFC 7616 3.3 names to those of OpenSSL, the stronger first. */
const HASHES = { 'SHA-256': 'sha256', MD5: 'md5' } as const;
type Algorithm = keyof typeof HASHES;

/** One nonce serves many requests, counted up, until the server wants another (RFC 7616 3.4). */
class Digest implements Credentials {
  readonly #username: string;
  readonly #password: string;
  readonly #cnonce: () => string;
  #challenge: Challenge | undefined;
  #count = 0;

  constructor(username: string, password: string, cnonce: () => string) {
    this.#username = username;
    this.#password = password;
    this.#cnonce = cnonce;
  }

  challenged(header: string): boolean {
    const challenge = challengeIn(header);
    if (challenge === undefined) return false;
    // Requests that were under way together are challenged alike; a count that is used twice looks like a replay.
    if (challenge.nonce !== this.#challenge?.nonce) this.#count = 0;
    this.#challenge = challenge;
    return true;
  }

  authorization(method: string, uri: string): string | undefined {
    const challenge = this.#challenge;
    if (challenge === undefined) return undefined;
    const { algorithm, realm, nonce, opaque, qop } = challenge;
    const hash = (text: string): string => createHash(HASHES[algorithm]).update(text).digest('hex');
    const count = (++this.#count).toString(16).padStart(8, '0');
    const cnonce = this.#cnonce();
    const secret = hash(`${this.#username}:${realm}:${this.#password}`);
    const request = hash(`${method}:${uri}`);
    const response = qop
      ? hash(`${secret}:${nonce}:${count}:${cnonce}:auth:${request}`)
      : hash(`${secret}:${nonce}:${request}`);
    return [
      `Digest username=${quoted(this.#username)}, realm=${quoted(realm)}, nonce=${quoted(nonce)}, uri=${quoted(uri)}`,
      `response="${response}", algorithm=${algorithm}`,
      ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
      ...(qop ? [`qop=auth, nc=${count}, cnonce="${cnonce}"`] : []),
    ].join(', ');
  }
}

const PARAMETER = /([\w-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+)/g;

/** The best digest challenge among those of a header. */
function challengeIn(header: string): Challenge | undefined {
  const challenges = header
    .split(/(?:^|[,\s])(?=Digest\s)/i)
    .flatMap((text) => (/^\s*Digest\s/i.test(text) ? (challengeOf(text) ?? []) : []));
  return challenges.find(({ algorithm }) => algorithm === 'SHA-256') ?? challenges[0];
}

function challengeOf(text: string): Challenge | undefined {
  const parameters = new Map<string, string>();
  for (const [, name = '', value = ''] of text.matchAll(PARAMETER)) {
    parameters.set(name.toLowerCase(), value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value);
  }
  const algorithm = (parameters.get('algorithm') ?? 'MD5').toUpperCase();
  const nonce = parameters.get('nonce');
  const offered = parameters.get('qop')?.split(/\s*,\s*/);
  if (nonce === undefined || !isAlgorithm(algorithm)) return undefined;
  // Protection of the body alone (auth-int) is not offered back; RFC 7616 3.3 lets the client choose among the values.
  if (offered !== undefined && !offered.includes('auth')) return undefined;
  return {
    algorithm,
    realm: parameters.get('realm') ?? '',
    nonce,
    opaque: parameters.get('opaque'),
    qop: offered !== undefined,
  };
}

function isAlgorithm(name: string): name is Algorithm {
  return name in HASHES;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
