/** The Group State Object: who was in the session when it ended (digest 3.3, A-28). */
import { rfc3339, type StoredHeaders, storedMessage, xmlEscaped } from './stored-message.ts';

export interface Participant {
  readonly name: string;
  /** Address of the participant. */
  readonly address: string;
}

export interface GroupState extends StoredHeaders {
  readonly group: boolean;
  /** URI of the focus; for a session of two the far side's Contact. */
  readonly lastFocusSessionId: string;
  readonly participants: readonly Participant[];
}

export function groupStateObject(state: GroupState): string {
  const participants = state.participants
    .map(({ name, address }) => `<participant name="${xmlEscaped(name)}" comm-addr="${xmlEscaped(address)}"/>`)
    .join('');
  const body =
    '<?xml version="1.0" encoding="UTF-8"?>\r\n' +
    `<groupstate timestamp="${rfc3339(state.date)}" lastfocussessionid="${xmlEscaped(state.lastFocusSessionId)}" ` +
    `group-type="${state.group ? 'Open' : '1-1'}">${participants}</groupstate>\r\n`;
  return storedMessage(state, 'Application/group-state-object+xml', body);
}
