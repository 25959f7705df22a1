/**
 * One process is the function of both users: what alice invites passes it on the originating side, comes back from the
 * core for bob, and passes it again on the terminating side (RFC 3261 6, "spiral").
 *
 *     caller → pf → core → pf → callee
 */
import { expect } from '@jest/globals';
import type { EndReason } from '../../machines/session/context.ts';
import type { AnyMessage, SipRequest, SipResponse } from '../../src/sip/message/message.ts';
import { type Call, chatSdp, World } from '../../src/testing/index.ts';
import { objects } from '../support/history.ts';
import { FOLDER, TERM_FOLDER } from '../support/session.ts';
import { ladderOf } from './ladder.ts';
import { KEPT, type Mode } from './scene.ts';

const QUIET_MS = 70_000;
const CORE = '10.0.0.20:5060';
const CORE_BRANCH = 'z9hG4bKcore-';
const SERVED = '<sip:bob@home.example>;sescase=term;regstate=reg';

export interface SpiralOptions {
  /** On the originating side, and on the terminating side. */
  readonly modes: readonly [Mode, Mode];
  /** The core stays in the way of the dialog, as an S-CSCF does, or only the function stands in its route, twice. */
  readonly coreStays?: boolean;
  /** The core gives the request back for the same user. */
  readonly loops?: boolean;
}

export class Spiral {
  readonly world: World;
  readonly near: Call;
  readonly #options: SpiralOptions;
  /** Branches of what the function sent to the core and the core sent back to the function. */
  readonly #returned = new Set<string>();
  #far: Call | undefined;
  #from = 0;

  constructor(options: SpiralOptions) {
    this.#options = options;
    this.world = new World(KEPT);
    this.#setMode(options.modes[0]);
    this.world.core.onMessage = (message) => this.#core(message);
    this.near = this.world.peer('alice').invite();
    this.world.settle();
  }

  get far(): Call {
    this.#far ??= this.world.core.incoming();
    return this.#far;
  }

  #setMode(mode: Mode): void {
    const { engine } = this.world.pf;
    engine.policy = { ...engine.policy, mediaPath: mode === 'b2bua' ? 'always' : 'never' };
  }

  /** The core as a stateless proxy (RFC 3261 16.11). True where the message was not for the callee beyond it. */
  #core(message: AnyMessage): boolean {
    return message.kind === 'request' ? this.#coreRequest(message) : this.#coreResponse(message);
  }

  #coreRequest(request: SipRequest): boolean {
    const branch = request.branch ?? '';
    const routed = request.list('route')[0]?.includes(CORE) === true;
    if (routed) request.removeTop('route');
    if (this.#returned.size === 0) this.#turnToCallee(request);
    // A CANCEL, and the ACK of a refusal, go the way of their INVITE.
    else if (!this.#returned.has(branch) && !(routed && this.#isForFunction(request))) return false;
    this.#returned.add(branch);
    request.prepend('Via', `SIP/2.0/UDP ${CORE};branch=${CORE_BRANCH}${branch}`);
    this.world.core.sendRaw(request);
    return true;
  }

  #isForFunction(request: SipRequest): boolean {
    return request.has('route') || request.uri.includes(this.world.pf.address);
  }

  /** The invitation has passed the originating side; now it is for bob's. */
  #turnToCallee(invite: SipRequest): void {
    const { modes, loops, coreStays } = this.#options;
    this.#setMode(modes[1]);
    invite.set('P-Served-User', loops === true ? '<sip:alice@home.example>;sescase=orig;regstate=reg' : SERVED);
    if (coreStays === true) invite.prepend('Record-Route', `<sip:${CORE};lr>`);
  }

  #coreResponse(response: SipResponse): boolean {
    if (response.branch?.startsWith(CORE_BRANCH) !== true) return false;
    response.removeTop('via');
    this.world.core.send(response);
    return true;
  }

  fromHere(): void {
    this.#from = this.world.network.transcript.length;
  }

  answered(): this {
    const { world, near, far } = this;
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    near.response(200);
    near.ack();
    world.settle();
    far.expect('ACK');
    this.fromHere();
    return this;
  }

  /** `core` is where a message passes between the two sides, `callee` where it is for whoever is behind the core. */
  get ladder(): string[] {
    const { network, pf } = this.world;
    return ladderOf(network.transcript, this.#from, {
      pf: pf.address,
      left: ['caller'],
      forks: new Map(),
      lost: new Set(),
      lanes: (address, message) => {
        if (address === pf.address) return 'pf';
        if (address !== CORE) return 'caller';
        return this.#isBetween(message) ? 'core' : 'callee';
      },
    });
  }

  #isBetween({ branch = '' }: AnyMessage): boolean {
    return branch.startsWith(CORE_BRANCH) || this.#returned.has(branch);
  }

  /** Both sessions ended, each for its reason, each history whole, and nothing is held. */
  over(reasons: Partial<Record<EndReason, number>>): void {
    const { world } = this;
    world.advance(QUIET_MS);
    const { started, ended, byReason } = world.pf.engine.counters;
    expect({ byReason, live: started - ended }).toEqual({ byReason: reasons, live: 0 });
    expect(world.held).toEqual([]);
    expect(world.clock.size).toBe(0);
    const { modes } = this.#options;
    const legs = world.pf.released.map((leg) => leg.slice(leg.indexOf('.') + 1)).sort();
    expect(legs).toEqual(['a', 'b'].flatMap((leg) => modes.filter((mode) => mode === 'b2bua').map(() => leg)));
    const kept = [FOLDER, TERM_FOLDER].map((folder) => objects(world, folder).length);
    const wasAnswered = byReason.byeFromClient !== undefined;
    expect(kept).toEqual(modes.map((mode) => (mode === 'b2bua' && wasAnswered ? 2 : 0)));
  }
}
