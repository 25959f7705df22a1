/** Registration state as the core reports it: `application/reginfo+xml` (RFC 3680 5), with GRUUs (RFC 5628). */
import type { RegisteredClient } from '../../machines/session/policy.ts';
import { type Element, named, parseXml } from '../xml/xml.ts';
import { clientOf } from './client.ts';

interface Contact {
  readonly client: RegisteredClient;
  /** Seconds it still lasts; null where it does not say. */
  readonly expires: number | null;
}

interface Record {
  readonly aor: string;
  readonly active: boolean;
  readonly contacts: ReadonlyMap<string, Contact>;
}

/** What a user's registrations come to. */
export interface RegState {
  /** Addresses that are registered. */
  readonly addresses: readonly string[];
  readonly clients: readonly RegisteredClient[];
  /** Seconds, for each client. */
  readonly lifetimes: readonly (number | null)[];
}

/** `applied`: the state is as the document says; `old`: it told nothing new; `gap`: documents were lost, ask for all. */
export type Applied = 'applied' | 'old' | 'gap';

/** Registrations or contacts of one document; more are not one user's. */
const MAX_PARTS = 200;

/** RFC 3680 5.1: full documents replace what was known, partial ones change it, each with the next version. */
export class RegInfo {
  #version = -1;
  #records = new Map<string, Record>();

  /** Throws, saying what is wrong, for what is no such document. */
  apply(text: string): Applied {
    const root = parseXml(text);
    const version = Number(root.attributes.get('version'));
    const records = named(root, 'registration');
    if (root.name !== 'reginfo' || !Number.isInteger(version)) throw new Error('expected a reginfo with a version');
    if (records.length > MAX_PARTS) throw new Error(`expected at most ${MAX_PARTS} registrations`);
    const full = root.attributes.get('state') === 'full';
    if (this.#version >= 0 && version <= this.#version) return 'old';
    if (!full && (this.#version < 0 || version !== this.#version + 1)) return 'gap';
    if (full) this.#records = new Map();
    this.#version = version;
    for (const record of records) this.#take(record);
    return 'applied';
  }

  #take(element: Element): void {
    const id = element.attributes.get('id') ?? '';
    const contacts = new Map(this.#records.get(id)?.contacts);
    for (const contact of named(element, 'contact').slice(0, MAX_PARTS)) {
      const name = contact.attributes.get('id') ?? '';
      if (contact.attributes.get('state') === 'active') contacts.set(name, contactOf(contact));
      else contacts.delete(name);
    }
    const active = element.attributes.get('state') === 'active';
    this.#records.set(id, {
      aor: element.attributes.get('aor') ?? '',
      active,
      contacts: active ? contacts : new Map(),
    });
  }

  get state(): RegState {
    const active = [...this.#records.values()].filter((record) => record.active);
    // The same device stands in the registration of each address it has registered (TS 24.229 5.4.2.1.2).
    const devices = new Map<string, Contact>();
    for (const { contacts } of active) {
      for (const [id, contact] of contacts) devices.set(contact.client.instance || id, contact);
    }
    const all = [...devices.values()];
    return {
      addresses: active.map(({ aor }) => aor),
      clients: all.map(({ client }) => client),
      lifetimes: all.map(({ expires }) => expires),
    };
  }
}

function contactOf(element: Element): Contact {
  // RFC 3680 5.3: parameters of the Contact that the format does not know, such as features and instance.
  const params = named(element, 'unknown-param').map(({ attributes, text }) => {
    const name = attributes.get('name') ?? '';
    return text === '' ? `;${name}` : `;${name}=${text}`;
  });
  const client = clientOf(params.join(''));
  const expires = Number(element.attributes.get('expires') ?? Number.NaN);
  return {
    client: client.instance === '' ? { ...client, instance: instanceOf(element) } : client,
    expires: Number.isInteger(expires) && expires >= 0 ? expires : null,
  };
}

/** RFC 5627 5: a public GRUU names its instance in `gr`. */
function instanceOf(contact: Element): string {
  const gruu = named(contact, 'pub-gruu')[0]?.attributes.get('uri') ?? '';
  const urn = /;gr=(urn:[^;?>]+)/.exec(gruu)?.[1];
  return urn === undefined ? '' : `<${urn}>`;
}
