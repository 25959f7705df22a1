/**
 * What sip.js's dialogs do not do by themselves and keep to themselves: move their target by anything else than a
 * re-INVITE of the peer, and take a request whose method sip.js does not know.
 */
import { Dialog, type DialogState, type IncomingRequestMessage, type SessionDialog } from 'sip.js/lib/core/index.js';
import { parseUri } from '../sip/message/uri.ts';
import { VerbatimUri } from './verbatim-uri.ts';

interface Inside {
  readonly dialogState: DialogState;
  sequenceGuard(message: IncomingRequestMessage): boolean;
}

const inside = (dialog: SessionDialog): Inside => dialog as unknown as Inside;

/** RFC 3261 12.2 and RFC 3311: a Contact in these requests and their 2xx replaces the dialog's target. */
export function refreshTarget(dialog: SessionDialog, contact: string | undefined): void {
  if (contact === undefined || parseUri(contact) === undefined) return;
  inside(dialog).dialogState.remoteTarget = new VerbatimUri(contact);
}

/** Takes the number of a request that sip.js would refuse by its method. False: it was out of order and has its 500. */
export function takeInOrder(dialog: SessionDialog, message: IncomingRequestMessage): boolean {
  if (!inside(dialog).sequenceGuard(message)) return false;
  Dialog.prototype.receiveRequest.call(dialog, message);
  return true;
}
