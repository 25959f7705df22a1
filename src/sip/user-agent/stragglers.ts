/**
 * RFC 3261 13.2.2.4: a 2xx nobody waits for, of another fork or after the CANCEL, is acknowledged and its dialog ended
 * as soon as it is stored what the INVITE came to, and that this dialog has to be ended. Earlier, a copy of it could be the
 * first that a process hears after a kill, which would take for the session what its callee has left; and a BYE that was lost
 * would not be said again. Each copy has its ACK again.
 */
import { type Dialog, type DialogRequest, dialogOfResponse, requestInDialog } from '../dialog/dialog.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { responseTo } from '../message/respond.ts';
import type { ClientUser } from '../transaction/client.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import type { AckCopy, UserAgentContext } from './context.ts';

/** To tags remembered for one INVITE; a peer that invents more is ignored beyond this. */
const MAX_STRAGGLERS = 32;

/** JSON: a dialog that has to be ended. */
export interface StragglerState {
  /** Its own number is that of the BYE. */
  readonly dialog: Dialog;
  readonly inviteCSeq: number;
}

class Straggler implements ClientUser {
  readonly state: StragglerState;
  /** Undefined until it is sent. */
  ack: AckCopy | undefined;
  /** The callee has said BYE first, or answered ours: there is nothing left to end. */
  ended = false;

  constructor(state: StragglerState) {
    this.state = state;
  }

  onResponse({ status }: SipResponse): void {
    if (status >= 200) this.ended = true;
  }

  onTimeout(): void {
    this.ended = true;
  }

  onTransportError(): void {
    this.ended = true;
  }
}

export class Stragglers {
  readonly #ua: UserAgentContext;
  /** By To tag. */
  readonly #known = new Map<string, Straggler>();

  constructor(ua: UserAgentContext) {
    this.#ua = ua;
  }

  /** `early`: the dialog of this fork while it rang, in which numbers may have been used (PRACK, UPDATE). */
  end(request: DialogRequest, response: SipResponse, early?: Dialog): void {
    const known = this.#known.get(response.toTag ?? '');
    if (known !== undefined) {
      known.ack?.repeat();
      return;
    }
    if (this.#known.size >= MAX_STRAGGLERS) return;
    const dialog = dialogOfResponse(request, response);
    dialog.localCSeq = Math.max(dialog.localCSeq, early?.localCSeq ?? 0) + 1;
    const straggler = this.#add({ dialog, inviteCSeq: request.cseq });
    this.#ua.whenStored(request.localTag, () => this.#endNow(straggler));
  }

  /** What a process before this one had to end and may not have: to the callee it is a copy. */
  endAgain(states: readonly StragglerState[]): void {
    for (const state of states) this.#endNow(this.#add(state));
  }

  #add(state: StragglerState): Straggler {
    const straggler = new Straggler(state);
    this.#known.set(state.dialog.remoteTag, straggler);
    return straggler;
  }

  /** Those that have not ended. */
  exported(): StragglerState[] {
    return [...this.#known.values()].flatMap(({ ended, state }) => (ended ? [] : [state]));
  }

  #endNow(straggler: Straggler): void {
    const { dialog, inviteCSeq } = straggler.state;
    // Named by its tag, so that another process makes the same messages.
    const branch = `${dialog.localTag}-s${dialog.remoteTag.replace(/[^A-Za-z0-9.\-_]/g, '')}`;
    straggler.ack = this.#ua.sendAck(requestInDialog(dialog, 'ACK', inviteCSeq, []), `${branch}a`);
    if (!straggler.ended) this.#ua.send([requestInDialog(dialog, 'BYE', dialog.localCSeq, [])], branch, straggler);
  }

  /** The callee of such a 2xx hangs up by itself. False where the BYE is of another dialog. */
  receiveBye(request: SipRequest, transaction: ServerTransaction): boolean {
    const straggler = this.#known.get(request.fromTag ?? '');
    if (straggler?.state.dialog.callId !== request.callId) return false;
    straggler.ended = true;
    this.#ua.whenStored(request.toTag ?? '', () => transaction.respond(responseTo(request, 200)));
    return true;
  }
}
