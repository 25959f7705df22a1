/**
 * RFC 3261 13.2.2.4: a 2xx nobody waits for, of another fork or after the CANCEL, is acknowledged and its dialog ended
 * as soon as it is stored what the INVITE came to. Earlier, a copy of it could be the first that a process hears after a
 * kill, which would take for the session what its callee has left. Each copy has its ACK again.
 */
import { type Dialog, type DialogRequest, dialogOfResponse, requestInDialog } from '../dialog/dialog.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { responseTo } from '../message/respond.ts';
import { NOBODY } from '../transaction/client.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import type { AckCopy, UserAgentContext } from './context.ts';

/** To tags remembered for one INVITE; a peer that invents more is ignored beyond this. */
const MAX_STRAGGLERS = 32;

interface Straggler {
  readonly callId: string;
  /** Undefined until it is sent. */
  ack?: AckCopy;
  /** True where the callee has said BYE first: there is nothing left to end. */
  hungUp?: boolean;
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
    const tag = response.toTag ?? '';
    const known = this.#known.get(tag);
    if (known !== undefined) {
      known.ack?.repeat();
      return;
    }
    if (this.#known.size >= MAX_STRAGGLERS) return;
    const straggler: Straggler = { callId: request.callId };
    this.#known.set(tag, straggler);
    this.#ua.whenStored(request.localTag, () => this.#endNow(straggler, request, response, early));
  }

  #endNow(straggler: Straggler, request: DialogRequest, response: SipResponse, early: Dialog | undefined): void {
    const dialog = dialogOfResponse(request, response);
    // Named by its tag, so that another process would make the same messages.
    const branch = `${request.localTag}-s${dialog.remoteTag.replace(/[^A-Za-z0-9.\-_]/g, '')}`;
    const ack = requestInDialog(dialog, 'ACK', request.cseq, []);
    straggler.ack = this.#ua.sendAck(ack, `${branch}a`);
    if (straggler.hungUp === true) return;
    const bye = requestInDialog(dialog, 'BYE', Math.max(dialog.localCSeq, early?.localCSeq ?? 0) + 1, []);
    this.#ua.send([bye], branch, NOBODY);
  }

  /** The callee of such a 2xx hangs up by itself. False where the BYE is of another dialog. */
  receiveBye(request: SipRequest, transaction: ServerTransaction): boolean {
    const straggler = this.#known.get(request.fromTag ?? '');
    if (straggler?.callId !== request.callId) return false;
    straggler.hungUp = true;
    this.#ua.whenStored(request.toTag ?? '', () => transaction.respond(responseTo(request, 200)));
    return true;
  }
}
