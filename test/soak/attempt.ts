/** One call of the soak: who takes part in it, how they behave, and what a course may do to it. */
import { nodeIdentifiers } from '../../src/host/node-identifiers.ts';
import { transportParam } from '../../src/sip/flow.ts';
import { type Conduct, Peer, type Who } from '../../src/testing/index.ts';
import { cpim } from '../support/cpim.ts';
import { MsrpPhone } from '../support/msrp-phone.ts';
import type { LapseClock } from './lapse-clock.ts';
import { Line, Post } from './line.ts';
import type { MediaSink } from './media-sink.ts';
import { type Media, Party } from './party.ts';

/** Whom a call is served for: somebody whose chats are kept, a proxied one, or one whose sessions the operator ends. */
export type Served = 'kept' | 'proxied' | 'ordered';

export interface Casting {
  readonly role: 'orig' | 'term';
  readonly served: Served;
  /** The caller's transport; `broken`: over a TCP connection of its own, which may break. */
  readonly transport: 'UDP' | 'TCP' | 'broken';
  /** The destination is outside CPM: the ISF is invited. */
  readonly interworked?: boolean;
  readonly streams?: number;
  readonly media?: 'sink' | 'chat' | 'absent';
  readonly conduct?: { readonly [who in Who]?: Partial<Conduct> };
}

/** What all calls share. */
export interface Surroundings {
  readonly clock: LapseClock;
  /** Address of the function, over UDP, and its port for TCP. */
  readonly pf: string;
  readonly pfPort: number;
  readonly callers: { readonly UDP: Line; readonly TCP: Line };
  readonly core: Line;
  readonly isf: Line;
  readonly sink: MediaSink;
}

const IDENTIFIERS = nodeIdentifiers();
/** How long a course waits for what must come, ms of the lapse. */
const PATIENCE_MS = 30_000;
const LOOK_MS = 50;

const SERVED: Readonly<Record<Served, { readonly orig: string; readonly term: string }>> = {
  kept: { orig: 'sip:alice@home.example', term: 'sip:bob@home.example' },
  proxied: { orig: 'sip:dave@home.example', term: 'sip:erin@home.example' },
  ordered: { orig: 'sip:olga@home.example', term: 'sip:oskar@home.example' },
};

/** users.yaml with those who are served. */
export const USERS = Object.fromEntries(
  Object.entries(SERVED).flatMap(([served, { orig, term }]) => {
    const preferences = { allowOfflineStorage: served !== 'proxied', interworking: served !== 'proxied' };
    return [orig, term].map((user) => [user, { preferences }] as const);
  }),
);

export class Attempt {
  /** Contribution-ID: it finds the call on the far side. In names it keeps tags and branches of different calls apart. */
  readonly id = IDENTIFIERS.token();
  readonly near: Party;
  readonly far: Party;
  readonly iwf1: Party;
  readonly iwf2: Party;
  readonly #around: Surroundings;
  readonly #casting: Casting;
  readonly #caller: Line;
  readonly #phones: readonly MsrpPhone[];
  readonly #posts = { near: new Post(), far: new Post(), iwf1: new Post(), iwf2: new Post() };
  #toIsf = 0;

  private constructor(around: Surroundings, casting: Casting, caller: Line, phones: readonly MsrpPhone[]) {
    const { clock, core, isf, pf, sink } = around;
    const { conduct = {}, media = 'sink' } = casting;
    this.#around = around;
    this.#casting = casting;
    this.#caller = caller;
    this.#phones = phones;
    const [alice = sink, bob = sink]: readonly Media[] = media === 'absent' ? ['absent', 'absent'] : phones;
    const party = (who: Who, line: Line, transport: 'UDP' | 'TCP', where: Media): Party => {
      const peer = new Phone(this.#posts[who], IDENTIFIERS, `${who}-${this.id}`, line.address, pf, transport);
      return new Party(clock, peer, where, who === 'near', conduct[who]);
    };
    this.near = party('near', caller, casting.transport === 'UDP' ? 'UDP' : 'TCP', alice);
    this.far = party('far', core, 'UDP', bob);
    this.iwf1 = party('iwf1', isf, 'TCP', sink);
    this.iwf2 = party('iwf2', isf, 'TCP', sink);
  }

  static async prepare(around: Surroundings, casting: Casting): Promise<Attempt> {
    const { transport } = casting;
    const caller = transport === 'broken' ? await Line.connected(around.pfPort) : around.callers[transport];
    const phones = casting.media === 'chat' ? [await MsrpPhone.open('alice'), await MsrpPhone.open('bob')] : [];
    return new Attempt(around, casting, caller, phones);
  }

  /** The place of whoever an INVITE of this call is for. The ISF has two IWFs, and takes them in turn. */
  placeAt(line: 'core' | 'isf'): Post {
    if (line === 'core') return this.#posts.far;
    return this.#toIsf++ % 2 === 0 ? this.#posts.iwf1 : this.#posts.iwf2;
  }

  get parties(): readonly Party[] {
    return [this.near, this.far, this.iwf1, this.iwf2];
  }

  // --- what a course does ----------------------------------------------------------------------------------------

  invite({ expires = 1800 }: { readonly expires?: number } = {}): void {
    const { role, served, interworked = false, streams = 1 } = this.#casting;
    const user = SERVED[served][role];
    const callId = IDENTIFIERS.token();
    this.#caller.seat(callId, this.#posts.near);
    const from = role === 'orig' ? `<${user}>` : '<sip:alice@away.example>';
    const invite = this.near.peer.request({
      callId,
      from,
      uri: interworked ? 'mailto:carol@mail.example' : role === 'orig' ? 'sip:bob@home.example' : user,
      sdp: this.near.offer(streams),
      headers: [
        ['Contribution-ID', this.id],
        ['P-Served-User', `<${user}>;sescase=${role};regstate=reg`],
        ['P-Asserted-Identity', from],
        ['Session-Expires', String(expires)],
      ],
    });
    this.near.invite(invite);
  }

  pause(ms: number): Promise<void> {
    return this.#around.clock.pause(ms);
  }

  /** Waits until somebody has a dialog, or all of them; false where that does not come. */
  async stands(...parties: readonly Party[]): Promise<boolean> {
    return this.until(() => parties.every(({ established }) => established));
  }

  async until(holds: () => boolean): Promise<boolean> {
    const end = this.#around.clock.now() + PATIENCE_MS;
    while (!holds()) {
      if (this.#around.clock.now() > end) return false;
      await this.pause(LOOK_MS);
    }
    return true;
  }

  /** Says something from either side to the other, over MSRP. False where it did not arrive. */
  async chat(messages: number): Promise<boolean> {
    const [alice, bob] = this.#phones;
    if (alice === undefined || bob === undefined) return false;
    if (!(await this.until(() => alice.session?.open === true && bob.session?.open === true))) return false;
    for (let count = 0; count < messages; count++) {
      alice.say(cpim(`message ${count} from alice`));
      bob.say(cpim(`message ${count} from bob`));
    }
    return this.until(() => alice.arrived.length >= messages && bob.arrived.length >= messages);
  }

  /** Breaks the caller's connection: SIP over TCP, or media where it chats. */
  break(what: 'sip' | 'media'): void {
    if (what === 'sip') this.#caller.close();
    else this.#phones[0]?.session?.close();
  }

  /** Everybody who still can hangs up. */
  hangUp(): void {
    for (const party of this.parties) party.hangUp();
  }

  async close(): Promise<void> {
    if (this.#casting.transport === 'broken') this.#caller.close();
    await Promise.all(this.#phones.map((phone) => phone.close()));
  }
}

/** Phones have the same Contact for all their calls. */
class Phone extends Peer {
  override get uri(): string {
    return `sip:phone@${this.address}${transportParam(this.transport)}`;
  }
}
