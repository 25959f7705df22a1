/** From a message to bytes. Content-Length is always written by the serializer, last, from the body it sends. */
import { bytesOfPacket, wireOfBytes } from './bytes.ts';
import type { HeaderField } from './header.ts';
import type { AnyMessage, SipRequest, SipResponse } from './message.ts';

/**
 * A message ready for the wire, in the form that is cheapest to keep: what lingers for its transaction's 32 seconds
 * is one short string instead of a share of a buffer pool.
 */
export interface Packet {
  readonly head: string;
  readonly body: Uint8Array;
}

/** The message as it will leave. Lines that nobody changed leave as they came. */
export function packet(message: AnyMessage): Packet {
  const start = message.kind === 'request' ? requestLine(message) : statusLine(message);
  return { head: start + headerLines(message.headers, message.body.length), body: message.body };
}

export function packetBytes({ head, body }: Packet): Uint8Array {
  return bytesOfPacket(head, body);
}

/** The message as bytes for the wire. */
export function serialize(message: AnyMessage): Uint8Array {
  return packetBytes(packet(message));
}

/** The same as a wire string. */
export function wireOfMessage(message: AnyMessage): string {
  const { head, body } = packet(message);
  return body.length === 0 ? head : head + wireOfBytes(body);
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
