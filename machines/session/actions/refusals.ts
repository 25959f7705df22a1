/** Refusing an invitation: 8.2.2.1 steps 1 to 3, 8.3.2.1 steps 1 to 7, and what RFC 3261 adds. */
import type { EndReason } from '../context.ts';
import { order } from '../order.ts';
import type { Turn } from '../turn.ts';
import { claim } from './claim.ts';

/** Warning texts, byte for byte: clients look for them. */
export const WARNINGS = {
  serviceNotAuthorised: '127 Service not authorised',
  versionNotSupported: '132 Version not supported',
  anonymityNotAllowed: '119 Anonymity not allowed',
  functionNotAllowed: '122 Function not allowed',
} as const;

function refuse(turn: Turn, status: number, warning?: string): void {
  turn.order(warning === undefined ? { type: 'refuse', status } : { type: 'refuse', status, warning });
  turn.setLeg('a', { phase: 'closed' });
  claim(turn, 'refused', null);
}

/** On the wire one 480 is as good as another; logs, metrics and the inspector tell them apart. */
function refuseUnavailable(turn: Turn, reason: EndReason): void {
  turn.order({ type: 'refuse', status: 480 });
  turn.setLeg('a', { phase: 'closed' });
  claim(turn, reason, null);
}

export const refusals = {
  /** 403 with "127 Service not authorised". */
  refuseServiceNotAuthorised: order((turn) => refuse(turn, 403, WARNINGS.serviceNotAuthorised)),
  /** 403 with "132 Version not supported". */
  refuseVersion: order((turn) => refuse(turn, 403, WARNINGS.versionNotSupported)),
  /** 403 with "119 Anonymity not allowed". */
  refuseAnonymity: order((turn) => refuse(turn, 403, WARNINGS.anonymityNotAllowed)),
  /** 403 with "122 Function not allowed". */
  refuseBlacklisted: order((turn) => refuse(turn, 403, WARNINGS.functionNotAllowed)),
  /** 480. */
  refuseDoNotDisturb: order((turn) => refuseUnavailable(turn, 'dnd')),
  /** 488. */
  refuseMedia: order((turn) => refuse(turn, 488)),
  /** 480. */
  refuseNoClient: order((turn) => refuseUnavailable(turn, 'noClient')),
  /** 480. */
  refuseNoSuitableClient: order((turn) => refuseUnavailable(turn, 'noSuitableClient')),
  /** 404: RFC 3261 8.2.2.1. */
  refuseUnknownUser: order((turn) => refuse(turn, 404)),
  /** 416: RFC 3261 8.2.2.1. */
  refuseScheme: order((turn) => refuse(turn, 416)),
  /** 420 with Unsupported: RFC 3261 8.2.2.3. */
  refuseExtension: order((turn) => refuse(turn, 420)),
  /** 422 with Min-SE: RFC 4028 9. */
  refuseInterval: order((turn) => refuse(turn, 422)),
};
