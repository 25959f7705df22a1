/** One function of a scene with its message store, its media and its chronicle: killed and started again at will. */
import { unpacked } from '../engine/packed.ts';
import { regionsOf, type Session } from '../engine/session.ts';
import type { StoredOrigin, StoredState } from '../engine/stored-session.ts';
import { Chronicle, type StateEntry } from './chronicle.ts';
import type { ParticipatingFunction } from './participating-function.ts';
import { UnreliableHistory } from './unreliable-history.ts';
import type { VirtualClock } from './virtual-clock.ts';
import { VirtualMedia } from './virtual-media.ts';
import type { NetworkWatcher, Passage } from './virtual-network.ts';

export class WatchedFunction implements NetworkWatcher {
  readonly chronicle = new Chronicle();
  readonly history: UnreliableHistory;
  readonly media: VirtualMedia;
  /** Runs whenever the process has started, before it has done anything. */
  ready: () => void = () => {};
  readonly #clock: VirtualClock;
  #pf: ParticipatingFunction | undefined;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
    this.history = new UnreliableHistory(clock, this.chronicle);
    this.media = new VirtualMedia(clock, this.chronicle);
  }

  /** The function, which is made with the store and the media of this. */
  follow(pf: ParticipatingFunction): void {
    this.#pf = pf;
  }

  get pf(): ParticipatingFunction {
    return this.#pf as ParticipatingFunction;
  }

  /** What the function and its media hold; empty once all is over. */
  get held(): string[] {
    const { timers, held } = this.pf;
    return [
      ...held,
      ...(timers > 0 ? [`${timers} timers`] : []),
      ...[...this.media.bound].map((leg) => `media of ${leg}`),
    ];
  }

  sent(passage: Passage): void {
    if (passage.from === this.pf.address) this.chronicle.note({ kind: 'out', at: this.#clock.now(), passage });
  }

  arrived(passage: Passage): void {
    if (passage.to === this.pf.address) this.chronicle.note({ kind: 'in', at: this.#clock.now(), passage });
  }

  /** Notes a session after each of its transitions. */
  noteState(session: Session): void {
    const { role, mode, ending } = session.context;
    const { id, state } = session;
    this.#note({ session: id, state, role, mode, reason: ending?.reason ?? null, restored: false });
  }

  #note(state: Omit<StateEntry, 'kind' | 'at'>): void {
    this.chronicle.note({ kind: 'state', at: this.#clock.now(), ...state });
  }

  /** What a new process finds of the sessions of the one before. */
  #noteRecords(): void {
    for (const [session, record] of this.pf.disk.sessions) {
      const origin = unpacked(record.origin).value as StoredOrigin;
      const { value, context } = unpacked(record.state).value as StoredState;
      const { call } = regionsOf(value);
      const state = typeof call === 'string' ? call : Object.entries(call).flat().join('.');
      const { role } = origin.context;
      this.#note({ session, state, role, mode: context.mode, reason: context.ending?.reason ?? null, restored: true });
    }
  }

  /** `kill -9`. After `downMs` it starts again; null leaves that to somebody else. */
  crash(downMs: number | null): void {
    const { pf } = this;
    if (!pf.up) return;
    pf.crash();
    this.media.crash();
    this.chronicle.note({ kind: 'crash', at: this.#clock.now() });
    if (downMs !== null) this.#clock.schedule(downMs, { onTimer: () => this.restart() }, 'restart');
  }

  /** Kills it as soon as a commit is on the disk, or the message store has done something, and nobody has heard of it. */
  crashAfter(what: 'committed' | 'stored', downMs: number | null): void {
    const { store } = this.pf;
    if (what === 'committed') {
      store.written = () => {
        store.written = () => {};
        this.crash(downMs);
      };
    } else {
      const { history } = this;
      history.done = () => {
        history.done = () => {};
        this.crash(downMs);
      };
    }
  }

  restart(): void {
    const { pf } = this;
    if (pf.up) return;
    this.chronicle.note({ kind: 'start', at: this.#clock.now() });
    this.#noteRecords();
    pf.start();
    this.ready();
  }
}
