/** The SIP messages and the history object of a pager-mode message. */
import type { MessageContext } from '../../../machines/message/context.ts';
import type { EffectOf } from '../../../machines/message/effects.ts';
import type { MessageIntent } from '../../history/intent.ts';
import { storedMessage } from '../../history/objects/stored-message.ts';
import { type HeaderField, headerField } from '../../sip/message/header.ts';
import { SipRequest } from '../../sip/message/message.ts';
import { quote } from '../../sip/message/params.ts';
import { passedHeaders, products } from '../compose/headers.ts';
import { type FolderNameSource, folderOf, headersOf, isText } from '../compose/history.ts';
import type { Identity } from '../identity.ts';
import type { MessagePapers } from './papers.ts';

/** The MESSAGE as it goes on while its sender waits: as received, but for what is of this hop (RFC 3261 16.6). */
export function composePass({ request, asked }: MessagePapers): SipRequest {
  const passed = request.copy();
  if (!asked.trusted) {
    passed.remove('p-asserted-identity');
    passed.remove('message-uid');
  }
  passed.remove('p-served-user');
  passed.uri = asked.destination;
  return passed;
}

export interface Delivery {
  /** Names the message: Call-ID and tag of every try. */
  readonly id: string;
  /** Which try it is, from 1. */
  readonly number: number;
  /** Seconds it is still worth having, where its sender said for how long it is. */
  readonly seconds: number | null;
}

/** A kept MESSAGE, as a request of our own: it says what its sender said, to a client that was not there then. */
export function composeDelivery({ request, asked }: MessagePapers, delivery: Delivery, identity: Identity): SipRequest {
  const { id, number, seconds } = delivery;
  const passed = passedHeaders(request).filter(
    (field) => field.name !== 'expires' && (asked.trusted || field.name !== 'p-asserted-identity'),
  );
  return new SipRequest(
    'MESSAGE',
    asked.destination,
    [
      headerField('Max-Forwards', '70'),
      headerField('From', `${request.fromAddress};tag=${id}`),
      headerField('To', request.toAddress),
      headerField('Call-ID', id),
      headerField('CSeq', `${number} MESSAGE`),
      headerField('User-Agent', products(identity, request.header('user-agent'))),
      ...(seconds === null ? [] : [headerField('Expires', String(seconds))]),
      ...request.lines('require'),
      ...request.lines('supported'),
      ...passed,
    ],
    request.body,
  );
}

/** A refusal of ours. */
export function composeMessageRefusal(
  { status, warning }: EffectOf<'refuse'>,
  context: MessageContext,
  identity: Identity,
): HeaderField[] {
  const headers: HeaderField[] = [];
  // warn-code 399 and the text of the clause, byte for byte.
  if (warning !== undefined) headers.push(headerField('Warning', `399 ${identity.host} ${quote(warning)}`));
  if (status === 420) headers.push(headerField('Unsupported', context.message.unsupported.proxyRequire.join(', ')));
  headers.push(headerField('Server', identity.products));
  return headers;
}

/** The served user's copy (digest 3.3). The same message gives the same intent, also when it is sent anew. */
export function pagerIntent(
  message: MessagePapers,
  context: MessageContext,
  folderName: readonly FolderNameSource[],
): MessageIntent {
  const { papers, request, body, cpim, key, asked } = message;
  const headers = headersOf({ id: key, role: context.role }, papers, papers.date, 'pager');
  const object = storedMessage(
    {
      imdnMessageId: cpim?.imdnMessageId ?? null,
      encoding: isText(body) ? '8bit' : 'binary',
      ...headers,
      from: cpim?.from ?? papers.from,
      to: cpim?.to ?? papers.to,
    },
    request.header('content-type') ?? 'text/plain',
    body,
  );
  const folder = folderOf(context, { papers, served: asked.served }, folderName);
  return { kind: 'message', id: `pager-${key}`, session: context.id, folder, at: papers.date, object, spooled: null };
}
