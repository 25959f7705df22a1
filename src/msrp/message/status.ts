/** Response codes (RFC 4975 10) with the words that stand beside them. */
export type MsrpStatus = 200 | 400 | 403 | 408 | 413 | 415 | 423 | 481 | 501 | 506;

const COMMENTS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  403: 'Forbidden',
  408: 'Request Timeout',
  413: 'Message Too Large',
  415: 'Unsupported Media Type',
  423: 'Parameter Out Of Bounds',
  481: 'Session Does Not Exist',
  501: 'Method Not Implemented',
  506: 'Session Already In Use',
};

export function statusComment(status: number): string {
  return COMMENTS[status] ?? 'Unknown';
}
