/**
 * A SIP element that plays along with whatever reaches it: answers, acknowledges, repeats itself until it is heard, and
 * now and then asks something inside the dialogs it knows. It never throws, however odd the message.
 */

import { bytesOfWire, NO_BYTES } from '../../src/sip/message/bytes.ts';
import { headerField } from '../../src/sip/message/header.ts';
import { type AnyMessage, SipRequest, type SipResponse } from '../../src/sip/message/message.ts';
import { responseTo } from '../../src/sip/message/respond.ts';
import { chatSdp, type Peer, type SeededRandom, type World } from '../../src/testing/index.ts';

interface Talk {
  readonly callId: string;
  /** From and To of requests of ours. */
  readonly local: string;
  readonly remote: string;
  readonly target: string;
  readonly routes: readonly string[];
  cseq: number;
}

/** Copies of one message, ms after the first; enough to be heard when some are lost or damaged. */
const COPIES = [0, 500, 1500, 3500, 7500];

export class Robot {
  /** Hears and says nothing any more. */
  deaf = false;
  readonly #world: World;
  readonly #peer: Peer;
  readonly #random: SeededRandom;
  readonly #talks: Talk[] = [];
  /** What has been heard of: no more copies are sent. */
  readonly #settled = new Set<string>();
  /** Requests sent, by branch. */
  readonly #asked = new Map<string, SipRequest>();
  #branches = 0;

  constructor(world: World, peer: Peer, random: SeededRandom) {
    this.#world = world;
    this.#peer = peer;
    this.#random = random;
    peer.onMessage = (message) => {
      if (!this.deaf) this.#hear(message);
      return true;
    };
  }

  #hear(message: AnyMessage): void {
    if (message.kind === 'response') this.#onResponse(message);
    else if (message.method === 'ACK') this.#settled.add(`${message.callId} answer`);
    else if (message.method === 'CANCEL') this.#onCancel(message);
    else if (message.method === 'INVITE') this.#onInvite(message);
    else this.#peer.send(responseTo(message, 200, { toTag: this.#tag(message) }));
  }

  #tag(request: SipRequest): string {
    return request.toTag ?? `r${request.callId.length}${request.cseq?.number ?? 0}`;
  }

  #onInvite(invite: SipRequest): void {
    const random = this.#random;
    this.#peer.send(responseTo(invite, 100));
    for (let rings = random.below(3); rings > 0; rings--) this.#ring(invite, random.below(4) === 0 ? 'f' : '');
    const key = `${invite.callId} answer`;
    this.#settled.delete(key);
    const after = [0, 0, 0, 100, 1000, 6000][random.below(6)] ?? 0;
    const refused = random.below(5) === 0 ? [302, 404, 486, 488, 503, 600][random.below(6)] : undefined;
    if (refused === undefined) this.#repeat(this.#accepted(invite, ''), key, after);
    else {
      const elsewhere = headerField('Contact', '<sip:elsewhere@10.0.0.30:5060>');
      this.#repeat(responseTo(invite, refused, { toTag: this.#tag(invite), headers: [elsewhere] }), key, after);
    }
    // Another fork answers as well.
    if (random.below(8) === 0) this.#repeat(this.#accepted(invite, 'f'), key, after + 300);
  }

  #ring(invite: SipRequest, fork: string): void {
    const headers = [headerField('Contact', `<${this.#peer.uri}>`)];
    if (this.#random.below(3) === 0 && invite.lists('supported', '100rel')) {
      headers.push(headerField('Require', '100rel'), headerField('RSeq', String(1 + this.#random.below(3))));
    }
    this.#peer.send(responseTo(invite, 180, { toTag: `${this.#tag(invite)}${fork}`, headers, recordRoute: true }));
  }

  #accepted(invite: SipRequest, fork: string): SipResponse {
    const headers = [headerField('Contact', `<${this.#peer.uri}>`), headerField('Content-Type', 'application/sdp')];
    const toTag = `${this.#tag(invite)}${fork}`;
    const body = bytesOfWire(chatSdp('robot'));
    const answer = responseTo(invite, 200, { toTag, headers, body, recordRoute: true });
    if (invite.toTag === undefined) {
      this.#talks.push({
        callId: invite.callId,
        local: answer.header('to') ?? '',
        remote: invite.header('from') ?? '',
        target: invite.contact?.uri ?? '',
        routes: invite.list('record-route'),
        cseq: 0,
      });
    }
    return answer;
  }

  #onCancel(cancel: SipRequest): void {
    this.#peer.send(responseTo(cancel, 200, { toTag: this.#tag(cancel) }));
    const lines = cancel.headers.map((field) =>
      field.name === 'cseq' ? headerField('CSeq', `${cancel.cseq?.number ?? 1} INVITE`) : field,
    );
    const invite = new SipRequest('INVITE', cancel.uri, lines);
    this.#peer.send(responseTo(invite, 487, { toTag: this.#tag(cancel) }));
  }

  #onResponse(response: SipResponse): void {
    if (response.status < 200) {
      this.#onProvisional(response);
      return;
    }
    const branch = response.branch ?? '';
    this.#settled.add(branch);
    if (response.cseq?.method !== 'INVITE') return;
    if (response.status < 300) this.#acknowledge(response);
    else {
      const asked = this.#asked.get(branch);
      const kept = asked?.headers.filter(({ name }) => ['via', 'from', 'call-id', 'route'].includes(name)) ?? [];
      const lines = [
        ...kept.slice(0, 8),
        headerField('To', response.header('to') ?? ''),
        headerField('CSeq', `${response.cseq.number} ACK`),
      ];
      if (asked !== undefined) this.#transmit(new SipRequest('ACK', asked.uri, lines));
    }
  }

  #onProvisional(response: SipResponse): void {
    if (!response.has('rseq') || response.cseq?.method !== 'INVITE') return;
    const talk = talkOf(response);
    const prack = this.#request(talk, 'PRACK', talk.cseq + 1);
    prack.headers.push(headerField('RAck', `${response.header('rseq')} ${talk.cseq} INVITE`));
    this.#ask(prack);
  }

  #acknowledge(response: SipResponse): void {
    const talk = talkOf(response);
    const known = this.#talks.some((other) => other.callId === talk.callId && other.remote === talk.remote);
    if (!known) this.#talks.push(talk);
    this.#peer.send(this.#request(talk, 'ACK', talk.cseq));
  }

  #request(talk: Talk, method: string, cseq: number, body = ''): SipRequest {
    const lines = [
      ...talk.routes.map((route) => headerField('Route', route)),
      headerField('Max-Forwards', '70'),
      headerField('From', talk.local),
      headerField('To', talk.remote),
      headerField('Call-ID', talk.callId),
      headerField('CSeq', `${cseq} ${method}`),
    ];
    if (method === 'INVITE' || method === 'UPDATE') lines.push(headerField('Contact', `<${this.#peer.uri}>`));
    if (body !== '') lines.push(headerField('Content-Type', 'application/sdp'));
    return new SipRequest(method, talk.target, lines, body === '' ? NO_BYTES : bytesOfWire(body));
  }

  /** Invites somebody; copies follow until there is an answer. */
  begin(invite: SipRequest): void {
    this.#ask(invite);
  }

  /** Asks something inside a dialog, if there is one. */
  act(): void {
    const talk = this.#talks[this.#random.below(Math.max(1, this.#talks.length))];
    if (talk === undefined || this.deaf) return;
    const method =
      ['BYE', 'BYE', 'INVITE', 'UPDATE', 'INFO', 'MESSAGE', 'PRACK', 'OPTIONS'][this.#random.below(8)] ?? 'BYE';
    const offers = method === 'INVITE' || method === 'UPDATE';
    this.#ask(this.#request(talk, method, ++talk.cseq, offers ? chatSdp('again') : ''));
  }

  /** CANCELs what it has asked and nobody has answered. */
  cancel(): void {
    for (const [branch, invite] of this.#asked) {
      if (invite.method !== 'INVITE' || this.#settled.has(branch) || this.deaf) continue;
      const kept = invite.headers.filter(({ name }) => ['via', 'from', 'to', 'call-id', 'route'].includes(name));
      const lines = [...kept, headerField('CSeq', `${invite.cseq?.number ?? 1} CANCEL`)];
      this.#transmit(new SipRequest('CANCEL', invite.uri, lines));
    }
  }

  /** Ends every dialog it knows. */
  end(): void {
    this.cancel();
    for (const talk of this.#talks) this.#ask(this.#request(talk, 'BYE', ++talk.cseq));
  }

  #ask(request: SipRequest): void {
    const branch = `z9hG4bK${this.#peer.name}${this.#branches++}`;
    request.remove('via');
    request.prepend('Via', `SIP/2.0/UDP ${this.#peer.address};branch=${branch}`);
    this.#asked.set(branch, request);
    this.#repeat(request, branch);
  }

  #repeat(message: AnyMessage, until: string, after = 0): void {
    for (const delay of COPIES) {
      const onTimer = (): void => {
        if (!this.deaf && !this.#settled.has(until)) this.#transmit(message);
      };
      this.#world.clock.schedule(after + delay, { onTimer }, 'robot');
    }
  }

  #transmit(message: AnyMessage): void {
    if (message.kind === 'response') this.#peer.send(message);
    else this.#peer.sendRaw(message);
  }
}

/** The dialog that a response makes for whoever asked. */
function talkOf(response: SipResponse): Talk {
  return {
    callId: response.callId,
    local: response.header('from') ?? '',
    remote: response.header('to') ?? '',
    target: response.contact?.uri ?? 'sip:nobody.example',
    routes: response.list('record-route').reverse(),
    cseq: response.cseq?.number ?? 1,
  };
}
