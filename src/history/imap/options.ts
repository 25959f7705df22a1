/** What the IMAP store is told, and what follows from it for one user. */

export interface ImapHistoryOptions {
  /** `imap://host:143`, or `imaps://host:993` for TLS from the first byte. */
  readonly url: string;
  /**
   * Login name; `{user}` stands for the user's address without its scheme. `{user}*master` is the master user of a
   * server with such names. Default `{user}`.
   */
  readonly user?: string;
  /** Logs in by this name, with its password, to act for the user (SASL PLAIN, RFC 4616). */
  readonly masterUser?: string;
  /** The same for all, or by login name. */
  readonly password: string | ((login: string) => string);
  /** Folder that holds the conversations; `/` goes down one level. Default `Default`. */
  readonly root?: string;
  /** Connections at a time, all users together. Default 4. */
  readonly connections?: number;
  /** STARTTLS on an `imap:` URL. By default required, but only taken where it is offered on loopback. */
  readonly starttls?: 'required' | 'off';
  /** PEM text of the authorities that the server is checked against; by default those of Node. */
  readonly ca?: string;
  /** Metadata entries of the pointers are below it. Default `/shared/OMNA/OMACPM20/`. */
  readonly metadataPrefix?: string;
  /** Longest wait for a connection, and for an answer, ms. Default 10 000. */
  readonly timeoutMs?: number;
}

export const DEFAULT_CONNECTIONS = 4;
export const DEFAULT_ROOT = 'Default';
export const DEFAULT_METADATA_PREFIX = '/shared/OMNA/OMACPM20/';
export const DEFAULT_TIMEOUT_MS = 10_000;

/** Letters that neither a server's user database nor a master user's separator gives a meaning to. */
const LOGIN = /^[A-Za-z0-9_+-][\w.+@-]{0,254}$/;

/**
 * The login name for a user's address: `sip:alice@home.example` is `alice@home.example`. Throws for what could be
 * read as something else than a plain name, since a caller chooses the addresses that unknown users are served by.
 */
export function loginOf(user: string, template = '{user}'): string {
  const name = user.replace(/^[a-z][a-z0-9+.-]*:/i, '').replace(/[;?].*$/s, '');
  if (!LOGIN.test(name)) throw new Error(`${JSON.stringify(user)} can not be a login name`);
  return template.replaceAll('{user}', name);
}

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

/** Throws a TypeError where it is no imap: or imaps: URL. */
export function addressOf(url: string): Address {
  const [, scheme = '', host = '', port] =
    /^(imaps?):\/\/(\[[\da-f:.]+\]|[^/:@\s]+)(?::(\d{1,5}))?\/?$/i.exec(url) ?? [];
  if (host === '' || Number(port ?? 1) > 65_535) {
    throw new TypeError(`${url}: expected imap://host:port or imaps://host:port`);
  }
  const secure = scheme.toLowerCase() === 'imaps';
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? (secure ? 993 : 143)), secure };
}
