/** Steps of a CPM session for SIPp: what Alice sends as caller and Bob as callee. */
import { keep, message, recv, type Step, send } from '../support/sipp.ts';

export type Role = 'orig' | 'term';

const SERVICE = 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.session';
const FEATURE = '+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session"';
/** Where the next request inside the dialog goes, by Contact and Record-Route. */
const PEER = '[next_url]';
const BOB = 'sip:bob@home.example';
const ALICE = '<sip:alice@home.example>;tag=alice-[pid]-[call_number]';

/** Retransmitted by SIPp until there is an answer. */
export const REPEATED = 'retrans="500"';

function chat(owner: string): string[] {
  return [
    'v=0',
    `o=${owner} 1 1 IN IP4 [local_ip]`,
    's=-',
    'c=IN IP4 [local_ip]',
    't=0 0',
    'm=message 2855 TCP/MSRP *',
    'a=accept-types:message/cpim',
    `a=path:msrp://[local_ip]:2855/${owner}[pid]s[call_number];tcp`,
  ];
}

interface RequestOptions {
  readonly method: string;
  readonly cseq: number;
  /** Names the transaction: its branch. */
  readonly transaction: string;
  readonly uri: string;
  readonly from: string;
  readonly to: string;
  readonly contact: string;
  readonly more?: readonly string[];
  readonly sdp?: readonly string[];
}

function request(options: RequestOptions): string[] {
  const { method, cseq, transaction, uri, from, to, contact, more = [], sdp } = options;
  const branch = `z9hG4bK-${transaction}-[pid]-[call_number]`;
  const head = [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=${branch};rport`,
    ...(uri === PEER ? ['[routes]'] : []),
    'Max-Forwards: 70',
    `From: ${from}`,
    `To: ${to}`,
    'Call-ID: [call_id]',
    `CSeq: ${cseq} ${method}`,
    `Contact: <sip:${contact}@[local_ip]:[local_port]>`,
    ...more,
  ];
  return message(head, sdp);
}

/** Headers that answers copy. */
const COPIED = ['Via', 'From', 'To', 'Call-ID', 'CSeq'];

/** Answers the request that came last. */
export function answer(status = 200, reason = 'OK'): Step {
  return send(message([`SIP/2.0 ${status} ${reason}`, ...COPIED.map((name) => `[last_${name}:]`)]));
}

/** A request comes that is answered by `answerKept`, after others have come. */
export function forLater(method: string): Step {
  return recv(
    method,
    '',
    COPIED.map((name) => keep(name, variable(name))),
  );
}

/** Answers the request kept by `forLater`. `tag` is for a request that has none in its To. */
export function answerKept(status: number, reason: string, tag = ''): Step {
  const copied = COPIED.map((name) => `${name}: [$${variable(name)}]${name === 'To' ? tag : ''}`);
  return send(message([`SIP/2.0 ${status} ${reason}`, ...copied]));
}

function variable(header: string): string {
  return header.replace('-', '');
}

/** A provisional response comes, or does not. */
export function maybe(...statuses: number[]): Step[] {
  return statuses.map((status) => recv(status, 'optional="true"'));
}

/** Tells the transactions of several dialogs apart. */
function dialogName(to = ''): string {
  return to.replace(/\W/g, '');
}

const SERVED: Record<Role, string> = {
  orig: '<sip:alice@home.example>;sescase=orig',
  term: '<sip:bob@home.example>;sescase=term',
};

export const caller = {
  /** `role` says whose function is called. */
  invite(role: Role, more: readonly string[] = []): Step {
    const papers = [
      'P-Asserted-Identity: <sip:alice@home.example>',
      `P-Served-User: ${SERVED[role]}`,
      `P-Asserted-Service: ${SERVICE}`,
      `Accept-Contact: *;${FEATURE}`,
      'Contribution-ID: contribution-[pid]-[call_number]',
      'Conversation-ID: conversation-[pid]-[call_number]',
      'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS',
      'Supported: timer',
      ...more,
    ];
    return send(this.request('INVITE', 1, 'invite', { uri: BOB, more: papers, sdp: chat('alice') }), REPEATED);
  },
  cancel(): Step {
    return send(this.request('CANCEL', 1, 'invite', { uri: BOB }), REPEATED);
  },
  /** Of a refused INVITE: in its transaction (RFC 3261 17.1.1.3). */
  ackRefusal(): Step {
    return send(this.request('ACK', 1, 'invite', { uri: BOB, to: '[last_To:]' }));
  },
  /** `to` is for one of several dialogs: its To, as an answer brought it. */
  ack(to?: string): Step {
    return send(this.request('ACK', 1, `ack${dialogName(to)}`, to === undefined ? {} : { to }));
  },
  bye(to?: string): Step {
    return send(this.request('BYE', 2, `bye${dialogName(to)}`, to === undefined ? {} : { to }), REPEATED);
  },
  /** The peer's BYE comes when this side has sent its own already, as far as the peer can tell. */
  byeAcross(): Step[] {
    return [forLater('BYE'), this.bye(), recv(200), answerKept(200, 'OK')];
  },
  reinvite(): Step {
    return send(this.request('INVITE', 2, 'reinvite', { sdp: chat('alice2') }), REPEATED);
  },
  ackReinvite(): Step {
    return send(this.request('ACK', 2, 'reinvite'));
  },
  request(
    method: string,
    cseq: number,
    transaction: string,
    options: Partial<Pick<RequestOptions, 'uri' | 'to' | 'more' | 'sdp'>> = {},
  ): string[] {
    const { uri = PEER } = options;
    const to = uri === PEER ? `<${BOB}>[peer_tag_param]` : `<${BOB}>`;
    return request({ method, cseq, transaction, uri, from: ALICE, to, contact: 'alice', ...options });
  },
};

/** The caller's address with its tag, as the INVITE brought it. */
const ALICE_AS_SHE_CAME = 'caller';
/** Tag of the callee. */
const BOB_TAG = ';tag=bob-[pid]-[call_number]';

export const callee = {
  invited(): Step {
    return recv('INVITE');
  },
  /** The INVITE comes, and the callee will send requests of its own in the dialog. */
  invitedToAct(): Step {
    return recv('INVITE', 'rrs="true"', [keep('From', ALICE_AS_SHE_CAME)]);
  },
  /** SIPp waits for something to come before it goes on from what it repeats: `once` is for a series. */
  respond(status: number, reason: string, options: { tag?: string; once?: boolean; more?: readonly string[] } = {}) {
    const { tag = BOB_TAG, once = status !== 200, more = [] } = options;
    const head = [
      `SIP/2.0 ${status} ${reason}`,
      '[last_Via:]',
      '[last_Record-Route:]',
      '[last_From:]',
      `[last_To:]${tag}`,
      '[last_Call-ID:]',
      '[last_CSeq:]',
      'Contact: <sip:bob@[local_ip]:[local_port]>',
      'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS',
      ...more,
    ];
    return send(message(head, status === 200 ? chat('bob') : []), once ? '' : REPEATED);
  },
  /** Refuses the INVITE kept by `forLater`. */
  refuseKept: (status: number, reason: string): Step => answerKept(status, reason, BOB_TAG),
  /**
   * A copy of the INVITE, repeated before the answer got through. SIPp knows one for a copy only until it has sent a
   * second message, and aborts the call after that; once one has been taken for what it is here, it knows the rest.
   */
  perhapsAgain(): Step {
    return recv('INVITE', 'optional="true"');
  },
  /** After `invitedToAct`. */
  bye(): Step {
    const from = `<${BOB}>${BOB_TAG}`;
    const to = `[$${ALICE_AS_SHE_CAME}]`;
    const options = { method: 'BYE', cseq: 1, transaction: 'bobbye', uri: PEER, from, to, contact: 'bob' };
    return send(request(options), REPEATED);
  },
  /** As the caller's. */
  byeAcross(): Step[] {
    return [forLater('BYE'), this.bye(), recv(200), answerKept(200, 'OK')];
  },
};
