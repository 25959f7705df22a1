/** Answers to requests that belong to no session and that nobody else here takes (RFC 3261 8.2, 11.2). */
import { type HeaderField, headerField } from '../sip/message/header.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { parseUri } from '../sip/message/uri.ts';
import { unsupported } from './facts.ts';

export interface OutsideAnswer {
  readonly status: number;
  readonly headers: readonly HeaderField[];
}

const SCHEMES = ['sip', 'sips', 'tel'];

/** In the order of 8.2: the method, the Request-URI, the extensions. */
export function outsideAnswer(request: SipRequest, methods: readonly string[]): OutsideAnswer {
  const allow = headerField('Allow', methods.join(', '));
  if (request.method !== 'OPTIONS') return { status: request.method === 'SUBSCRIBE' ? 489 : 405, headers: [allow] };
  if (!SCHEMES.includes(parseUri(request.uri)?.scheme ?? '')) return { status: 416, headers: [] };
  const unknown = unsupported(request, 'require');
  if (unknown.length > 0) return { status: 420, headers: [headerField('Unsupported', unknown.join(', '))] };
  return { status: 200, headers: [allow] };
}
