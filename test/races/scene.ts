/** The stage of a race: one world, one session, its ladder from a moment on, and what must be left at the end. */
import { expect } from '@jest/globals';
import type { EndReason } from '../../machines/session/context.ts';
import type { FolderRef } from '../../src/history/intent.ts';
import {
  type Call,
  chatSdp,
  type InviteOptions,
  type Passage,
  World,
  type WorldOptions,
} from '../../src/testing/index.ts';
import { objects, pointers } from '../support/history.ts';
import { answer, FOLDER, ISF, interworkedInvite, invite, type Role, STORING, TERM_FOLDER } from '../support/session.ts';
import { ladderOf } from './ladder.ts';

export type Mode = 'b2bua' | 'proxy';

export const ROLES = ['orig', 'term'] as const;
export const MODES = ['b2bua', 'proxy'] as const;
/** Where a race exists in both roles and both modes. */
export const EVERYWHERE = ROLES.flatMap((role) => MODES.map((mode) => [role, mode] as const));

/** Longer than any transaction, and than join limit, store budget and 64*T1 together (digest 2.3, "quiet"). */
const QUIET_MS = 70_000;

/** The served user's allow-offline-storage is true. */
export const KEPT = { profile: STORING } as const;

export interface Beginning extends InviteOptions {
  /** The invitation is one that goes to the ISF. */
  readonly toIsf?: boolean;
  /** As `crashAtCommit`, from before the INVITE on. */
  readonly crashesAtCommit?: number;
}

export class Scene {
  readonly role: Role;
  readonly mode: Mode;
  readonly world: World;
  /** Toward whoever invited. */
  readonly near: Call;
  readonly #kept: boolean;
  readonly #lost = new Set<Passage>();
  readonly #forks = new Map<string, string>();
  #far: Call | undefined;
  #from = 0;

  constructor(role: Role, mode: Mode, options: WorldOptions = {}, invitation: Beginning = {}) {
    this.role = role;
    this.mode = mode;
    this.#kept = options.profile === STORING;
    const policy = { mediaPath: mode === 'b2bua' ? 'always' : 'never', ...options.policy } as const;
    this.world = new World({ isf: [ISF], ...options, policy });
    if (invitation.crashesAtCommit !== undefined) this.crashAtCommit(invitation.crashesAtCommit);
    const call = invitation.toIsf === true ? interworkedInvite : invite;
    this.near = call(this.world, role, invitation);
    this.world.settle();
  }

  /** Toward whom the function invited. */
  get far(): Call {
    this.#far ??= this.world.core.incoming();
    return this.#far;
  }

  /** IWFs that have answered, in the order of their invitations. */
  readonly iwfs: Call[] = [];

  /** An established session with two IWFs, each with one stream; the ladder begins here. */
  static withTwoIwfs(role: Role, options: WorldOptions = {}): Scene {
    const scene = new Scene(role, 'b2bua', options, { toIsf: true, sdp: chatSdp('alice', [2855, 2856]) });
    scene.iwfAnswers([3001, 0]);
    scene.iwfAnswers([3002]);
    scene.near.response(200);
    scene.near.ack();
    scene.settle();
    scene.fromHere();
    return scene;
  }

  /** An established session with the one IWF there is; the ladder begins here. */
  static withOneIwf(role: Role, options: WorldOptions = {}): Scene {
    const scene = new Scene(role, 'b2bua', options, { toIsf: true });
    const iwf = scene.world.isf.incoming();
    answer(scene.world, scene.near, iwf, chatSdp('iwf'));
    scene.iwfs.push(iwf);
    scene.fromHere();
    return scene;
  }

  /** The next IWF accepts, on these ports. */
  iwfAnswers(ports: readonly number[]): Call {
    const iwf = this.world.isf.incoming();
    iwf.respond(200, { sdp: chatSdp(`iwf${this.iwfs.length + 1}`, ports) });
    this.settle();
    iwf.expect('ACK');
    this.iwfs.push(iwf);
    return iwf;
  }

  /** The served user's client. */
  get client(): Call {
    return this.role === 'orig' ? this.near : this.far;
  }

  /** The other CPM entity. */
  get entity(): Call {
    return this.role === 'orig' ? this.far : this.near;
  }

  /** Why a session has ended that this side ended by BYE. */
  endedBy(call: Call): EndReason {
    return (call === this.near) === (this.role === 'orig') ? 'byeFromClient' : 'byeFromEntity';
  }

  /** how Message-UID is written in a ladder, which goes toward the served client and nowhere else. */
  get uid(): { readonly toCaller: string; readonly toCallee: string } {
    if (this.mode === 'proxy') return { toCaller: '', toCallee: '' };
    const uid = 'Message-UID 1';
    return this.role === 'orig' ? { toCaller: uid, toCallee: '' } : { toCaller: '', toCallee: uid };
  }

  /** Where this session's history is kept. */
  get folder(): FolderRef {
    return this.role === 'orig' ? FOLDER : TERM_FOLDER;
  }

  /** From here on the ladder is told. */
  fromHere(): void {
    this.#from = this.world.network.transcript.length;
  }

  /** Names a fork of the callee by the tag of its dialog. */
  fork(name: string, tag: string): void {
    this.#forks.set(tag, name);
  }

  /** What fits never arrives, until `weather` is changed again. */
  lose(fits: (passage: Passage) => boolean): void {
    this.world.network.weather = (passage) => {
      if (!fits(passage)) return [1];
      this.#lost.add(passage);
      return [];
    };
  }

  /** The process dies right after this commit, counted from here: what it has stored it has not done. */
  crashAtCommit(number: number): void {
    const { pf } = this.world;
    const commit = pf.store.commit.bind(pf.store);
    let left = number;
    pf.store.commit = (batch, done) =>
      commit(batch, (error) => {
        left--;
        if (left === 0) pf.crash();
        else if (left > 0) done(error);
      });
  }

  /** A new process takes up what the one that is gone has stored. */
  restart(downMs = 100): void {
    const { world } = this;
    expect(world.pf.up).toBe(false);
    world.advance(downMs);
    world.pf.start();
    world.settle();
  }

  loseNothing(): void {
    this.world.network.weather = () => [1];
  }

  get ladder(): string[] {
    const { network, pf, core, isf } = this.world;
    const iwfs = [...new Set(this.world.isf.received.map((message) => message.callId))];
    return ladderOf(network.transcript, this.#from, {
      pf: pf.address,
      left: ['caller'],
      forks: this.#forks,
      lost: this.#lost,
      lanes: (address, message) => {
        if (address === isf.address) return iwfs.length > 1 ? `iwf ${iwfs.indexOf(message.callId) + 1}` : 'iwf';
        if (address !== core.address) return 'caller';
        return this.#forks.get(message.toTag ?? '') ?? this.#forks.get(message.fromTag ?? '') ?? 'callee';
      },
    });
  }

  /**
   * All has been said: in the quiet that follows nobody says another word, the session ended once, for one reason, and
   * neither engine nor stack, clock, disk or outbox holds anything of it; media was freed once for each leg, by a B2BUA.
   */
  over(reason: EndReason): void {
    const { world } = this;
    const spoken = world.network.transcript.length;
    world.advance(QUIET_MS);
    expect(this.#ladderSince(spoken)).toEqual([]);
    this.ended(reason);
  }

  /** As `over`, where somebody goes on repeating what he says for a while. */
  ended(reason: EndReason): void {
    this.allEnded({ [reason]: 1 });
    this.#mediaIsFree();
    this.#historyIsWhole();
  }

  /** Of several sessions: each ended once, and nothing is held of any. */
  allEnded(reasons: Partial<Record<EndReason, number>>): void {
    const { world } = this;
    world.advance(QUIET_MS);
    const { started, ended, restored, byReason } = world.pf.engine.counters;
    expect({ byReason, live: started + restored - ended }).toEqual({ byReason: reasons, live: 0 });
    expect(world.held).toEqual([]);
    expect(world.clock.size).toBe(0);
  }

  /** Invariant 7: the media of each leg, whatever became of its INVITE, is freed once; a proxy has none. */
  #mediaIsFree(): void {
    const { released } = this.world.pf;
    // A process that was restarted does not know what the one before has freed (A-24: freeing again does nothing).
    const freed = this.world.pf.engine.counters.restored > 0 ? [...new Set(released)] : released;
    const legs = freed.map((leg) => leg.slice(leg.indexOf('.') + 1)).sort();
    const iwfs = this.world.isf.received.filter((message) => message.kind === 'request' && message.toTag === undefined);
    const far = new Set([...this.world.core.received, ...iwfs].map((message) => message.callId)).size;
    expect(legs).toEqual(this.mode === 'proxy' ? [] : ['a', 'b', 'b2', 'b3'].slice(0, far + 1));
  }

  #ladderSince(index: number): string[] {
    const from = this.#from;
    this.#from = index;
    const { ladder } = this;
    this.#from = from;
    return ladder;
  }

  /** Invariant 10: one Session Info Object and one Group State Object with their pointers, or nothing at all. */
  #historyIsWhole(): void {
    const { folder } = this;
    const kept = objects(this.world, folder);
    if (!this.#kept || this.mode === 'proxy') expect(kept).toEqual([]);
    else if (kept.length > 0) {
      expect(kept).toHaveLength(2);
      expect(pointers(this.world, folder)).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 2 });
    }
  }

  // --- what is common to many races --------------------------------------------------------------------------

  /** The callee's 200, its ACK end to end. */
  answered(): this {
    answer(this.world, this.near, this.far, chatSdp('bob'));
    this.fromHere();
    return this;
  }

  settle(): void {
    this.world.settle();
  }

  /** Takes the refusal of the INVITE and acknowledges it, in its transaction as RFC 3261 17.1.1.3 has it. */
  refused(status: number): void {
    const { near } = this;
    near.remoteTag = near.response(status).toTag;
    near.request('ACK', { cseq: 1, branch: near.invite.branch?.slice('z9hG4bK'.length) ?? '' });
    this.settle();
  }

  /** The same for an offer inside the dialog, whose branch this is. */
  refusedOffer(call: Call, status: number, branch: string): void {
    const refusal = call.response(status);
    call.request('ACK', { cseq: refusal.cseq?.number ?? 0, branch });
    this.settle();
  }

  /** Answers the request with this method that waits at this side. */
  answer(call: Call, method: string, status = 200): void {
    call.respond(status, { to: call.expect(method) });
    this.settle();
  }
}

/** A session that rings at the callee; the ladder begins here. */
export function ringing(role: Role, mode: Mode, options: WorldOptions = {}, invitation: InviteOptions = {}): Scene {
  const scene = new Scene(role, mode, options, invitation);
  scene.far.respond(180);
  scene.settle();
  scene.near.response(180);
  scene.fromHere();
  return scene;
}

/** As `ringing`, and then accepted: the caller has its 200 and has not acknowledged it. */
export function accepted(role: Role, mode: Mode, options: WorldOptions = {}): Scene {
  const scene = ringing(role, mode, options);
  scene.far.respond(200, { sdp: chatSdp('bob') });
  scene.settle();
  scene.near.response(200);
  return scene;
}

/** An established session; the ladder begins here. */
export function established(role: Role, mode: Mode, options: WorldOptions = {}, invitation: InviteOptions = {}): Scene {
  return new Scene(role, mode, options, invitation).answered();
}
