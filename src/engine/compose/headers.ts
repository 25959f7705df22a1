/** Which headers pass from one leg of a B2BUA to the other, and which are each leg's own (digest 3.2). */
import type { LegTimer } from '../../../machines/session/context.ts';
import type { NameAddress } from '../../sip/message/address.ts';
import { type HeaderField, headerField } from '../../sip/message/header.ts';
import type { AnyMessage } from '../../sip/message/message.ts';
import { withoutParams } from '../../sip/message/params.ts';
import type { ContactCipher, Identity } from '../identity.ts';

/**
 * Headers of one hop, one dialog or one leg. Anything else passes unchanged, known or not: Subject, Contribution-ID,
 * Accept-Contact, Referred-By, bodies with their types …
 */
const OF_ONE_LEG = new Set([
  'via',
  'route',
  'record-route',
  'path',
  'from',
  'to',
  'call-id',
  'cseq',
  'max-forwards',
  'contact',
  'content-length',
  'timestamp',
  // RFC 4028: one timer for each leg.
  'session-expires',
  'min-se',
  'supported',
  'require',
  // RFC 3262: numbered on each leg.
  'rseq',
  'rack',
  // Replaced by our own, the peer's tokens behind.
  'user-agent',
  'server',
  // The PF's alone; a peer's is not believed (digest 3.2).
  'message-uid',
  // For this hop only: whose function the next hop is, it learns from its own core (RFC 5502 5).
  'p-served-user',
]);

/** The headers of a message that go on to the other leg. */
export function passedHeaders(message: AnyMessage): HeaderField[] {
  return message.headers.filter((field) => !OF_ONE_LEG.has(field.name));
}

/** Our Contact toward one leg: our own URI, with the feature parameters of the other side's (4e, 4f, A-08). */
export function contactValue(peer: NameAddress | undefined, identity: Identity, contacts: ContactCipher): string {
  const uri = peer === undefined ? `sip:${identity.contact}` : `sip:${contacts.seal(peer.uri)}@${identity.contact}`;
  // `expires` and `q` are about registrations and redirections, not about this dialog.
  const features = peer === undefined || peer.params === '' ? '' : withoutParams(peer.params, 'expires', 'q');
  return `<${uri}>${features}`;
}

/** Supported and Require of a leg: the other side's option tags, `timer` being each leg's own affair. */
export function optionHeaders(message: AnyMessage, requireTimer: boolean): HeaderField[] {
  const supported = message.list('supported').filter((tag) => tag.toLowerCase() !== 'timer');
  const required = message
    .list('require')
    .filter((tag) => tag.toLowerCase() !== 'timer' && tag.toLowerCase() !== '100rel');
  if (message.kind === 'request' && message.lists('require', '100rel')) required.push('100rel');
  const fields = [headerField('Supported', [...supported, 'timer'].join(', '))];
  if (requireTimer) required.push('timer');
  if (required.length > 0) fields.push(headerField('Require', required.join(', ')));
  return fields;
}

/** Session-Expires of a request of ours (RFC 4028 7.1, A-33: the peer is asked to refresh). */
export function timerOfRequest(se: number, minSE: number, refresher: 'peer' | 'us'): HeaderField[] {
  const role = refresher === 'peer' ? 'uas' : 'uac';
  return [headerField('Session-Expires', `${se};refresher=${role}`), headerField('Min-SE', String(minSE))];
}

/** Session-Expires of a 2xx of ours (RFC 4028 9). */
export function timerOfAnswer(timer: LegTimer): HeaderField {
  return headerField('Session-Expires', `${timer.se};refresher=${timer.refresher === 'us' ? 'uas' : 'uac'}`);
}

/** Our product tokens, then those of the side we speak for. */
export function products(identity: Identity, peer: string | undefined): string {
  return peer === undefined ? identity.products : `${identity.products} ${peer}`;
}
