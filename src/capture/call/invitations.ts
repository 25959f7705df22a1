/** Invitations: requests that begin a dialog, who sent each, and which of them one function made of which. */
import type { SipRequest } from '../../sip/message/message.ts';
import { parseVia } from '../../sip/message/via.ts';
import type { SipSaid } from '../dissector.ts';
import type { Parties } from './parties.ts';

export interface Invitation {
  readonly heard: SipSaid;
  readonly request: SipRequest;
  readonly from: string;
  readonly to: string;
}

export function isInvitation({ message }: SipSaid): boolean {
  return message.kind === 'request' && message.method === 'INVITE' && message.toTag === undefined;
}

export function invitationOf(heard: SipSaid, parties: Parties): Invitation {
  return { heard, request: heard.message as SipRequest, from: parties.of(heard.from), to: parties.of(heard.to) };
}

/** How one invitation was made of another: passed on by a proxy, or sent anew by a B2BUA. */
export type Descent = 'proxy' | 'b2bua';

/** A B2BUA that sets no Contribution-ID sends its own INVITE soon. */
const SOON_MS = 10_000;

/** How `later`, sent by whoever received `earlier`, was made of it; undefined where it was not. */
export function descentOf(earlier: Invitation, later: Invitation): Descent | undefined {
  if (earlier.to !== later.from || later.heard.at < earlier.heard.at) return undefined;
  const [one, other] = [earlier.request, later.request];
  if (one.callId === other.callId) return branchesOf(other).includes(one.branch ?? '') ? 'proxy' : undefined;
  const contribution = one.header('contribution-id');
  if (contribution !== undefined) return contribution === other.header('contribution-id') ? 'b2bua' : undefined;
  const soon = later.heard.at - earlier.heard.at < SOON_MS;
  return soon && one.from?.uri === other.from?.uri && one.to?.uri === other.to?.uri ? 'b2bua' : undefined;
}

/** Of each Via, the latest first. */
function branchesOf(request: SipRequest): string[] {
  return request.list('via').flatMap((value) => {
    const via = parseVia(value);
    const branch = via?.branch;
    return branch === undefined ? [] : [branch];
  });
}
