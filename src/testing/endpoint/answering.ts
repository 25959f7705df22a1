/** The answering half of an endpoint: what it does with requests, each copy of which gets the same answer. */
import { headerField } from '../../sip/message/header.ts';
import type { SipRequest, SipResponse } from '../../sip/message/message.ts';
import { responseTo } from '../../sip/message/respond.ts';
import { dialogAsCallee, type EndpointDialog } from './dialog.ts';
import type { Endpoint } from './endpoint.ts';

/** A request of the other side, with what it was answered last. */
interface Taken {
  readonly request: SipRequest;
  last: SipResponse | undefined;
  readonly toTag: string;
  /** Provisional responses so far. */
  rings: number;
}

export class Answering {
  /** Who takes an INVITE instead of this endpoint. */
  handOver: ((invite: SipRequest) => Endpoint) | undefined;
  readonly #endpoint: Endpoint;
  readonly #taken = new Map<string, Taken>();
  readonly #handed = new Map<string, Endpoint>();
  #invites = 0;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  hear(request: SipRequest): void {
    const branch = request.branch ?? '';
    const elsewhere = this.#elsewhere(request, branch);
    if (elsewhere !== undefined) {
      elsewhere.hear(request);
      return;
    }
    if (request.method === 'ACK') {
      this.#onAck(request, branch);
      return;
    }
    const key = `${branch} ${request.method}`;
    const known = this.#taken.get(key);
    if (known !== undefined) {
      if (known.last !== undefined) this.#endpoint.transmit(known.last);
      return;
    }
    const taken = {
      request,
      last: undefined,
      toTag: request.toTag ?? `${this.#endpoint.peer.name}${this.#taken.size}`,
      rings: 0,
    };
    this.#taken.set(key, taken);
    if (request.method === 'CANCEL') this.#onCancel(taken, branch);
    else if (request.method === 'INVITE' && request.toTag === undefined) this.#onInvite(taken);
    else this.#inDialog(taken);
  }

  #elsewhere(request: SipRequest, branch: string): Endpoint | undefined {
    const known = this.#handed.get(branch);
    if (known !== undefined || this.handOver === undefined) return known;
    if (request.method !== 'INVITE' || request.toTag !== undefined) return undefined;
    const taker = this.handOver(request);
    this.#handed.set(branch, taker);
    return taker;
  }

  #answer(taken: Taken, response: SipResponse): void {
    taken.last = response;
    this.#endpoint.transmit(response);
  }

  /** A final answer to an INVITE is said until its ACK (RFC 3261 13.3.1.4, 17.2.1). */
  #settle(taken: Taken, response: SipResponse, giveUp: () => void = () => {}): void {
    taken.last = response;
    const accepted = response.status < 300;
    const key = accepted ? ackKey(taken.request, response.toTag) : `${taken.request.branch} refused`;
    const { conduct, repetitions } = this.#endpoint;
    repetitions.say(key, conduct.repeats, () => this.#endpoint.transmit(response), giveUp);
  }

  #onAck(ack: SipRequest, branch: string): void {
    this.#endpoint.repetitions.stop(ackKey(ack, ack.toTag));
    this.#endpoint.repetitions.stop(`${branch} refused`);
  }

  // --- invitations -------------------------------------------------------------------------------------------

  #onInvite(taken: Taken): void {
    const { conduct, clock } = this.#endpoint;
    const turn = this.#invites++;
    const status = conduct.answers[Math.min(turn, conduct.answers.length - 1)] ?? null;
    const rejects = conduct.rejects[Math.min(turn, conduct.rejects.length - 1)] ?? [];
    this.#answer(taken, responseTo(taken.request, 100));
    for (let count = 0; count < conduct.rings; count++) this.#ring(taken);
    if (status === null) return;
    const settle = (): void => {
      if (isOpen(taken)) this.#decide(taken, status, rejects);
    };
    clock.schedule(conduct.answerAfterMs, { onTimer: settle }, 'answer');
  }

  #ring(taken: Taken): void {
    const { conduct, peer } = this.#endpoint;
    taken.rings++;
    const headers = [headerField('Contact', `<${peer.uri}>`)];
    if (conduct.reliable && taken.request.lists('supported', '100rel')) {
      headers.push(headerField('Require', '100rel'), headerField('RSeq', String(taken.rings)));
    }
    this.#early(taken);
    this.#answer(taken, responseTo(taken.request, 180, { toTag: taken.toTag, headers, recordRoute: true }));
  }

  /** By hand, whatever the conduct says: rings for, or decides, each invitation that is still open. */
  answerOpen(how: 'ring' | { readonly status: number; readonly rejects: readonly number[] }): void {
    const open = [...this.#taken.values()].filter(
      (taken) => taken.request.method === 'INVITE' && taken.request.toTag === undefined && isOpen(taken),
    );
    for (const taken of open) {
      if (how === 'ring') this.#ring(taken);
      else this.#decide(taken, how.status, how.rejects);
    }
  }

  /** The early dialog, in which requests may come. */
  #early(taken: Taken): void {
    const { request, toTag } = taken;
    if (this.#endpoint.dialogOf(request.callId, toTag, request.fromTag ?? '') !== undefined) return;
    this.#endpoint.dialogs.push(dialogAsCallee(request, responseTo(request, 180, { toTag })));
  }

  #decide(taken: Taken, status: number, rejects: readonly number[]): void {
    const { request, toTag } = taken;
    if (status >= 300) {
      const headers = [
        headerField('Contact', '<sip:elsewhere@10.0.0.20:5060>'),
        ...(status === 422 ? [headerField('Min-SE', '120')] : []),
      ];
      this.#settle(
        taken,
        responseTo(request, status, { toTag, headers: status === 302 || status === 422 ? headers : [] }),
      );
      return;
    }
    this.#accept(taken, toTag, rejects);
    const { conduct, clock } = this.#endpoint;
    if (conduct.forkAfterMs === null) return;
    const fork = { onTimer: () => this.#accept(taken, `${toTag}f`, rejects) };
    clock.schedule(conduct.forkAfterMs, fork, 'fork');
  }

  #accept(taken: Taken, toTag: string, rejects: readonly number[]): void {
    const { request } = taken;
    const response = this.#endpoint.accepted(request, toTag, rejects);
    let dialog = this.#endpoint.dialogOf(request.callId, toTag, request.fromTag ?? '');
    if (dialog === undefined) {
      dialog = dialogAsCallee(request, response);
      this.#endpoint.dialogs.push(dialog);
    }
    dialog.confirmed = true;
    this.#settle(taken, response, () => this.#unacknowledged(dialog));
  }

  /** RFC 3261 13.3.1.4: without an ACK the session is ended. */
  #unacknowledged(dialog: EndpointDialog): void {
    if (this.#endpoint.conduct.repeats) this.#endpoint.bye(dialog);
  }

  #onCancel(taken: Taken, branch: string): void {
    const invite = this.#taken.get(`${branch} INVITE`);
    if (invite === undefined) {
      this.#answer(taken, responseTo(taken.request, 481, { toTag: taken.toTag }));
      return;
    }
    this.#answer(taken, responseTo(taken.request, 200, { toTag: invite.toTag }));
    const { conduct } = this.#endpoint;
    if (!isOpen(invite) || conduct.cancel === 'ignored') return;
    if (conduct.cancel === 'accepted' && invite.request.toTag === undefined) this.#accept(invite, invite.toTag, []);
    else this.#settle(invite, responseTo(invite.request, 487, { toTag: invite.toTag }));
  }

  // --- inside a dialog ---------------------------------------------------------------------------------------

  #inDialog(taken: Taken): void {
    const { request } = taken;
    const { conduct } = this.#endpoint;
    const dialog = this.#endpoint.dialogOf(request.callId, request.toTag ?? '', request.fromTag ?? '');
    if (dialog === undefined || (dialog.ended && request.method !== 'BYE')) {
      this.#refuse(taken, 481);
      return;
    }
    if (request.method === 'BYE') {
      dialog.ended = true;
      if (conduct.bye !== null) this.#answer(taken, responseTo(request, conduct.bye));
      return;
    }
    const status = request.method === 'PRACK' ? 200 : conduct.inDialog;
    if (status === null) return;
    if (status >= 300) this.#refuse(taken, status);
    else this.#confirm(taken, dialog);
  }

  #refuse(taken: Taken, status: number): void {
    const response = responseTo(taken.request, status);
    if (taken.request.method === 'INVITE') this.#settle(taken, response);
    else this.#answer(taken, response);
  }

  #confirm(taken: Taken, dialog: EndpointDialog): void {
    const { request } = taken;
    const { method } = request;
    const offers = method === 'INVITE' || (method === 'UPDATE' && request.body.length > 0);
    if (!offers) {
      this.#answer(taken, responseTo(request, 200));
      return;
    }
    if (request.contact !== undefined) dialog.target = request.contact.uri;
    const response = this.#endpoint.accepted(request, taken.toTag, []);
    if (method === 'UPDATE') this.#answer(taken, response);
    else this.#settle(taken, response, () => this.#unacknowledged(dialog));
  }
}

const isOpen = (taken: Taken): boolean => taken.last === undefined || taken.last.status < 200;

/** The ACK of a 2xx is known by its dialog and number. */
function ackKey(message: SipRequest, toTag: string | undefined): string {
  return `${message.callId} ${toTag ?? ''} ${message.cseq?.number ?? 0} accepted`;
}
