/** A leg whose INVITE more than one callee may have answered: whoever is not the session's is ended here. */
import type { Dialog, DialogRequest } from '../dialog/dialog.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { Leg, type LegState } from './leg.ts';
import { type StragglerState, Stragglers } from './stragglers.ts';

export abstract class ForkingLeg extends Leg {
  #stragglers: Stragglers | undefined;

  override exported(): LegState {
    const state = super.exported();
    const stragglers = this.#stragglers?.exported() ?? [];
    return stragglers.length === 0 ? state : { ...state, stragglers };
  }

  /** What a process before this one had to end. */
  endAgain(stragglers: readonly StragglerState[] = []): void {
    if (stragglers.length === 0) return;
    this.#stragglers ??= new Stragglers(this.ua);
    this.#stragglers.endAgain(stragglers);
  }

  /** `unknown`: its dialog where it has not rung. */
  protected endFork(request: DialogRequest, response: SipResponse, unknown?: Dialog): void {
    const early = this.state.dialogs[this.forkOf(response.toTag ?? '')] ?? unknown;
    this.#stragglers ??= new Stragglers(this.ua);
    this.#stragglers.end(request, response, early);
  }

  override receive(request: SipRequest, transaction: ServerTransaction, localTag: string): void {
    if (request.method === 'BYE' && this.#stragglers?.receiveBye(request, transaction) === true) return;
    super.receive(request, transaction, localTag);
  }
}
