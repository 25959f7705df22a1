/** The stage of a scene: a world with endpoints that play by themselves, and a chronicle of all that can be seen. */
import type { SessionMachine } from '../../../machines/session/machine.ts';
import type { Policy, Profile } from '../../../machines/session/policy.ts';
import type { EngineOptions } from '../../engine/engine.ts';
import type { ProfileQuery } from '../../engine/ports.ts';
import { DEFAULT_POLICY } from '../../policy/defaults.ts';
import type { Chronicle } from '../chronicle.ts';
import { GOOD_CONDUCT } from '../endpoint/conduct.ts';
import { Endpoint } from '../endpoint/endpoint.ts';
import { SeededWeather } from '../network-faults.ts';
import { DEFAULT_PROFILE, type ParticipatingFunction } from '../participating-function.ts';
import { SeededRandom } from '../seeded.ts';
import type { UnreliableHistory } from '../unreliable-history.ts';
import { VirtualClock } from '../virtual-clock.ts';
import type { VirtualMedia } from '../virtual-media.ts';
import { WatchedFunction } from '../watched-function.ts';
import { World } from '../world.ts';
import type { Scene, Setting, Who } from './scene.ts';

/** What a user of the stage may put in place of the usual. */
export interface StageOptions {
  readonly policy?: Partial<Policy>;
  readonly profile?: Partial<Profile>;
  /** A chart of one's own. */
  readonly machine?: SessionMachine;
  /** Sees each step of each session. */
  readonly observe?: EngineOptions['observe'];
  /** Changes the function before the scene begins, and after each restart. */
  readonly rig?: (stage: Stage) => void;
}

const ISF = '10.0.0.30:5060';
/** When the preference server says it once more: while the callee rings. */
const XDMS_AGAIN_MS = 6;

export class Stage {
  readonly scene: Scene;
  readonly world: World;
  readonly weather: SeededWeather;
  /** The function, as it is seen from outside. */
  readonly watched: WatchedFunction;
  readonly endpoints: Readonly<Record<Who, Endpoint>>;
  readonly #options: StageOptions;

  constructor(scene: Scene, options: StageOptions = {}) {
    const { setting, seed } = scene;
    this.scene = scene;
    this.#options = options;
    const clock = new VirtualClock();
    this.watched = new WatchedFunction(clock);
    this.world = new World({
      seed,
      clock,
      policy: { ...policyOf(setting), ...options.policy },
      isf: setting.isf || setting.interworked ? [ISF] : [],
      profile: this.#preferences(setting),
      history: this.history,
      media: this.media,
      observe: (session, event) => {
        this.watched.noteState(session);
        options.observe?.(session, event);
      },
      ...(options.machine === undefined ? {} : { machine: options.machine }),
    });
    this.watched.follow(this.world.pf);
    this.watched.ready = () => this.#ready();
    this.weather = new SeededWeather(new SeededRandom(seed ^ 0x5eed), setting.network);
    this.history.delayMs = setting.historyMs;
    this.endpoints = this.#cast(setting);
    this.world.network.weather = this.weather.weather;
    this.world.network.watcher = this.watched;
    this.#ready();
  }

  get chronicle(): Chronicle {
    return this.watched.chronicle;
  }

  get history(): UnreliableHistory {
    return this.watched.history;
  }

  get media(): VirtualMedia {
    return this.watched.media;
  }

  get pf(): ParticipatingFunction {
    return this.world.pf;
  }

  #preferences(setting: Setting) {
    const profile: Profile = {
      ...DEFAULT_PROFILE,
      allowOfflineStorage: setting.storage,
      ...(setting.interworked && setting.role === 'term' ? { clients: [] } : {}),
      ...this.#options.profile,
    };
    const { preferencesMs, xdms = 'once' } = setting;
    return (_query: ProfileQuery, done: (profile: Profile) => void): void => {
      const answer = (ms: number, told: Profile): void => {
        this.world.clock.schedule(ms, { onTimer: () => done(told) }, 'preferences');
      };
      if (preferencesMs === 0) done(profile);
      else if (preferencesMs !== null) answer(preferencesMs, profile);
      // Nobody asked for a second answer.
      if (xdms !== 'once') answer((preferencesMs ?? 0) + XDMS_AGAIN_MS, xdms === 'twice' ? profile : contrary(profile));
    };
  }

  #cast(setting: Setting): Record<Who, Endpoint> {
    const { world } = this;
    const play = (who: Who, name: string): Endpoint => {
      const peer = who === 'far' ? world.core : world.peer(name);
      return new Endpoint(world.clock, peer, { ...GOOD_CONDUCT, ...setting.conduct[who] });
    };
    const near = play('near', setting.role === 'orig' ? 'alice' : 'entity');
    const cast = { near, far: play('far', 'core'), iwf1: play('iwf1', 'iwf1'), iwf2: play('iwf2', 'iwf2') };
    const isf = new Endpoint(world.clock, world.isf);
    let turn = 0;
    isf.handOver(() => (turn++ % 2 === 0 ? cast.iwf1 : cast.iwf2));
    return cast;
  }

  /** After each start: the store's delay, and what the user has rigged. */
  #ready(): void {
    this.pf.store.delayMs = this.scene.setting.commitMs;
    this.#options.rig?.(this);
  }
}

function policyOf(setting: Setting): Partial<Policy> {
  const { timers } = DEFAULT_POLICY;
  return {
    mediaPath: setting.mediaPath,
    partialClose: setting.partialClose,
    timers: { ...timers, se: setting.interval, refresher: setting.refresher },
  };
}

/** The opposite of everything that decides on a session. */
function contrary(profile: Profile): Profile {
  const { allowOfflineStorage, doNotDisturb } = profile;
  return {
    ...profile,
    allowOfflineStorage: !allowOfflineStorage,
    doNotDisturb: !doNotDisturb,
    interworking: false,
    clients: [],
  };
}
