/** A leg whose INVITE more than one callee may have answered: whoever is not the session's is ended here. */
import type { SipRequest } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import type { UserAgentContext } from './context.ts';
import { Leg, type LegState } from './leg.ts';
import { Stragglers } from './stragglers.ts';

export abstract class ForkingLeg extends Leg {
  protected readonly stragglers: Stragglers;

  constructor(ua: UserAgentContext, state: LegState) {
    super(ua, state);
    this.stragglers = new Stragglers(ua);
  }

  override receive(request: SipRequest, transaction: ServerTransaction, localTag: string): void {
    if (request.method === 'BYE' && this.stragglers.receiveBye(request, transaction)) return;
    super.receive(request, transaction, localTag);
  }
}
