/** CPIM messages as clients write them (RFC 3862, RFC 5438). */
export interface Cpim {
  readonly from?: string;
  readonly to?: string;
  readonly id?: string;
  readonly type?: string;
}

export function cpim(content: string, more: Cpim = {}): string {
  const { from = 'Alice <sip:alice@home.example>', to = 'Bob <sip:bob@home.example>', id = 'imdn-1' } = more;
  return (
    `From: ${from}\r\nTo: ${to}\r\nDateTime: 2026-01-02T15:04:05Z\r\n` +
    `NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: ${id}\r\n` +
    `imdn.Disposition-Notification: positive-delivery\r\n\r\nContent-Type: ${more.type ?? 'text/plain; charset=utf-8'}\r\n\r\n${content}`
  );
}
