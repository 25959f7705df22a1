/** Reading a MESSAGE of the CPM message service: what its guards ask, and the papers its effects are made from. */
import type { Content, MessageFacts } from '../../../machines/message/context.ts';
import { type CpimHead, isComposing, isNotification, parseCpimHead } from '../../cpim/cpim.ts';
import type { PolicyQuestion } from '../../policy/rules.ts';
import { mediaType } from '../../sip/message/body.ts';
import { bytesOfWire, wireOfBytes } from '../../sip/message/bytes.ts';
import type { SipRequest, SipResponse } from '../../sip/message/message.ts';
import { parseMessage } from '../../sip/message/parse.ts';
import type { SessionPapers } from '../dossier.ts';
import { requestFacts } from '../facts.ts';
import { fingerprint } from '../fingerprint.ts';
import { type Asked, papersOf, type Reading, readAsked } from '../invitation.ts';

/** Name of the service behind the common prefix of CPM services (digest 3.2). */
export const MESSAGE_SERVICE = 'msg';

export interface MessagePapers {
  readonly asked: Asked;
  readonly facts: MessageFacts;
  readonly request: SipRequest;
  /** The body as wire text. */
  readonly body: string;
  /** Undefined where it is not CPIM. */
  readonly cpim: CpimHead | undefined;
  readonly papers: SessionPapers;
  /** The same for every copy of the message, also one that its sender made anew. */
  readonly key: string;
  /** The same for every copy of the request: it goes on under the same branch, whichever process forwards it. */
  readonly branch: string;
  /** What the far side answered last, until that has been passed on. */
  response: SipResponse | null;
  /** The same papers, read from the text of the request. */
  readonly again: (text: string) => MessagePapers;
}

/** `ours`: a delivery of ours that came back through the core. */
export function readMessage(
  request: SipRequest,
  trusted: boolean,
  ours: boolean,
  at: number,
  by: Reading,
): MessagePapers {
  // What was said in a session is kept as the INVITE of that session with the message as its body.
  const inSession = request.method === 'INVITE';
  const asked = readAsked(request, trusted, inSession ? 'session' : MESSAGE_SERVICE, by);
  const body = wireOfBytes(request.body);
  const type = mediaType(request.header('content-type') ?? '');
  const cpim = type === 'message/cpim' ? parseCpimHead(body) : undefined;
  const { service, originators, destination } = asked;
  return {
    asked,
    facts: {
      ...requestFacts(request, { service, originators, destination }),
      content: contentOf(type, cpim),
      bytes: request.body.length,
      // Expires of an INVITE is about its answer.
      lifetimeSeconds: inSession ? null : lifetimeOf(request),
      wantsFailure: cpim?.wishes.includes('negative-delivery') ?? false,
      ours,
      inSession,
    },
    request,
    body,
    cpim,
    papers: papersOf(asked, request, at),
    key: keyOf(request, asked, cpim, body),
    branch: `m${fingerprint(linesOf(request, 'via', 'call-id', 'cseq', 'from', 'p-served-user'))}`,
    response: null,
    again: (text) => readMessage(requestOf(text), trusted, ours, at, by),
  };
}

/** What policy rules are asked about: a message is one stream of the kind that chats are. */
export function messageQuestion({ asked, facts }: MessagePapers, at: number): PolicyQuestion {
  const { role, service, served, destination } = asked;
  return { role, service, user: served, destination, originators: facts.originators, media: ['message'], at };
}

/** A request out of what it was serialized to. Throws where the text is something else. */
export function requestOf(text: string): SipRequest {
  const { message } = parseMessage(bytesOfWire(text));
  if (message?.kind !== 'request') throw new Error('its request can not be read');
  return message;
}

function contentOf(type: string, cpim: CpimHead | undefined): Content {
  const head = cpim ?? { contentType: type };
  if (isNotification(head)) return 'notification';
  return isComposing(head) ? 'composing' : 'message';
}

/** RFC 3428 4: seconds for which the message is worth having. */
function lifetimeOf(request: SipRequest): number | null {
  const digits = /^\s*(\d{1,10})\s*$/.exec(request.header('expires') ?? '')?.[1];
  return digits === undefined ? null : Number(digits);
}

/** RFC 5438 6.3: a sender that tries again gives the message the same Message-ID. */
function keyOf(request: SipRequest, { role, served }: Asked, cpim: CpimHead | undefined, body: string): string {
  const name = cpim?.imdnMessageId ?? linesOf(request, 'call-id', 'cseq');
  return fingerprint([role, served, request.from?.uri ?? '', name, body].join('\n'));
}

function linesOf(request: SipRequest, ...names: readonly string[]): string {
  return names.map((name) => request.header(name) ?? '').join('\n');
}
