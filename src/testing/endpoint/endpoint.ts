/**
 * An endpoint of the virtual world that plays its part by itself: it answers, acknowledges, repeats itself until it is
 * heard, and keeps its dialogs, all as its conduct has it. It shares no code with the stack but the messages.
 */
import { bytesOfWire } from '../../sip/message/bytes.ts';
import { headerField } from '../../sip/message/header.ts';
import { type AnyMessage, SipRequest, type SipResponse } from '../../sip/message/message.ts';
import { responseTo } from '../../sip/message/respond.ts';
import type { Clock } from '../../time/clock.ts';
import type { Peer } from '../peer.ts';
import { Answering } from './answering.ts';
import { type Conduct, GOOD_CONDUCT } from './conduct.ts';
import { answerTo, dialogAsCaller, type EndpointDialog, type RequestParts, requestIn } from './dialog.ts';
import { Repetitions } from './repetition.ts';

/** A request of ours until its end. */
interface Asked {
  readonly request: SipRequest;
  readonly dialog: EndpointDialog | undefined;
  heard: boolean;
  ended: boolean;
  /** It is to be called off: as soon as somebody has answered provisionally (9.1). */
  cancelling: boolean;
  /** To tags of 2xx that came, with the ACK each has had. */
  readonly acks: Map<string, SipRequest>;
  lastRSeq: number;
}

const LATE_ACK_MS = 3000;

export class Endpoint {
  readonly peer: Peer;
  readonly dialogs: EndpointDialog[] = [];
  /** INVITEs of ours outside a dialog. */
  readonly invitations: SipRequest[] = [];
  conduct: Conduct;
  /** It hears nothing and says nothing. */
  deaf = false;
  readonly clock: Clock;
  readonly repetitions: Repetitions;
  readonly #asked = new Map<string, Asked>();
  readonly #answering: Answering;
  #branches = 0;

  constructor(clock: Clock, peer: Peer, conduct: Conduct = GOOD_CONDUCT) {
    this.clock = clock;
    this.peer = peer;
    this.conduct = conduct;
    this.repetitions = new Repetitions(clock);
    this.#answering = new Answering(this);
    peer.onMessage = (message) => {
      this.hear(message);
      return true;
    };
  }

  hear(message: AnyMessage): void {
    if (this.deaf) return;
    if (message.kind === 'request') this.#answering.hear(message);
    else this.#onResponse(message);
  }

  /** Sends a message, unless it is deaf by now. */
  transmit(message: AnyMessage): void {
    if (this.deaf) return;
    if (message.kind === 'response') this.peer.send(message);
    else this.peer.sendRaw(message);
  }

  /** All dialogs are forgotten, as after a restart: whatever is asked in one gets 481. */
  forget(): void {
    for (const dialog of this.dialogs) dialog.ended = true;
  }

  /** What the ISF does with an INVITE: another endpoint takes it, and all that belongs to it. */
  handOver(to: (invite: SipRequest) => Endpoint): void {
    this.#answering.handOver = to;
  }

  /** Rings for each invitation that is still open. */
  ring(): void {
    this.#answering.answerOpen('ring');
  }

  /** Accepts or refuses each invitation that is still open; `rejects`: m-lines it does not take. */
  decide(status: number, rejects: readonly number[] = []): void {
    this.#answering.answerOpen({ status, rejects });
  }

  // --- asking ------------------------------------------------------------------------------------------------

  /** Sends an INVITE that begins a call. */
  invite(request: SipRequest): void {
    this.invitations.push(request);
    this.#ask(request, undefined);
  }

  /** Sends a request inside a dialog. */
  request(dialog: EndpointDialog, method: string, parts: RequestParts = {}): void {
    const request = requestIn(dialog, method, ++dialog.cseq, this.peer.uri, parts);
    if (method === 'BYE') dialog.ended = true;
    this.#ask(request, dialog);
  }

  /** Ends a dialog. */
  bye(dialog: EndpointDialog): void {
    if (!dialog.ended) this.request(dialog, 'BYE');
  }

  /** Ends everything: calls off what is open, ends what is agreed. */
  hangUp(): void {
    this.cancel();
    for (const dialog of [...this.dialogs]) if (dialog.confirmed) this.bye(dialog);
  }

  /** Calls off every INVITE that is still open; `rash` also before anything was heard of it, against 9.1. */
  cancel(rash = false): void {
    for (const asked of this.#asked.values()) {
      if (asked.request.method !== 'INVITE' || asked.ended || asked.cancelling) continue;
      asked.cancelling = true;
      if (asked.heard || rash) this.#sendCancel(asked.request);
    }
  }

  #ask(request: SipRequest, dialog: EndpointDialog | undefined): void {
    const branch = `z9hG4bK${this.peer.name}${this.#branches++}`;
    request.prepend('Via', this.peer.via(branch));
    const asked = { request, dialog, heard: false, ended: false, cancelling: false, acks: new Map(), lastRSeq: 0 };
    this.#asked.set(branch, asked);
    this.repetitions.say(
      branch,
      this.conduct.repeats,
      () => this.transmit(request),
      () => this.#end(asked, 408),
    );
  }

  #sendCancel(invite: SipRequest): void {
    const kept = invite.headers.filter(({ name }) => ['via', 'from', 'to', 'call-id', 'route'].includes(name));
    const cancel = new SipRequest('CANCEL', invite.uri, [
      ...kept,
      headerField('CSeq', `${invite.cseq?.number ?? 1} CANCEL`),
      headerField('Max-Forwards', '70'),
    ]);
    this.repetitions.say(`${invite.branch} CANCEL`, this.conduct.repeats, () => this.transmit(cancel));
  }

  // --- hearing answers -----------------------------------------------------------------------------------------

  #onResponse(response: SipResponse): void {
    const branch = response.branch ?? '';
    if (response.cseq?.method === 'CANCEL') {
      this.repetitions.stop(`${branch} CANCEL`);
      return;
    }
    const asked = this.#asked.get(branch);
    if (asked === undefined) return;
    if (asked.request.method === 'INVITE') this.#onInviteResponse(asked, response);
    else if (response.status >= 200) {
      this.repetitions.stop(branch);
      this.#end(asked, response.status);
    }
  }

  #onInviteResponse(asked: Asked, response: SipResponse): void {
    this.repetitions.stop(response.branch ?? '');
    if (response.status < 200) this.#onProvisional(asked, response);
    else if (response.status < 300) this.#onAccepted(asked, response);
    else {
      this.transmit(ackOfRefusal(asked.request, response));
      this.#end(asked, response.status);
    }
  }

  #onProvisional(asked: Asked, response: SipResponse): void {
    if (asked.cancelling && !asked.heard) this.#sendCancel(asked.request);
    asked.heard = true;
    if (response.status === 100 || response.toTag === undefined) return;
    const early = this.#early(response);
    const rseq = Number(response.header('rseq') ?? 0);
    if (rseq <= asked.lastRSeq) return;
    asked.lastRSeq = rseq;
    const rack = `${rseq} ${asked.request.cseq?.number ?? 1} INVITE`;
    this.request(early, 'PRACK', { headers: [['RAck', rack]] });
  }

  /** The dialog of a provisional response: the same for each of its fork. */
  #early(response: SipResponse): EndpointDialog {
    const known = this.dialogOf(response.callId, response.fromTag ?? '', response.toTag ?? '');
    if (known !== undefined) return known;
    const early = dialogAsCaller(response);
    this.dialogs.push(early);
    return early;
  }

  /** A 2xx: the first makes the dialog; one of another fork, or after our CANCEL, is ended at once (13.2.2.4). */
  #onAccepted(asked: Asked, response: SipResponse): void {
    const tag = response.toTag ?? '';
    const known = asked.acks.get(tag);
    if (known !== undefined) {
      if (this.conduct.ack !== 'never') this.transmit(known);
      return;
    }
    // One that comes when the INVITE was given up is ended as one of another fork.
    const first = asked.acks.size === 0 && !asked.ended;
    const number = asked.request.cseq?.number ?? 1;
    const dialog = asked.dialog ?? this.#early(response);
    dialog.confirmed = true;
    dialog.inviteCSeq = number;
    if (response.contact !== undefined) dialog.target = response.contact.uri;
    const sdp = asked.request.body.length === 0 ? { sdp: answerTo(response, this.peer.name, []) } : {};
    const ack = requestIn(dialog, 'ACK', number, this.peer.uri, sdp);
    ack.prepend('Via', this.peer.via(`${asked.request.branch}-${asked.acks.size}-ack`));
    asked.acks.set(tag, ack);
    asked.ended = true;
    this.#acknowledge(ack);
    if (!first || (asked.cancelling && asked.dialog === undefined)) this.bye(dialog);
  }

  #acknowledge(ack: SipRequest): void {
    if (this.conduct.ack === 'prompt') this.transmit(ack);
    else if (this.conduct.ack === 'late') {
      this.clock.schedule(LATE_ACK_MS, { onTimer: () => this.transmit(ack) }, 'lateAck');
    }
  }

  /** RFC 3261 12.2.1.2: a 481 ends the dialog, and so does silence. */
  #end(asked: Asked, status: number): void {
    if (asked.ended) return;
    asked.ended = true;
    const { dialog } = asked;
    if (dialog === undefined || asked.request.method === 'BYE') return;
    if (status === 408) this.bye(dialog);
    else if (status === 481 && asked.request.method !== 'PRACK') dialog.ended = true;
  }

  dialogOf(callId: string, localTag: string, remoteTag: string): EndpointDialog | undefined {
    return this.dialogs.find(
      (dialog) => dialog.localTag === localTag && dialog.remoteTag === remoteTag && dialog.callId === callId,
    );
  }

  /** A response of ours with a description and a Contact, as an accepted offer needs it. */
  accepted(request: SipRequest, toTag: string, rejects: readonly number[], owner = this.peer.name): SipResponse {
    const { timer } = this.conduct;
    const headers = [
      headerField('Contact', `<${this.peer.uri}>`),
      headerField('Allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO'),
      headerField('Content-Type', 'application/sdp'),
    ];
    const asked = request.header('session-expires')?.split(';', 1)[0];
    if (timer !== 'none' && asked !== undefined && request.lists('supported', 'timer')) {
      headers.push(headerField('Session-Expires', `${asked};refresher=${timer}`), headerField('Require', 'timer'));
    }
    const body = bytesOfWire(answerTo(request, owner, rejects));
    return responseTo(request, 200, { toTag, headers, body, recordRoute: true });
  }
}

/** RFC 3261 17.1.1.3. */
function ackOfRefusal(invite: SipRequest, response: SipResponse): SipRequest {
  const kept = invite.headers.filter(({ name }) => ['via', 'from', 'call-id', 'route'].includes(name));
  return new SipRequest('ACK', invite.uri, [
    ...kept,
    headerField('To', response.header('to') ?? ''),
    headerField('CSeq', `${invite.cseq?.number ?? 1} ACK`),
    headerField('Max-Forwards', '70'),
  ]);
}
