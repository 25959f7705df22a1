/**
 * What leads to a defect that `open-defects.test.ts` holds in its smallest form: where a scene has received it,
 * transactions may be left over. Each trigger goes away with the defect it stands for.
 */
import { bytesOfWire } from '../../../src/sip/message/bytes.ts';
import { type AnyMessage, SipRequest } from '../../../src/sip/message/message.ts';
import { parseMessage } from '../../../src/sip/message/parse.ts';
import { isSipUri, parseUri } from '../../../src/sip/message/uri.ts';

export function leadsToOpenDefect(received: readonly string[], sent: readonly string[]): boolean {
  const messages = received
    .map((text) => parseMessage(bytesOfWire(text)).message)
    .filter((message) => message !== undefined);
  const inDialog = messages.filter(
    (message): message is SipRequest => message instanceof SipRequest && message.toTag !== undefined,
  );
  return (
    hasTwoTransactions(inDialog) ||
    inDialog.some(goesNowhere) ||
    messages.some((message) => isForeignAnswer(message, sent))
  );
}

/** One in-dialog request that comes in two transactions. */
function hasTwoTransactions(requests: readonly SipRequest[]): boolean {
  const transactions = new Map<string, string>();
  return requests.some((request) => {
    if (request.method === 'ACK' || request.method === 'CANCEL') return false;
    const key = `${request.cseq?.number} ${request.method}`;
    const via = `${request.branch} ${request.via?.host}:${request.via?.port}`;
    const known = transactions.get(key);
    transactions.set(key, via);
    return known !== undefined && known !== via;
  });
}

/** A proxied request that can be sent nowhere: only literal addresses lead somewhere here. */
function goesNowhere(request: SipRequest): boolean {
  if (request.list('route').length === 0) return false;
  const uri = parseUri(request.uri);
  return uri === undefined || !isSipUri(uri) || !/^\d+(\.\d+){3}$/.test(uri.host);
}

/** A 2xx that belongs to no transaction, while an INVITE is still open. */
function isForeignAnswer(message: AnyMessage, sent: readonly string[]): boolean {
  if (message.kind === 'request' || message.status < 200 || message.status > 299) return false;
  return message.cseq?.method === 'INVITE' && !sent.some((text) => text.includes(`branch=${message.branch};`));
}
