/** The user agent's part of the stack: its legs, INVITEs that wait for an answer, and what a restart left of both. */
import { Registry } from '../../registry.ts';
import { detached } from '../message/header.ts';
import type { SipRequest } from '../message/message.ts';
import type { LegCommand, LegId } from '../port.ts';
import type { InviteServerTransaction } from '../transaction/invite-server.ts';
import type { UserAgentContext } from './context.ts';
import type { Leg, LegState } from './leg.ts';
import { RestoredLeg } from './restored-leg.ts';
import { UacLeg } from './uac-leg.ts';
import { UasLeg } from './uas-leg.ts';

type Command<T extends LegCommand['type']> = Extract<LegCommand, { type: T }>;

export class Legs {
  readonly #ua: UserAgentContext;
  /** By the local tag of each of their dialogs. */
  readonly #legs = new Registry<Leg>();
  /** INVITEs handed up that have no answer yet. */
  readonly #invites = new Registry<InviteServerTransaction>();
  /** Dialogs of INVITEs that are said again after a restart, or whose answer is. */
  readonly #early = new Map<LegId, LegState>();
  /** INVITEs that were answered before a restart, by Call-ID and From tag: a copy of one begins no session. */
  readonly #answered = new Map<string, LegId>();

  constructor(ua: UserAgentContext) {
    this.#ua = ua;
  }

  get size(): number {
    return this.#legs.size;
  }

  /** The leg whose dialog has this local tag. */
  find(tag: string): Leg | undefined {
    return this.#legs.get(tag);
  }

  bind(tag: string, leg: Leg): void {
    this.#legs.set(tag, leg);
  }

  unbind(tag: string): void {
    this.#legs.delete(tag);
  }

  // --- INVITEs handed up -----------------------------------------------------------------------------------

  /** An INVITE waits for what the session says to it. */
  await(leg: LegId, transaction: InviteServerTransaction): void {
    transaction.onCancel = (cancel) => this.#ua.emit({ type: 'cancelled', leg, request: cancel });
    this.#invites.set(leg, transaction);
  }

  /** The same after a restart. Where it has early dialogs they go on at once: requests may come in them. */
  resumeInvite(id: LegId, transaction: InviteServerTransaction): void {
    this.await(id, transaction);
    if (this.#early.has(id)) this.#uas(id);
  }

  awaiting(leg: LegId): InviteServerTransaction | undefined {
    return this.#invites.get(leg);
  }

  /** It is answered, or somebody else answers it. */
  settle(leg: LegId): void {
    this.#invites.delete(leg);
  }

  /** RFC 3261 8.2.2.2: its transaction is gone with the process that answered it, and its session goes on. */
  isAnsweredCopy(request: SipRequest): boolean {
    const leg = this.#answered.get(`${request.callId} ${request.fromTag ?? ''}`);
    const dialog = leg === undefined ? undefined : this.#legs.get(leg)?.state.dialogs[0];
    return dialog !== undefined && (request.cseq?.number ?? 0) <= dialog.remoteCSeq;
  }

  // --- from the session ------------------------------------------------------------------------------------

  execute(command: LegCommand): void {
    switch (command.type) {
      case 'trying':
        return this.#invites.get(command.leg)?.trying();
      case 'progress':
        return this.#uas(command.leg)?.progress(
          command.fork,
          command.status,
          command.reason,
          command.reliable,
          command,
        );
      case 'answer':
        this.#uas(command.leg)?.answer(command.fork, command.status, command, command.known === true);
        return this.settle(command.leg);
      case 'refuse':
        this.#uas(command.leg)?.refuse(command.status, command.reason, command);
        return this.settle(command.leg);
      case 'invite':
        return this.#invite(command);
      case 'acknowledge':
        return this.#legs.get(command.leg)?.acknowledge(command);
      case 'cancel': {
        const leg = this.#legs.get(command.leg);
        return leg instanceof UacLeg ? leg.cancel(command.headers) : undefined;
      }
      case 'request':
        return this.#request(command);
      case 'cancelExchange':
        return this.#legs.get(command.leg)?.cancelExchange(command.exchange);
      case 'respond':
        return this.#legs.get(command.leg)?.respond(command.exchange, command.status, command.reason, command);
      case 'release':
        return this.#release(command.leg);
    }
  }

  /** The leg of an INVITE that is answered here and not forwarded: made when first needed. */
  #uas(id: LegId): UasLeg | undefined {
    const known = this.#legs.get(id);
    if (known !== undefined) return known instanceof UasLeg ? known : undefined;
    const transaction = this.#invites.get(id);
    const request = transaction?.request;
    if (transaction === undefined || request === undefined) return undefined;
    const leg = new UasLeg(this.#ua, id, request, transaction, this.#early.get(id));
    this.#early.delete(id);
    this.#legs.set(id, leg);
    return leg;
  }

  #invite({ leg: id, invite, known }: Command<'invite'>): void {
    // The leg lingers with its transaction, and shall not keep the whole request that these were cut from.
    const localAddress = detached(invite.from);
    const remoteAddress = detached(invite.to);
    const first = { callId: id, localTag: id, localAddress, remoteAddress, cseq: 1, uri: detached(invite.uri) };
    const leg = new UacLeg(this.#ua, id, first, this.#early.get(id));
    this.#early.delete(id);
    this.#legs.set(id, leg);
    leg.invite(invite, known === true);
  }

  #request(command: Command<'request'>): void {
    const { leg: id, exchange } = command;
    const leg = this.#legs.get(id);
    if (leg !== undefined) leg.request(command);
    else this.#ua.emit({ type: 'response', leg: id, exchange, status: 481, cause: 'transport' });
  }

  #release(id: LegId): void {
    const leg = this.#legs.get(id);
    const dialog = leg?.state.dialogs[0];
    if (dialog !== undefined) this.#answered.delete(`${dialog.callId} ${dialog.remoteTag}`);
    leg?.release();
    this.#legs.delete(id);
    this.#invites.delete(id);
    this.#early.delete(id);
  }

  // --- restart ---------------------------------------------------------------------------------------------

  /** A leg as it was exported; requests inside its dialog are taken again. */
  restore({ open, stragglers, ...state }: LegState): void {
    const leg = new RestoredLeg(this.#ua, state);
    this.#legs.set(state.id, leg);
    for (const dialog of state.dialogs) this.#legs.set(dialog.localTag, leg);
    const [first] = state.dialogs;
    if (state.inbound && first !== undefined) this.#answered.set(`${first.callId} ${first.remoteTag}`, state.id);
    leg.sayAgain(open);
    leg.endAgain(stragglers);
  }

  /** What an INVITE that will be said again, or answered again, had come to. */
  restoreEarly(state: LegState): void {
    this.#early.set(state.id, state);
  }

  clear(): void {
    this.#legs.clear();
    this.#answered.clear();
    this.#invites.clear();
    this.#early.clear();
  }
}
