/** Two users, the function of each, a core between them, and an ISF with two IWFs that both functions can reach. */
import { DEFAULT_POLICY } from '../policy/defaults.ts';
import { GOOD_CONDUCT } from '../testing/endpoint/conduct.ts';
import { Endpoint } from '../testing/endpoint/endpoint.ts';
import { answeredSessions } from '../testing/invariants/index.ts';
import { SeededWeather } from '../testing/network-faults.ts';
import { DEFAULT_PROFILE, ParticipatingFunction } from '../testing/participating-function.ts';
import { chatSdp, Peer } from '../testing/peer.ts';
import { SeededRandom } from '../testing/seeded.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { VirtualNetwork, type Weather } from '../testing/virtual-network.ts';
import { WatchedFunction } from '../testing/watched-function.ts';
import type { MemberId } from './acts.ts';
import { Core } from './core.ts';
import type { CallSetting } from './setting.ts';
import type { Member, Observer, PlayedFunction, Theatre } from './theatre.ts';

const ADDRESS = {
  alice: '10.0.1.1:5060',
  pfa: '10.0.0.10:5060',
  core: '10.0.0.20:5060',
  pfb: '10.0.0.11:5060',
  bob: '10.0.1.2:5060',
  isf: '10.0.0.30:5060',
  iwf1: '10.0.0.31:5060',
  iwf2: '10.0.0.32:5060',
} as const;
type Id = keyof typeof ADDRESS;

const MEMBERS: readonly Member[] = [
  member('alice', 'Alice', 'user', 7, 27),
  member('pfa', 'PF A', 'function', 28.5, 27),
  member('core', 'core', 'core', 50, 27),
  member('pfb', 'PF B', 'function', 71.5, 27),
  member('bob', 'Bob', 'user', 93, 27),
  member('isf', 'ISF', 'isf', 50, 64),
  member('iwf1', 'IWF 1', 'iwf', 37, 88),
  member('iwf2', 'IWF 2', 'iwf', 63, 88),
];

function member(id: Id, name: string, kind: Member['kind'], x: number, y: number): Member {
  return { id, name, kind, address: ADDRESS[id], x, y, site: kind === 'iwf' ? 'isf' : id };
}

const LINKS: readonly (readonly [MemberId, MemberId])[] = [
  ['alice', 'pfa'],
  ['pfa', 'core'],
  ['core', 'pfb'],
  ['pfb', 'bob'],
  ['pfa', 'isf'],
  ['pfb', 'isf'],
];

/** Bob thinks a while before he answers; machines do not. */
const BOB_ANSWERS_MS = 900;
const IWF_ANSWERS_MS = 60;

export class CallTheatre implements Theatre {
  readonly clock = new VirtualClock();
  readonly network = new VirtualNetwork(this.clock);
  readonly members = MEMBERS;
  readonly links = LINKS;
  readonly functions: readonly PlayedFunction[];
  readonly endpoints: ReadonlyMap<MemberId, Endpoint>;
  readonly script = [];
  phone = true;
  readonly #setting: CallSetting;
  readonly #random: SeededRandom;
  #invited = 0;

  constructor(setting: CallSetting, observe: Observer) {
    this.#setting = setting;
    this.#random = new SeededRandom(setting.seed);
    this.network.weather = weatherOf(setting);
    new Core(this.network, this.#random, ADDRESS.core, ADDRESS.pfb);
    this.functions = [
      this.#function('pfa', 'PF A', ADDRESS.core, ADDRESS.alice, observe),
      this.#function('pfb', 'PF B', ADDRESS.bob, ADDRESS.bob, observe),
    ];
    this.endpoints = this.#cast();
  }

  #function(id: 'pfa' | 'pfb', name: string, core: string, client: string, observe: Observer): PlayedFunction {
    const { media, storage, close, interval, commit } = this.#setting;
    const watched = new WatchedFunction(this.clock);
    const { timers } = DEFAULT_POLICY;
    const ready = (): void => {
      watched.pf.store.delayMs = commit;
    };
    const pf = new ParticipatingFunction(this.clock, this.network, this.#random, {
      address: ADDRESS[id],
      core,
      isf: [ADDRESS.isf],
      policy: { mediaPath: media, partialClose: close, timers: { ...timers, se: interval } },
      profile: (_query, done) => done(this.#profile(id)),
      history: watched.history,
      media: watched.media,
      observe: (session, event) => {
        watched.noteState(session);
        observe(id, session, event);
      },
    });
    watched.follow(pf);
    watched.ready = ready;
    ready();
    const wanted: PlayedFunction['wanted'] = (wire) => (storage === 'on' ? answeredSessions(wire) : []);
    return { id, name, watched, client, iwfs: [ADDRESS.isf], wanted, commitMs: commit };
  }

  #profile(id: 'pfa' | 'pfb') {
    const user = id === 'pfa' ? 'sip:alice@home.example' : 'sip:bob@home.example';
    const gone = id === 'pfb' && !this.phone ? { clients: [] } : {};
    return { ...DEFAULT_PROFILE, user, allowOfflineStorage: this.#setting.storage === 'on', ...gone };
  }

  #cast(): Map<MemberId, Endpoint> {
    const { timer } = this.#setting;
    const at = (id: Id, pf: string, answerAfterMs: number): Endpoint => {
      const peer = new Peer(this.network, this.#random, id, ADDRESS[id], pf);
      return new Endpoint(this.clock, peer, { ...GOOD_CONDUCT, answerAfterMs, timer });
    };
    const iwfs = [at('iwf1', ADDRESS.pfa, IWF_ANSWERS_MS), at('iwf2', ADDRESS.pfa, IWF_ANSWERS_MS)] as const;
    const isf = at('isf', ADDRESS.pfa, IWF_ANSWERS_MS);
    let turn = 0;
    isf.handOver((invite) => {
      const iwf = iwfs[turn++ % 2 === 0 ? 0 : 1];
      // Either function may have asked: the IWF belongs to the one that did.
      iwf.peer.pf = `${invite.via?.host}:${invite.via?.port ?? 5060}`;
      return iwf;
    });
    return new Map<MemberId, Endpoint>([
      ['alice', at('alice', ADDRESS.pfa, BOB_ANSWERS_MS)],
      ['bob', at('bob', ADDRESS.pfb, BOB_ANSWERS_MS)],
      ['isf', isf],
      ['iwf1', iwfs[0]],
      ['iwf2', iwfs[1]],
    ]);
  }

  invite(to: 'bob' | 'carol', streams: number): void {
    const alice = this.endpoints.get('alice') as Endpoint;
    const ports = Array.from({ length: streams }, (_, at) => 2855 + at);
    const mail = to === 'carol' ? { uri: 'mailto:carol@mail.example' } : {};
    const contribution = `c0ffee00-1111-4a1b-8c2d-${String(++this.#invited).padStart(12, '0')}`;
    const { timer, interval } = this.#setting;
    const request = alice.peer.request({
      ...mail,
      sdp: streams === 0 ? null : chatSdp('alice', ports),
      headers: [
        ['Contribution-ID', contribution],
        ...(timer === 'none' ? [] : [['Session-Expires', String(interval)] as const]),
      ],
    });
    alice.invite(request);
  }
}

/** Every hop takes so long; losses, copies and jitter come from the seed. */
function weatherOf({ seed, hop, jitter, loss, twice }: CallSetting): Weather {
  const faults = { loss, duplication: twice, delayMs: jitter + 1 };
  const { weather } = new SeededWeather(new SeededRandom(seed ^ 0x5eed), faults);
  return (passage) => weather(passage).map((ms) => ms - 1 + hop);
}
