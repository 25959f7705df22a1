/** The sessions in proxy mode, by the key that stands in their Record-Route. */
import { Registry } from '../../registry.ts';
import type { LegId, ProxyCommand } from '../port.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import type { ProxyContext } from './context.ts';
import { ProxiedSession, type ProxiedState } from './proxied-session.ts';

export class ProxiedSessions {
  readonly #proxy: ProxyContext;
  readonly #sessions = new Registry<ProxiedSession>();

  constructor(proxy: ProxyContext) {
    this.#proxy = proxy;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(key: string): ProxiedSession | undefined {
    return this.#sessions.get(key);
  }

  /** A session that is new, or known again after a restart. */
  open(state: ProxiedState): ProxiedSession {
    const session = new ProxiedSession(this.#proxy, state);
    this.#sessions.set(state.key, session);
    return session;
  }

  forwardInvite(command: Extract<ProxyCommand, { type: 'forwardInvite' }>, server: ServerTransaction): void {
    const key = keyOf(command.leg);
    const { request, answerTimer } = command;
    const state = { key, callerTag: request.fromTag ?? '', ...(answerTimer === undefined ? {} : { answerTimer }) };
    const session = this.#sessions.get(key) ?? this.open(state);
    session.forwardInvite(command.branch, request, command.routeSets, server);
  }

  execute(command: Exclude<ProxyCommand, { type: 'forwardInvite' }>): void {
    const session = this.#sessions.get(keyOf(command.leg));
    if (session === undefined) return;
    switch (command.type) {
      case 'forwardResponse':
        return session.forwardResponse(command.branch);
      case 'cancelBranch':
        return session.cancelBranch(command.branch, command.headers);
      case 'forwardAck':
        return session.forwardAck();
      case 'forwardRequest':
        return session.forwardRequest(command.exchange);
      case 'forwardReply':
        return session.forwardReply(command.exchange);
    }
  }

  /** Whether this process has sent the INVITE of this branch. */
  sent(leg: LegId, branch: LegId): boolean {
    return this.#sessions.get(keyOf(leg))?.has(branch) === true;
  }

  /** The session of this leg is over; what is still on its way through is passed on as it comes. */
  release(leg: LegId): void {
    const key = keyOf(leg);
    this.#sessions.get(key)?.release();
    this.#sessions.delete(key);
  }

  clear(): void {
    this.#sessions.clear();
  }
}

/** A leg's id begins with the key of its session. */
function keyOf(leg: LegId): string {
  return leg.slice(0, leg.lastIndexOf('.'));
}
