/**
 * One connection to an IMAP server, logged in for one user. Imapflow brings the transport, TLS, the login and the
 * grammar; it has one command under way at a time. A connection on which anything but a refusal went wrong is broken.
 */
import type { ImapAttribute, ImapFlow, ImapFlowOptions, ImapResponse } from 'imapflow';
import type { decodePath, encodePath } from 'imapflow/lib/tools.js';
import { StoreAway } from '../driver.ts';
import { addressOf, DEFAULT_TIMEOUT_MS, type ImapHistoryOptions } from './options.ts';

/** What a command is made of: text that is quoted where need be, bytes as a literal, lists. */
export type Argument =
  | string
  | Buffer
  | { readonly atom: string; readonly section?: readonly Argument[] }
  | { readonly sequence: string }
  | Argument[];

/** The server said NO or BAD. */
export class Refused extends Error {
  /** Response code in capitals, `TRYCREATE`; empty where there was none (RFC 5530). */
  readonly code: string;

  constructor(command: string, code: string, text: string) {
    super(`${command}: ${text || 'refused'}${code === '' ? '' : ` [${code}]`}`);
    this.code = code;
  }
}

/** Bytes a millisecond that a message may take to reach the server, beyond the ordinary limit. */
const SLOWEST = 100;

/** UIDs in one answer; nobody is sent so many messages at once. */
const MOST_UIDS = 1000;

/** Codes of a server that is there, and can do nothing for anybody now (RFC 5530). */
const AWAY = new Set(['UNAVAILABLE', 'SERVERBUG', 'CONTACTADMIN']);

/** The command queue of imapflow: typed here since its own types leave it out. */
interface Executor {
  exec(
    command: string,
    attributes: readonly unknown[],
    options: { readonly untagged: Readonly<Record<string, (response: ImapResponse) => Promise<void>>> },
  ): Promise<{ readonly response: ImapResponse; next(): void }>;
}

/** Mailbox names in modified UTF-7, and back. */
interface Names {
  readonly encodePath: typeof encodePath;
  readonly decodePath: typeof decodePath;
}

/** Loaded when the first connection is opened, so that whoever records elsewhere does not wait for it. */
let library: ReturnType<typeof load> | undefined;

async function load() {
  const { ImapFlow } = await import('imapflow');
  const names: Names = await import('imapflow/lib/tools.js');
  return { ImapFlow, names };
}

export class ImapConnection {
  readonly login: string;
  /** Hierarchy delimiter of the user's own folders, and what stands before them. */
  readonly delimiter: string;
  readonly prefix: string;
  readonly #client: ImapFlow;
  readonly #names: Names;
  readonly #options: ImapHistoryOptions;
  broken = false;
  /** It ended, and not by us. */
  onLost: () => void = () => {};

  private constructor(client: ImapFlow, login: string, names: Names, options: ImapHistoryOptions) {
    this.#client = client;
    this.#names = names;
    this.#options = options;
    this.login = login;
    this.delimiter = client.namespace?.delimiter || '/';
    this.prefix = client.namespace?.prefix ?? '';
    client.on('close', () => {
      const lost = !this.broken;
      this.broken = true;
      if (lost) this.onLost();
    });
  }

  /** Throws StoreAway where no server answers, and a plain error where it does not let this user in. */
  static async open(options: ImapHistoryOptions, login: string): Promise<ImapConnection> {
    library ??= load();
    const { ImapFlow, names } = await library;
    const client = new ImapFlow(clientOptions(options, login));
    // What breaks a connection is told by the command that was under way.
    client.on('error', () => {});
    try {
      await client.connect();
    } catch (error) {
      client.close();
      const { authenticationFailed, serverResponseCode = '' } = error as {
        authenticationFailed?: boolean;
        serverResponseCode?: string;
      };
      if (authenticationFailed === true && !AWAY.has(serverResponseCode)) {
        throw new Error(`login refused for ${login}: ${textOf(error)}`);
      }
      throw new StoreAway(`${options.url}: ${textOf(error)}`);
    }
    return new ImapConnection(client, login, names, options);
  }

  can(capability: string): boolean {
    return this.#client.capabilities.has(capability);
  }

  /** A mailbox name as it goes into a command: in modified UTF-7 (RFC 3501 5.1.3). */
  encoded(path: string): string {
    return this.#names.encodePath(this.#client as never, path);
  }

  decoded(name: string): string {
    return this.#names.decodePath(this.#client as never, name);
  }

  /** Stores a message; the UID it got, and the UIDVALIDITY, where the server tells them (RFC 4315). */
  async append(path: string, message: Buffer): Promise<{ readonly uid?: number; readonly uidValidity?: string }> {
    const stored = await this.#refusing('APPEND', message.length / SLOWEST, async () => {
      const response = await this.#client.append(path, message);
      if (!response) throw new Error('the connection was lost');
      return response;
    });
    const { uid, uidValidity } = stored;
    return {
      ...(uid === undefined ? {} : { uid }),
      ...(uidValidity === undefined ? {} : { uidValidity: `${uidValidity}` }),
    };
  }

  /**
   * Stores several messages in one command, all of them or none (RFC 3502); their UIDs as far as the server tells them.
   * Several commands under way are not to be had: imapflow sends one when the one before is answered.
   */
  async appendAll(
    path: string,
    messages: readonly Buffer[],
  ): Promise<{ readonly uids?: readonly number[]; readonly uidValidity?: string }> {
    const bytes = messages.reduce((sum, { length }) => sum + length, 0);
    return this.#refusing('APPEND', bytes / SLOWEST, async () => {
      const client = this.#client as unknown as Executor;
      const name = this.encoded(path);
      const { response, next } = await client.exec('APPEND', [name, ...messages].map(nodeOf), { untagged: {} });
      next();
      return uidsOf(response);
    });
  }

  /** Gives each untagged response of the kinds that are asked for to `each`. Throws Refused, or StoreAway. */
  async command(
    name: string,
    args: readonly Argument[],
    each: Readonly<Record<string, (response: ImapResponse) => void>> = {},
  ): Promise<void> {
    const untagged = Object.fromEntries(
      Object.entries(each).map(([kind, take]) => [kind, async (response: ImapResponse) => take(response)]),
    );
    await this.#refusing(name, 0, async () => {
      const client = this.#client as unknown as Executor;
      const { next } = await client.exec(name, args.map(nodeOf), { untagged });
      next();
    });
  }

  close(): void {
    this.broken = true;
    // Without a LOGOUT: a server that hangs would not answer it, and a shutdown would wait.
    this.#client.close();
  }

  /** Ends the connection once it has been silent for too long; a long answer may take its time. */
  #limit(allowanceMs: number): NodeJS.Timeout {
    let received = this.#client.stats().received;
    const look = (): void => {
      const { received: now } = this.#client.stats();
      if (now === received) this.#client.close();
      received = now;
    };
    return setInterval(look, (this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS) + allowanceMs);
  }

  async #refusing<T>(command: string, allowanceMs: number, work: () => Promise<T>): Promise<T> {
    const limit = this.#limit(allowanceMs);
    try {
      return await work();
    } catch (error) {
      const { responseStatus, response, serverResponseCode } = error as Failure;
      if (responseStatus === 'NO' || responseStatus === 'BAD' || serverResponseCode === 'APPENDLIMIT') {
        const refused = new Refused(command, serverResponseCode ?? codeOf(response), textOf(error));
        if (!AWAY.has(refused.code)) throw refused;
      }
      this.#client.close();
      throw new StoreAway(`${this.#options.url}: ${command}: ${textOf(error)}`);
    } finally {
      clearInterval(limit);
    }
  }
}

interface Failure {
  readonly responseStatus?: string;
  readonly responseText?: string;
  readonly response?: ImapResponse | string;
  readonly serverResponseCode?: string;
  readonly message: string;
}

function clientOptions(options: ImapHistoryOptions, login: string): ImapFlowOptions {
  const { url, masterUser, password, starttls, ca, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const { host, port, secure } = addressOf(url);
  const pass = typeof password === 'string' ? password : password(login);
  const loopback = host === 'localhost' || host === '::1' || host.startsWith('127.');
  return {
    host,
    port,
    secure,
    // Without a word, a password never crosses a network in the clear.
    ...(secure || (loopback && starttls === undefined) ? {} : { doSTARTTLS: starttls !== 'off' }),
    auth:
      masterUser === undefined
        ? { user: login, pass }
        : { user: masterUser, pass, authzid: login, loginMethod: 'AUTH=PLAIN' },
    ...(ca === undefined ? {} : { tls: { ca } }),
    logger: false,
    disableAutoIdle: true,
    // Names are in modified UTF-7 then, whatever else the server can do.
    disableAutoEnable: true,
    disableCompression: true,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
  };
}

function nodeOf(argument: Argument): unknown {
  if (typeof argument === 'string') return { type: 'STRING', value: argument };
  if (Buffer.isBuffer(argument)) return { type: 'LITERAL', value: argument };
  if (Array.isArray(argument)) return argument.map(nodeOf);
  if ('sequence' in argument) return { type: 'SEQUENCE', value: argument.sequence };
  const { atom, section } = argument;
  return { type: 'ATOM', value: atom, ...(section === undefined ? {} : { section: section.map(nodeOf) }) };
}

function codeOf(response: Failure['response']): string {
  const first = typeof response === 'object' ? response.attributes?.[0] : undefined;
  const code = first?.section?.[0]?.value;
  return typeof code === 'string' ? code.toUpperCase() : '';
}

function textOf(error: unknown): string {
  const { responseText, response, message } = error as Failure;
  return responseText ?? (typeof response === 'string' ? response : message);
}

/** RFC 4315 3: `APPENDUID`, the UIDVALIDITY and a set of UIDs, `304:306` or `304,306`, in the order of the messages. */
function uidsOf(response: ImapResponse): { readonly uids?: readonly number[]; readonly uidValidity?: string } {
  const [code, uidValidity, set] = response.attributes?.[0]?.section ?? [];
  if (tokenText(code).toUpperCase() !== 'APPENDUID') return {};
  const uids = tokenText(set)
    .split(',')
    .flatMap((range) => {
      const [first = Number.NaN, last = first] = range.split(':').map(Number);
      const count = last - first + 1;
      return count > 0 && count <= MOST_UIDS ? Array.from({ length: count }, (_, at) => first + at) : [];
    });
  return { uids, uidValidity: tokenText(uidValidity) };
}

/** The text of a token; empty for NIL and lists. */
export function tokenText(token: ImapAttribute | undefined): string {
  const value = token?.value;
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  return value === null || value === undefined ? '' : String(value);
}
