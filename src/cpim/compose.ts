/** A `message/cpim` body as it leaves (RFC 3862, RFC 5438 6.3). */

export interface CpimParts {
  /** Values of From and To: a URI in angle brackets, perhaps with a name before it. */
  readonly from: string;
  readonly to: string;
  /** RFC 3339. */
  readonly dateTime: string;
  /** IMDN Message-ID. */
  readonly messageId: string;
  /** What the sender wants to be told; nothing by default. */
  readonly wishes?: readonly string[];
  /** With its parameters. */
  readonly contentType: string;
}

export function composeCpim(parts: CpimParts, content: Uint8Array): Buffer {
  const { from, to, dateTime, messageId, wishes = [], contentType } = parts;
  const lines = [
    `From: ${from}`,
    `To: ${to}`,
    `DateTime: ${dateTime}`,
    'NS: imdn <urn:ietf:params:imdn>',
    `imdn.Message-ID: ${messageId}`,
    ...(wishes.length === 0 ? [] : [`imdn.Disposition-Notification: ${wishes.join(', ')}`]),
  ];
  // What comes from a stranger must not end its line.
  const head = lines.map((line) => `${line.replace(/[\r\n]/g, ' ')}\r\n`).join('');
  return Buffer.concat([Buffer.from(`${head}\r\nContent-Type: ${contentType}\r\n\r\n`), content]);
}
