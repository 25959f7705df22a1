/** From a message to bytes. Content-Length is always written by the serializer, last, from the body it sends. */
import { bytesOfWire, joinBytes } from './bytes.ts';
import type { HeaderField } from './header.ts';
import type { AnyMessage, SipRequest, SipResponse } from './message.ts';

/** The message as bytes for the wire. Lines that nobody changed leave as they came. */
export function serialize(message: AnyMessage): Uint8Array {
  const head = message.kind === 'request' ? requestLine(message) : statusLine(message);
  return joinBytes(bytesOfWire(head + headerLines(message.headers, message.body.length)), message.body);
}

function requestLine(request: SipRequest): string {
  return `${request.method} ${request.uri} SIP/2.0\r\n`;
}

function statusLine(response: SipResponse): string {
  return `SIP/2.0 ${response.status} ${response.reason}\r\n`;
}

function headerLines(headers: readonly HeaderField[], bodyLength: number): string {
  let lines = '';
  for (let at = 0; at < headers.length; at++) {
    const field = headers[at] as HeaderField;
    if (field.name !== 'content-length') lines += `${field.line}\r\n`;
  }
  return `${lines}Content-Length: ${bodyLength}\r\n\r\n`;
}
