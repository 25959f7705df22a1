/**
 * Who an address is. Over TCP whoever opens a connection has a port of the moment: its Via says where it listens
 * (RFC 3261 18.1.1), and where that is a name, it is whoever else is known at the same host.
 */
import { defaultPort } from '../../sip/message/via.ts';
import type { Heard } from '../dissector.ts';

export class Parties {
  readonly #names = new Map<string, string>();
  /** Where somebody listens, by host. */
  readonly #listening = new Map<string, Set<string>>();

  constructor(heard: readonly Heard[]) {
    for (const each of heard) if (each.kind === 'sip') this.#hear(each.to, each.opener);
    for (const each of heard) {
      if (each.kind !== 'sip' || each.message.kind !== 'request') continue;
      const name = this.#nameOf(each.from, each.message.via);
      if (name !== undefined && name !== each.from) this.#names.set(each.from, name);
    }
  }

  /** `address:port` as the party's own: the one it listens on. */
  of(address: string): string {
    return this.#names.get(address) ?? address;
  }

  #hear(to: string, opener: string | undefined): void {
    if (to === opener) return;
    const host = hostOf(to);
    const known = this.#listening.get(host);
    if (known === undefined) this.#listening.set(host, new Set([to]));
    else known.add(to);
  }

  #nameOf(
    from: string,
    via: { host: string; port: number | undefined; transport: string } | undefined,
  ): string | undefined {
    const listening = this.#listening.get(hostOf(from));
    if (via === undefined || listening?.has(from) === true) return undefined;
    const said = `${hostOf(from)}:${via.port ?? defaultPort(via.transport)}`;
    if (via.host === hostOf(from) || listening?.has(said) === true) return said;
    const [only, ...others] = listening ?? [];
    return others.length === 0 ? only : undefined;
  }
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}
