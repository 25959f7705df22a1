/** History-Info of an invitation that was redirected (RFC 7044, A-45). */
import { addressParam, parseNameAddress } from '../../sip/message/address.ts';
import { type HeaderField, headerField } from '../../sip/message/header.ts';
import type { SipRequest } from '../../sip/message/message.ts';

/**
 * The history with the redirection as its next entry; empty where the invitation brings none, since it is not for us
 * to begin one. The entry that was redirected says so (RFC 7044 10.2), the new one names it as its origin (10.4).
 */
export function redirectedHistory(received: SipRequest, target: string): HeaderField[] {
  const entries = received.list('history-info');
  const last = parseNameAddress(entries.at(-1) ?? '');
  const index = last === undefined ? undefined : addressParam(last, 'index');
  if (last === undefined || index === undefined) return [];
  const reason = last.uri.includes('?') ? '' : '?Reason=SIP%3Bcause%3D302';
  const next = index.replace(/\d+$/, (digits) => String(Number(digits) + 1));
  return [...entries.slice(0, -1), `<${last.uri}${reason}>${last.params}`, `<${target}>;index=${next};mp=${index}`].map(
    (entry) => headerField('History-Info', entry),
  );
}
