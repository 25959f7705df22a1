/** From what was heard to sessions, each with its ladder and what the invariants say of it. */
import type { LadderEntry } from '../inspect/ladder.ts';
import { chatsInto, gapsInto } from './call/chat.ts';
import { invitationOf, isInvitation } from './call/invitations.ts';
import { type Node, nodesIn } from './call/nodes.ts';
import { Parties } from './call/parties.ts';
import type { CapturedSession } from './call/session.ts';
import { sessionsAt } from './call/sessions.ts';
import { CaptureError } from './capture-error.ts';
import type { Hearing, SipSaid } from './dissector.ts';
import { drawnOf, entriesOf } from './drawing.ts';
import { capturedEvidence } from './evidence.ts';
import { type Verdict, verdictsOn } from './verdicts.ts';

export interface AnalysisOptions {
  /** Addresses of Participating Functions, `10.0.0.1:5060`; empty: they are found. */
  readonly nodes: readonly string[];
  /** Addresses behind which IWFs are reached. */
  readonly iwfs: readonly string[];
}

export interface AnalysedSession {
  readonly session: CapturedSession;
  readonly entries: readonly LadderEntry[];
  readonly verdicts: readonly Verdict[];
}

export interface Analysis {
  readonly parties: Parties;
  readonly nodes: readonly Node[];
  readonly sessions: readonly AnalysedSession[];
  /** SIP messages in the capture. */
  readonly messages: number;
  readonly notes: readonly string[];
}

/** Throws {@link CaptureError} where no function is found, or one that was named is not there. */
export function analysed(hearing: Hearing, { nodes: given, iwfs }: AnalysisOptions): Analysis {
  const { heard, ended } = hearing;
  const parties = new Parties(heard);
  const sip = heard.filter((each) => each.kind === 'sip');
  const invitations = sip.filter(isInvitation).map((each) => invitationOf(each, parties));
  const nodes = given.length > 0 ? givenNodes(given, sip, parties) : nodesIn(invitations);
  if (nodes.length === 0) throw new CaptureError(noNode(sip, parties));
  const notes = [...hearing.notes];
  const sessions: CapturedSession[] = [];
  for (const { address } of nodes) {
    const seen = sessionsAt(address, heard, parties);
    const past = chatsInto(seen.sessions, heard);
    gapsInto(seen.sessions, heard);
    sessions.push(...seen.sessions);
    if (seen.strangers > 0)
      notes.push(`${seen.strangers} requests at ${address} belong to no session seen from its beginning`);
    if (past > 0 && nodes.length === 1) notes.push(`${past} pieces of MSRP do not pass ${address}`);
  }
  const analysedSessions = sessions.map((session) => ({
    session,
    entries: entriesOf(drawnOf(session)),
    verdicts: verdictsOn(capturedEvidence(session, iwfs, ended)),
  }));
  return { parties, nodes, sessions: analysedSessions, messages: sip.length, notes };
}

function givenNodes(given: readonly string[], sip: readonly SipSaid[], parties: Parties): Node[] {
  const seen = addressesIn(sip, parties);
  return given.map((address) => {
    if (seen.includes(address)) return { address, how: 'given', sessions: 0 };
    throw new CaptureError(`nothing is said to or by ${address} here; these speak SIP: ${named(seen)}`);
  });
}

function noNode(sip: readonly SipSaid[], parties: Parties): string {
  if (sip.length === 0) return 'no SIP message is in it';
  const seen = named(addressesIn(sip, parties));
  return `no address makes an INVITE of one that it received; name the function with --node, of these: ${seen}`;
}

function addressesIn(sip: readonly SipSaid[], parties: Parties): string[] {
  return [...new Set(sip.flatMap(({ from, to }) => [parties.of(from), parties.of(to)]))];
}

const NAMED = 12;

function named(addresses: readonly string[]): string {
  const more = addresses.length > NAMED ? ' …' : '';
  return `${addresses.slice(0, NAMED).join(', ')}${more}`;
}
