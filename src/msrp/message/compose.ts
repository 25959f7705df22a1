/** MSRP messages as they leave (RFC 4975 7.1, 7.2), as wire strings; bodies go beside them as bytes. */
import type { Beginning, ContinuationFlag } from './head.ts';
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

/** A response is `MSRP`, the id, this, the id again and `$`. */
export function answerBetween(status: number, to: Pick<Beginning, 'method' | 'toPath' | 'fromPath'>): string {
  const paths = `To-Path: ${responsePath(to.method, to.fromPath)}\r\nFrom-Path: ${firstOf(to.toPath)}\r\n`;
  return ` ${status} ${statusComment(status)}\r\n${paths}-------`;
}

/** RFC 4975 7.2: where the response to a request goes: for a SEND to the first URI of its From-Path, else to all. */
function responsePath(method: string, fromPath: string): string {
  return method === 'SEND' ? firstOf(fromPath) : fromPath;
}

function firstOf(path: string): string {
  const space = path.indexOf(' ');
  return space < 0 ? path : path.slice(0, space);
}
