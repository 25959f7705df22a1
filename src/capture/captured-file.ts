/** A captured session as the file that the page opens: its messages with their texts, and no statechart. */
import { textOfWire } from '../sip/message/bytes.ts';
import { SESSION_FILE, SESSION_FILE_VERSION, type SessionFile } from '../trace/session-file.ts';
import type { AnalysedSession } from './analysis.ts';
import type { CapturedSession, Sighting } from './call/session.ts';
import { type Drawn, drawnOf } from './drawing.ts';

export interface Writing {
  /** `cpm-engine 0.1.0` */
  readonly by: string;
  /** ms since the epoch. */
  readonly now: number;
  /** Makes a message's text one that may be shown; undefined to leave it as it is. */
  readonly redact: ((text: string) => string) | undefined;
}

export function capturedFile(
  { session, entries, verdicts }: AnalysedSession,
  { by, now, redact }: Writing,
): SessionFile {
  const begun = session.sightings[0]?.heard.at ?? 0;
  const ended = session.sightings.at(-1)?.heard.at ?? 0;
  const messages = messagesOf(session, redact);
  const step = { steps: [], messages, length: messages.length, dropped: 0, whole: true };
  const details = detailsOf(session, redact ?? ((text) => text), begun, ended);
  return {
    format: SESSION_FILE,
    version: SESSION_FILE_VERSION,
    exportedAt: now,
    by,
    source: 'capture',
    redacted: redact !== undefined,
    trace: { id: session.id, live: false, now: ended, startedAt: begun, endedAt: ended, ...step, details },
    ladder: entries,
    history: null,
    config: null,
    verdicts,
  };
}

type Message = SessionFile['trace']['messages'][number];

function messagesOf(session: CapturedSession, redact: Writing['redact']): Message[] {
  const labels = new Map<Sighting, Drawn>(drawnOf(session).map((drawn) => [drawn.first, drawn]));
  const texts = new Map<string, number>();
  const messages: Message[] = [];
  for (const sighting of session.sightings) {
    const { heard, way, leg } = sighting;
    const drawn = labels.get(sighting);
    const n = messages.length;
    const peer = `${heard.transport} ${way === 'in' ? heard.from : heard.to}`;
    const common = { n, at: heard.at, direction: way, peer, leg };
    if (heard.kind === 'sip') {
      const key = `${way} ${peer} ${heard.text}`;
      const again = texts.get(key) ?? null;
      if (again === null) texts.set(key, n);
      const text = textOfWire(redact === undefined ? heard.text : redact(heard.text));
      const label = drawn?.label ?? messages[again ?? n]?.label ?? '';
      messages.push({ ...common, bytes: heard.text.length, label, text, again });
    } else if (drawn !== undefined) {
      // Of a chat only that it was, and how much: paths are what a stranger would need to join in.
      const bytes = heard.kind === 'msrp' ? heard.said.bytes : heard.bytes;
      messages.push({ ...common, bytes, label: drawn.label, text: drawn.label, again: null });
    }
  }
  return messages;
}

function detailsOf(
  session: CapturedSession,
  shown: (text: string) => string,
  begun: number,
  ended: number,
): SessionFile['trace']['details'] {
  const { id, mode, legs } = session;
  const request = legs[0]?.invitation.request;
  const terminating = /;\s*sescase=term/i.test(request?.header('p-served-user') ?? '');
  const [from, to] = [shown(request?.from?.uri ?? 'unknown'), shown(request?.to?.uri ?? 'unknown')];
  const [user, other] = terminating ? [to, from] : [from, to];
  return {
    id,
    state: 'captured',
    role: terminating ? 'term' : 'orig',
    mode,
    user,
    to,
    with: other,
    seconds: Math.round((ended - begun) / 1000),
    startedAt: begun,
    reason: null,
    recording: 'off',
    service: '1-1',
    conversationId: request?.header('conversation-id') ?? '',
    contributionId: request?.header('contribution-id') ?? '',
    legs: Object.fromEntries(legs.map(({ name, peer }) => [name, { peer }])),
    streams: [],
    media: [],
    deadlines: {},
    history: {},
    ending: null,
    relays: [],
    pendingEffects: [],
  } as unknown as SessionFile['trace']['details'];
}
