/** The Session Info Object: describes a session in its folder (digest 3.3). */
import { type StoredHeaders, storedMessage, xmlEscaped } from './stored-message.ts';

export interface SessionInfo extends StoredHeaders {
  readonly group: boolean;
  readonly sdp: string;
  readonly invitedParticipants: readonly string[];
}

export function sessionInfoObject(info: SessionInfo): string {
  const body =
    '<?xml version="1.0" encoding="UTF-8"?>\r\n<session>' +
    `<session-type>${info.group ? 'Group' : '1-1'}</session-type>` +
    `<sdp>${xmlEscaped(info.sdp)}</sdp>` +
    `<invited-participants>${info.invitedParticipants.map(xmlEscaped).join(';')}</invited-participants>` +
    '</session>\r\n';
  return storedMessage(info, 'Application/X-CPM-Session', body);
}
