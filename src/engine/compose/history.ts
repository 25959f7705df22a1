/** History objects and intents from a session's papers (8.5, digest 3.3). */
import type { LegName, SessionContext } from '../../../machines/session/context.ts';
import type { EffectOf } from '../../../machines/session/effects.ts';
import type { FolderRef, MessageIntent, OpenIntent, SealIntent } from '../../history/intent.ts';
import { groupStateObject, type Participant } from '../../history/objects/group-state.ts';
import { sessionInfoObject } from '../../history/objects/session-info.ts';
import { type StoredHeaders, storedMessage } from '../../history/objects/stored-message.ts';
import { parseNameAddress } from '../../sip/message/address.ts';
import type { Dossier, SessionPapers } from '../dossier.ts';
import { fingerprint } from '../fingerprint.ts';
import type { ChatMessage } from '../ports.ts';

export type FolderNameSource = 'contributionId' | 'sessionId' | 'callId';

export interface HistoryNaming {
  readonly folderName: readonly FolderNameSource[];
  readonly groupState: 'always' | 'groupOnly';
}

/** named by the Contribution-ID; without one by the Session-ID (RFC 7989), else by a hash of the Call-ID. */
export function folderOf(
  context: Pick<SessionContext, 'profile'>,
  dossier: Pick<Dossier, 'papers' | 'served'>,
  sources: readonly FolderNameSource[],
): FolderRef {
  const { papers } = dossier;
  const contributionId = folderNameIn(papers, sources);
  const user = context.profile?.user ?? dossier.served;
  return { user, conversationId: papers.conversationId || contributionId, contributionId };
}

function folderNameIn(papers: SessionPapers, sources: readonly FolderNameSource[]): string {
  for (const source of sources) {
    const name = source === 'callId' ? fingerprint(papers.callId) : papers[source];
    if (name !== null && name !== '') return name;
  }
  return fingerprint(papers.callId);
}

/** Names of what a session orders for its history. */
export function historyWorkIds(session: string): readonly [open: string, seal: string] {
  return [`${session}-open`, `${session}-seal`];
}

/** A session opens its history once and seals it once, so an intent ordered anew after a restart is the same one. */
export function openIntent(context: SessionContext, dossier: Dossier, naming: HistoryNaming): OpenIntent {
  const { papers } = dossier;
  const object = sessionInfoObject({
    group: papers.group,
    sdp: sessionDescription(dossier),
    invitedParticipants: papers.invited,
    ...headersOf(context, papers, papers.date, 'session'),
  });
  const folder = folderOf(context, dossier, naming.folderName);
  const [id] = historyWorkIds(context.id);
  return { kind: 'open', id, session: context.id, folder, at: papers.date, object };
}

/** The inviter's offer; where it came late, the one the far side made instead. */
function sessionDescription(dossier: Dossier): string {
  const { a, ...far } = dossier.books;
  return a?.received ?? Object.values(far).find((book) => book.received !== null)?.received ?? '';
}

export function sealIntent(
  order: Pick<EffectOf<'sealHistory'>, 'groupStatePointer' | 'reassertSessionInfo'>,
  context: SessionContext,
  dossier: Dossier,
  at: number,
  naming: HistoryNaming,
): SealIntent {
  const { papers } = dossier;
  const wanted = naming.groupState === 'always' || papers.group;
  const object = groupStateObject({
    group: papers.group,
    lastFocusSessionId: papers.farContact ?? '',
    participants: participantsOf(dossier),
    ...headersOf(context, papers, at, 'group-state'),
  });
  return {
    kind: 'seal',
    id: historyWorkIds(context.id)[1],
    session: context.id,
    folder: folderOf(context, dossier, naming.folderName),
    at,
    object: wanted ? object : null,
    groupStatePointer: order.groupStatePointer,
    reassertSessionInfo: order.reassertSessionInfo,
  };
}

/** The same message gives the same intent, also when its sender sends it again after a restart. */
export function messageIntent(
  from: LegName,
  message: ChatMessage,
  context: SessionContext,
  dossier: Dossier,
  at: number,
  naming: HistoryNaming,
): MessageIntent {
  const { cpim, spooled, content, messageId, contentType } = message;
  const { papers } = dossier;
  const sent = context.legs[from]?.peer === 'client';
  // The inviter is From of the invitation; what the other side says goes the other way.
  const [writer, reader] = from === 'a' ? [papers.from, papers.to] : [papers.to, papers.from];
  const headers = headersOf(context, papers, at, `${from}.${messageId}`);
  const object = storedMessage(
    {
      imdnMessageId: cpim?.imdnMessageId ?? null,
      encoding: spooled === null && isText(content) ? '8bit' : 'binary',
      ...headers,
      from: cpim?.from ?? writer,
      to: cpim?.to ?? reader,
      direction: sent ? 'out' : 'in',
    },
    contentType,
    content,
  );
  const folder = folderOf(context, dossier, naming.folderName);
  return {
    kind: 'message',
    id: `${context.id}-${from}-${messageId}`,
    session: context.id,
    folder,
    at,
    object,
    spooled,
  };
}

/** Whether it may stand in a mail without further ado: lines of at most 998 characters, each ended by CRLF (RFC 2045 2.8). */
export function isText(content: string): boolean {
  return !content.includes('\0') && content.split('\r\n').every((line) => line.length <= 998 && !/[\r\n]/.test(line));
}

export function headersOf(
  context: Pick<SessionContext, 'role' | 'id'>,
  papers: SessionPapers,
  date: number,
  kind: string,
): StoredHeaders {
  return {
    from: papers.from,
    to: papers.to,
    date,
    direction: context.role === 'orig' ? 'out' : 'in',
    conversationId: papers.conversationId,
    contributionId: papers.contributionId,
    inReplyToContributionId: papers.inReplyToContributionId,
    service: papers.service,
    messageId: `${kind}.${context.id}@cpm`,
    subject: papers.subject,
  };
}

/**
 * Whoever was there: by the invitation, by what was said, by the focus. Whoever has left, by the focus, is not in it; nor
 * is one who was invited and never came, where the focus has told of everybody.
 */
function participantsOf({ papers, spoke, conference }: Dossier): Participant[] {
  const { users, gone, whole } = conference ?? { users: [], gone: [], whole: false };
  const left = new Set(gone);
  const participants = new Map<string, Participant>();
  for (const value of [papers.from, papers.to, ...(whole ? [] : papers.invited), ...(spoke ?? [])]) {
    const address = parseNameAddress(value);
    const uri = address?.uri ?? value;
    if (!left.has(uri) && !participants.has(uri)) participants.set(uri, { name: address?.display ?? '', address: uri });
  }
  for (const { entity, name } of users) {
    participants.set(entity, { name: name === '' ? (participants.get(entity)?.name ?? '') : name, address: entity });
  }
  return [...participants.values()];
}
