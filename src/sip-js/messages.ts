/**
 * Between sip.js's messages and ours. sip.js holds a message as text and counts a body as UTF-8, so this is where
 * bytes become text: a body that is no UTF-8 is changed on its way.
 */
import type { Body, IncomingMessage, IncomingResponseMessage, RequestOptions } from 'sip.js/lib/core/index.js';
import { mediaType, SDP_TYPE } from '../sip/message/body.ts';
import { NO_BYTES, textOfWire } from '../sip/message/bytes.ts';
import type { HeaderField } from '../sip/message/header.ts';
import type { AnyMessage, SipRequest, SipResponse } from '../sip/message/message.ts';
import { type Parsed, parseMessage } from '../sip/message/parse.ts';
import { serialize } from '../sip/message/serialize.ts';
import type { Payload } from '../sip/port.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

export function bytesOfText(text: string): Uint8Array {
  return encoder.encode(text);
}

export function textOfBytes(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The message as sip.js sends it. */
export function textOf(message: AnyMessage): string {
  return textOfBytes(serialize(message));
}

/** What came, read by our own parser from the text that sip.js keeps. */
export function parsedOf(message: IncomingMessage): Parsed {
  return parseMessage(bytesOfText(message.data));
}

/** A request that was found fit when it came. */
export function requestOf(message: IncomingMessage): SipRequest {
  return parsedOf(message).message as SipRequest;
}

/** The response a peer sent; undefined for one that sip.js made up because nobody answered or nothing could be sent. */
export function responseOf(message: IncomingResponseMessage): SipResponse | undefined {
  const parsed = (message.data as string | undefined) === undefined ? undefined : parsedOf(message).message;
  return parsed?.kind === 'response' ? parsed : undefined;
}

/** Headers and body as sip.js takes them for a request of its own making. */
export function requestOptions(payload: Payload, added: readonly HeaderField[] = []): RequestOptions {
  const body = bodyOf(payload);
  const written = ['content-type', 'content-length'];
  const extraHeaders = [...payload.headers, ...added]
    .filter((field) => !written.includes(field.name))
    .map((field) => textOfWire(field.line));
  return body === undefined ? { extraHeaders } : { extraHeaders, body };
}

/** The body with its type, which sip.js writes itself. */
function bodyOf(payload: Payload): Body | undefined {
  const bytes = payload.body ?? NO_BYTES;
  if (bytes.length === 0) return undefined;
  const field = payload.headers.find((header) => header.name === 'content-type');
  const contentType = field === undefined ? 'application/octet-stream' : textOfWire(field.value);
  const contentDisposition = mediaType(contentType) === SDP_TYPE ? 'session' : 'render';
  return { contentType, contentDisposition, content: textOfBytes(bytes) };
}
