/** A leg of a process that is gone: its INVITE is history, its dialog lives on. */
import type { SipResponse } from '../message/message.ts';
import type { UserAgentContext } from './context.ts';
import { ForkingLeg } from './forking-leg.ts';
import type { LegState } from './leg.ts';

/** Number of the INVITE that began an outgoing leg. */
const FIRST_CSEQ = 1;

/** Both directions are the same once the dialog is confirmed; `state` says which side invited. */
export class RestoredLeg extends ForkingLeg {
  constructor(ua: UserAgentContext, state: LegState) {
    super(ua, state, true);
  }

  /** Forks that answer late don't know of the restart: they are ended all the same. */
  override receiveStray(response: SipResponse): void {
    const dialog = this.confirmedDialog;
    const fork = dialog !== undefined && dialog.remoteTag !== response.toTag;
    if (!fork || this.state.inbound || response.cseq?.number !== FIRST_CSEQ) {
      super.receiveStray(response);
      return;
    }
    const { callId, localTag, localAddress, remoteAddress, target } = dialog;
    const request = { callId, localTag, localAddress, remoteAddress, cseq: FIRST_CSEQ, uri: target };
    this.endFork(request, response);
  }
}
