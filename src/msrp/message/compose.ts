/** MSRP messages as they leave (RFC 4975 7.1, 7.2), as wire strings; bodies go beside them as bytes. */
import type { ContinuationFlag } from './head.ts';
import { statusComment } from './status.ts';

/** Start line and paths of a request. */
export function requestStart(id: string, method: string, toPath: string, fromPath: string): string {
  return `MSRP ${id} ${method}\r\nTo-Path: ${toPath}\r\nFrom-Path: ${fromPath}\r\n`;
}

/** What stands behind a body. */
export function endLine(id: string, flag: ContinuationFlag): string {
  return `\r\n-------${id}${flag}\r\n`;
}

/** The end of a message without a body: the CRLF of its last header is there already. */
export function bareEndLine(id: string, flag: ContinuationFlag): string {
  return `-------${id}${flag}\r\n`;
}

/** RFC 4975 7.2. `toPath` is the first URI of the request's From-Path for a SEND, all of it for other requests. */
export function response(id: string, status: number, toPath: string, fromPath: string): string {
  return `MSRP ${id} ${status} ${statusComment(status)}\r\nTo-Path: ${toPath}\r\nFrom-Path: ${fromPath}\r\n-------${id}$\r\n`;
}

/** RFC 4975 7.2: where the response to a request goes. */
export function responsePath(method: string, fromPath: string): string {
  if (method !== 'SEND') return fromPath;
  const space = fromPath.indexOf(' ');
  return space < 0 ? fromPath : fromPath.slice(0, space);
}
