/** Delivery status notifications (RFC 3464): what became of a mail, as a mail server tells it. */

export type DsnOutcome = 'delivered' | 'failed' | 'delayed' | 'unknown';

export interface DeliveryStatus {
  readonly outcome: DsnOutcome;
  /** `5.1.1`; empty where it is not said. */
  readonly status: string;
}

/** 2.3.3: what was handed to a server that tells no more, or to a list, is as far as anybody will ever know. */
const OUTCOMES: Readonly<Record<string, DsnOutcome>> = {
  delivered: 'delivered',
  expanded: 'delivered',
  failed: 'failed',
  delayed: 'delayed',
};

/** The first recipient of a `message/delivery-status` body: our mails have only one. */
export function readDeliveryStatus(text: string): DeliveryStatus | undefined {
  // 2.1: groups of fields, the message's first, then each recipient's.
  for (const group of text.replace(/\r\n/g, '\n').split(/\n[ \t]*\n/)) {
    const action = /^action[ \t]*:[ \t]*([a-z]+)/im.exec(group)?.[1]?.toLowerCase();
    if (action === undefined) continue;
    const status = /^status[ \t]*:[ \t]*(\d\.\d{1,3}\.\d{1,3})/im.exec(group)?.[1] ?? '';
    return { outcome: OUTCOMES[action] ?? 'unknown', status };
  }
  return undefined;
}
