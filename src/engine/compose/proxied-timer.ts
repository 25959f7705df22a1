/** RFC 4028 8: what a proxy does about session timers. It asks for an interval and watches; it never refreshes. */

import { proxiedInterval } from '../../../machines/session/actions/session-timer.ts';
import type { SessionContext } from '../../../machines/session/context.ts';
import type { SipRequest } from '../../sip/message/message.ts';

/** 8.1: an interval is put in, or lowered, but never below what the caller can bear. */
export function proxiedTimerOfRequest(request: SipRequest, context: SessionContext): void {
  const { timer } = context.invite;
  const interval = proxiedInterval(context);
  if (timer.se !== null && timer.se <= interval) return;
  const refresher = timer.refresher === null ? '' : `;refresher=${timer.refresher}`;
  request.set('Session-Expires', `${interval}${refresher}`);
}

/** 8.2: where the callee knows no timers and the caller does, the caller is made to refresh: after how many seconds. */
export function proxiedTimerOfAnswer(context: SessionContext): number | undefined {
  return context.invite.timer.supported ? proxiedInterval(context) : undefined;
}
