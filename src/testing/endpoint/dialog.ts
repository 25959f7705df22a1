/** A dialog as an endpoint of the virtual world keeps it, and the requests it makes inside it. */
import { bytesOfWire, NO_BYTES, wireOfBytes } from '../../sip/message/bytes.ts';
import { headerField } from '../../sip/message/header.ts';
import { SipRequest, type SipResponse } from '../../sip/message/message.ts';
import { chatSdp } from '../peer.ts';

export interface EndpointDialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** From and To values of requests of ours. */
  readonly local: string;
  readonly remote: string;
  target: string;
  readonly routes: readonly string[];
  cseq: number;
  /** CSeq of the last INVITE of ours that was accepted. */
  inviteCSeq: number;
  confirmed: boolean;
  ended: boolean;
}

/** The dialog of a response to our INVITE (RFC 3261 12.1.2). */
export function dialogAsCaller(response: SipResponse): EndpointDialog {
  const cseq = response.cseq?.number ?? 1;
  return {
    callId: response.callId,
    localTag: response.fromTag ?? '',
    remoteTag: response.toTag ?? '',
    local: response.header('from') ?? '',
    remote: response.header('to') ?? '',
    target: response.contact?.uri ?? 'sip:nobody@10.0.0.10:5060',
    routes: response.list('record-route').reverse(),
    cseq,
    inviteCSeq: cseq,
    confirmed: response.status >= 200,
    ended: false,
  };
}

/** The dialog of a response of ours to an INVITE (RFC 3261 12.1.1). */
export function dialogAsCallee(invite: SipRequest, response: SipResponse): EndpointDialog {
  return {
    callId: invite.callId,
    localTag: response.toTag ?? '',
    remoteTag: invite.fromTag ?? '',
    local: response.header('to') ?? '',
    remote: invite.header('from') ?? '',
    target: invite.contact?.uri ?? 'sip:nobody@10.0.0.10:5060',
    routes: invite.list('record-route'),
    cseq: 0,
    inviteCSeq: 0,
    confirmed: response.status >= 200,
    ended: false,
  };
}

export interface RequestParts {
  readonly headers?: readonly (readonly [string, string])[];
  readonly sdp?: string;
}

/** A request inside the dialog, with everything but its Via. */
export function requestIn(
  dialog: EndpointDialog,
  method: string,
  cseq: number,
  contact: string,
  parts: RequestParts = {},
): SipRequest {
  const offers = method === 'INVITE' || method === 'UPDATE';
  const lines = [
    ...dialog.routes.map((route) => headerField('Route', route)),
    headerField('Max-Forwards', '70'),
    headerField('From', dialog.local),
    headerField('To', dialog.remote),
    headerField('Call-ID', dialog.callId),
    headerField('CSeq', `${cseq} ${method}`),
    ...(offers ? [headerField('Contact', `<${contact}>`)] : []),
    ...(parts.headers ?? []).map(([name, value]) => headerField(name, value)),
    ...(parts.sdp === undefined ? [] : [headerField('Content-Type', 'application/sdp')]),
  ];
  return new SipRequest(method, dialog.target, lines, parts.sdp === undefined ? NO_BYTES : bytesOfWire(parts.sdp));
}

/** An answer to the description in a message, line by line; an offer of one line where it has none. */
export function answerTo(message: SipRequest | SipResponse, owner: string, rejects: readonly number[]): string {
  const lines = wireOfBytes(message.body).match(/^m=\S+ \d+/gm) ?? ['m=message 1'];
  const media = lines.map((line) => line.slice(2, line.indexOf(' ')));
  const ports = lines.map((line, at) => (line.endsWith(' 0') || rejects.includes(at) ? 0 : 3000 + at));
  return chatSdp(owner, ports, media);
}
