/**
 * RFC 3261 13.2.2.4: a 2xx nobody waits for, of another fork or after the CANCEL, is acknowledged and its dialog ended
 * at once. Each copy of it has its ACK again.
 */
import { type Dialog, type DialogRequest, dialogOfResponse, requestInDialog } from '../dialog/dialog.ts';
import type { SipResponse } from '../message/message.ts';
import type { ClientUser } from '../transaction/client.ts';
import type { AckCopy, UserAgentContext } from './context.ts';

/** To tags remembered for one INVITE; a peer that invents more is ignored beyond this. */
const MAX_STRAGGLERS = 32;

const NOBODY: ClientUser = { onResponse() {}, onTimeout() {}, onTransportError() {} };

export class Stragglers {
  readonly #ua: UserAgentContext;
  /** ACKs sent, by To tag. */
  readonly #acks = new Map<string, AckCopy>();

  constructor(ua: UserAgentContext) {
    this.#ua = ua;
  }

  /** `early`: the dialog of this fork while it rang, in which numbers may have been used (PRACK, UPDATE). */
  end(request: DialogRequest, response: SipResponse, early?: Dialog): void {
    const tag = response.toTag ?? '';
    const known = this.#acks.get(tag);
    if (known !== undefined) {
      known.repeat();
      return;
    }
    if (this.#acks.size >= MAX_STRAGGLERS) return;
    const dialog = dialogOfResponse(request, response);
    // Named by its tag, so that another process would make the same messages.
    const branch = `${request.localTag}-s${tag.replace(/[^A-Za-z0-9.\-_]/g, '')}`;
    const ack = requestInDialog(dialog, 'ACK', request.cseq, []);
    this.#acks.set(tag, this.#ua.sendAck(ack, `${branch}a`));
    const bye = requestInDialog(dialog, 'BYE', Math.max(dialog.localCSeq, early?.localCSeq ?? 0) + 1, []);
    this.#ua.send([bye], branch, NOBODY);
  }
}
