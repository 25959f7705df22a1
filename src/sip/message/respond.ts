/** Making a response to a request (RFC 3261 8.2.6). */
import { NO_BYTES } from './bytes.ts';
import { type HeaderField, headerField } from './header.ts';
import { type SipRequest, SipResponse } from './message.ts';
import { reasonPhrase } from './reason.ts';

export interface ResponseParts {
  readonly reason?: string | undefined;
  /** Put on To where the request's has none. A 100 carries none (8.2.6.2). */
  readonly toTag?: string | undefined;
  readonly headers?: readonly HeaderField[];
  readonly body?: Uint8Array | undefined;
  /** Copies Record-Route: for responses that make a dialog (12.1.1). */
  readonly recordRoute?: boolean;
}

/** A response with the headers of the request that every response copies. */
export function responseTo(request: SipRequest, status: number, parts: ResponseParts = {}): SipResponse {
  const headers: HeaderField[] = [];
  for (const field of request.headers) {
    switch (field.name) {
      case 'via':
      case 'from':
      case 'call-id':
      case 'cseq':
        headers.push(field);
        break;
      case 'to':
        headers.push(parts.toTag === undefined || request.toTag !== undefined ? field : tagged(field, parts.toTag));
        break;
      case 'record-route':
        if (parts.recordRoute === true) headers.push(field);
        break;
      case 'timestamp':
        if (status === 100) headers.push(field);
        break;
    }
  }
  if (parts.headers !== undefined) for (const field of parts.headers) headers.push(field);
  return new SipResponse(status, parts.reason ?? reasonPhrase(status), headers, parts.body ?? NO_BYTES);
}

/**
 * A refusal given without a transaction. RFC 3261 8.2.7: the tag follows from the request, so that each copy of it gets
 * the same answer.
 */
export function statelessRefusal(request: SipRequest, status: number): SipResponse {
  const toTag = (request.branch ?? '').replace(/[^A-Za-z0-9]/g, '').slice(-24) || 'refused';
  return responseTo(request, status, { toTag });
}

function tagged(to: HeaderField, tag: string): HeaderField {
  return headerField('To', `${to.value};tag=${tag}`);
}
