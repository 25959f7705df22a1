/** Recorded INVITEs: as files, as folders of them, and inside exported traces. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { z } from 'zod';
import { bytesOfWire } from '../../sip/message/bytes.ts';
import type { SipRequest } from '../../sip/message/message.ts';
import { parseMessage } from '../../sip/message/parse.ts';
import { validateRequest } from '../../sip/message/validate.ts';

export interface RecordedInvite {
  /** Where it is from. */
  readonly name: string;
  readonly request: SipRequest;
  /** When it was recorded, ms since the epoch; undefined where that is not known. */
  readonly at: number | undefined;
}

/** What could not be read, and why. */
export interface Unread {
  readonly name: string;
  readonly why: string;
}

export interface Recording {
  readonly invites: readonly RecordedInvite[];
  readonly unread: readonly Unread[];
}

/** Larger ones are no recordings of ours. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
const MAX_INVITES = 100_000;

/** A trace, as `GET /api/sessions/:id/trace` gives it, or several. Anything beside is not looked at. */
const trace = z.object({
  messages: z.array(
    z.object({
      direction: z.enum(['in', 'out']),
      text: z.string(),
      at: z.number().optional(),
      bytes: z.number().optional(),
    }),
  ),
});
const traces = z.union([trace.transform((one) => [one]), z.array(trace)]);

/** Throws where a path can not be read at all. */
export function recordedIn(paths: readonly string[]): Recording {
  const invites: RecordedInvite[] = [];
  const unread: Unread[] = [];
  for (const file of paths.flatMap(filesAt)) {
    for (const found of invitesIn(file)) {
      if ('why' in found) unread.push(found);
      else invites.push(found);
    }
    if (invites.length > MAX_INVITES) throw new Error(`more than ${MAX_INVITES} INVITEs; replay them in parts`);
  }
  return { invites, unread };
}

/** The file, or those of a folder that can hold INVITEs. */
function filesAt(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => ['.sip', '.json'].includes(extname(name)));
  return names.sort().map((name) => join(path, name));
}

function invitesIn(file: string): (RecordedInvite | Unread)[] {
  if (statSync(file).size > MAX_FILE_BYTES) return [{ name: file, why: `larger than ${MAX_FILE_BYTES} bytes` }];
  const wire = readFileSync(file, 'latin1');
  return wire.trimStart().startsWith('{') || wire.trimStart().startsWith('[')
    ? invitesOfTraces(file)
    : [inviteOf(file, wire, undefined)];
}

function invitesOfTraces(file: string): (RecordedInvite | Unread)[] {
  let given: unknown;
  try {
    given = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    return [{ name: file, why: `neither an INVITE nor JSON: ${(error as Error).message}` }];
  }
  const { data } = traces.safeParse(given);
  if (data === undefined) return [{ name: file, why: 'no trace: expected messages with direction and text' }];
  const found = data.flatMap(({ messages }) => firstInvite(messages) ?? []);
  if (found.length === 0) return [{ name: file, why: 'no INVITE came in' }];
  return found.map(({ text, at }, place) =>
    inviteOf(found.length === 1 ? file : `${file}#${place + 1}`, wireOf(text), at),
  );
}

interface Message {
  readonly direction: 'in' | 'out';
  readonly text: string;
}

/** What the session began with. */
export function firstInvite<M extends Message>(messages: readonly M[]): M | undefined {
  return messages.find(({ direction, text }) => direction === 'in' && text.startsWith('INVITE '));
}

function wireOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** A request out of its wire string; a file that was written with an editor has bare line feeds. */
export function inviteOf(name: string, text: string, at: number | undefined): RecordedInvite | Unread {
  const wire = text.includes('\r\n') ? text : text.replace(/\n/g, '\r\n');
  const { message, fault } = parseMessage(bytesOfWire(wire));
  if (message?.kind !== 'request') return { name, why: fault?.detail ?? 'not a SIP request' };
  const verdict = validateRequest(message, fault);
  if (verdict.kind !== 'fit') return { name, why: verdict.detail };
  if (message.method !== 'INVITE') return { name, why: `expected an INVITE, found ${message.method}` };
  return { name, request: message, at };
}
