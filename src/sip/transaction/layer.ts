/** Finds the transaction a message belongs to (RFC 3261 17.1.3, 17.2.3) and makes new ones. */
import type { Clock } from '../../time/clock.ts';
import type { Flow } from '../flow.ts';
import { inOnePiece } from '../message/header.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { MAGIC_COOKIE, type Via } from '../message/via.ts';
import type { ClientTransaction, ClientUser } from './client.ts';
import { InviteClientTransaction } from './invite-client.ts';
import { InviteServerTransaction } from './invite-server.ts';
import { NonInviteClientTransaction } from './non-invite-client.ts';
import { NonInviteServerTransaction } from './non-invite-server.ts';
import type { ServerTransaction } from './server.ts';
import { DEFAULT_TIMERS, type TimerValues } from './timers.ts';

export class TransactionLayer {
  readonly clock: Clock;
  readonly timers: TimerValues;
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #servers = new Map<string, ServerTransaction>();
  /** RFC 3261 8.2.2.2: requests that came by more than one path share this key but not their branch. */
  readonly #merged = new Map<string, ServerTransaction>();

  constructor(clock: Clock, timers: TimerValues = DEFAULT_TIMERS) {
    this.clock = clock;
    this.timers = timers;
  }

  /** Transactions alive, those that only linger included. */
  get size(): { clients: number; servers: number } {
    return { clients: this.#clients.size, servers: this.#servers.size };
  }

  /** Gives a response to its transaction. False where it has none: a stray, or a copy of a 2xx long after. */
  receiveResponse(response: SipResponse): boolean {
    const transaction = this.#clients.get(`${response.branch ?? ''} ${response.cseq?.method ?? ''}`);
    if (transaction === undefined) return false;
    transaction.receive(response);
    return true;
  }

  /** Gives a copy of a request, or an ACK for a non-2xx, to its transaction. False where none takes it. */
  receiveRequest(request: SipRequest): boolean {
    return this.#servers.get(serverKey(request, request.method))?.receive(request) === true;
  }

  /** The INVITE transaction a CANCEL is for (RFC 3261 9.2). */
  findCancelled(cancel: SipRequest): InviteServerTransaction | undefined {
    const found = this.#servers.get(serverKey(cancel, 'INVITE'));
    return found instanceof InviteServerTransaction ? found : undefined;
  }

  /** True where the same request has come before by another path and is still being handled. */
  isMerged(mergeKey: string): boolean {
    return this.#merged.has(mergeKey);
  }

  createServer(request: SipRequest, flow: Flow, mergeKey?: string): ServerTransaction {
    // It lingers with its transaction, and shall not keep the whole request.
    const key = inOnePiece(serverKey(request, request.method));
    const transaction =
      request.method === 'INVITE'
        ? new InviteServerTransaction(this, key, request, flow)
        : new NonInviteServerTransaction(this, key, request, flow);
    this.#servers.set(key, transaction);
    if (mergeKey !== undefined) {
      transaction.mergeKey = mergeKey;
      this.#merged.set(mergeKey, transaction);
    }
    return transaction;
  }

  /** Makes the transaction of a request whose top Via already carries its branch. Nothing is sent yet. */
  createClient(
    request: SipRequest,
    flow: Flow,
    user: ClientUser,
  ): InviteClientTransaction | NonInviteClientTransaction {
    const key = inOnePiece(`${request.branch ?? ''} ${request.method}`);
    const transaction =
      request.method === 'INVITE'
        ? new InviteClientTransaction(this, key, request, flow, user)
        : new NonInviteClientTransaction(this, key, request, flow, user);
    this.#clients.set(key, transaction);
    return transaction;
  }

  forgetClient(key: string): void {
    this.#clients.delete(key);
  }

  forgetServer(transaction: ServerTransaction): void {
    this.#servers.delete(transaction.key);
    if (transaction.mergeKey !== undefined && this.#merged.get(transaction.mergeKey) === transaction) {
      this.#merged.delete(transaction.mergeKey);
    }
  }

  /** Ends every transaction at once: the host shuts down. */
  clear(): void {
    for (const transaction of [...this.#clients.values()]) transaction.destroy();
    for (const transaction of [...this.#servers.values()]) transaction.destroy();
  }
}

function serverKey(request: SipRequest, method: string): string {
  const via = request.via as Via;
  const matched = method === 'ACK' ? 'INVITE' : method;
  const { branch } = via;
  if (branch?.startsWith(MAGIC_COOKIE) === true && branch.length > MAGIC_COOKIE.length) {
    return `${branch} ${via.host}:${via.port ?? ''} ${matched}`;
  }
  // 17.2.3: a peer of RFC 2543 gives no unique branch. The To tag is left out, since the ACK has one and the
  // INVITE has none.
  const cseq = request.cseq?.number ?? 0;
  return `2543 ${request.callId} ${request.fromTag ?? ''} ${cseq} ${request.uri} ${via.host}:${via.port ?? ''} ${matched}`;
}
