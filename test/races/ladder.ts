/**
 * What passed on the wire, as a ladder: whoever invited on the left, whom the function invited on the right.
 *
 *     caller → pf            CANCEL 1
 *     caller ← pf            200 CANCEL 1
 *              pf → callee   CANCEL 1
 *     after 0.5 s
 *              pf → callee   CANCEL 1 again ×10
 *              pf ← callee   487 INVITE 1 lost
 *
 * A request is its method and CSeq number, a response its status and the CSeq it answers. A fork (in brackets, on the
 * left, where all forks are one lane), Message-UID and Reason follow
 * where they are there. `again` is a copy, byte for byte, of what the same sender said before; `lost` never arrives.
 * Messages stand in the order in which they were sent. 100 Trying, which says nothing from end to end, is left out.
 */

import { bytesOfWire } from '../../src/sip/message/bytes.ts';
import type { AnyMessage } from '../../src/sip/message/message.ts';
import { parseMessage } from '../../src/sip/message/parse.ts';
import type { Passage } from '../../src/testing/index.ts';

/** Shorter pauses, those of messages on their way, are not told. */
const PAUSE_MS = 300;

/** Name of whoever is at the other end of a message, seen from the function: `caller`, `iwf 2`. */
export type Lanes = (address: string, message: AnyMessage) => string;

export interface LadderOptions {
  readonly pf: string;
  readonly lanes: Lanes;
  /** Lanes drawn left of the function. */
  readonly left: readonly string[];
  /** Dialogs of forks by their tags; on the left, where all forks are one lane, it stands behind the message. */
  readonly forks: ReadonlyMap<string, string>;
  readonly lost: ReadonlySet<Passage>;
}

/** Lines of a ladder as a test writes them; how they are indented and spaced is free. */
export function ladder(text: TemplateStringsArray, ...values: readonly (string | number)[]): string[] {
  return String.raw({ raw: text }, ...values)
    .split('\n')
    .map((line) => line.trim().replace(/\s+/g, ' '))
    .filter((line) => line !== '');
}

/** Lines of a ladder as it was, from the `from`-th message on. */
export function ladderOf(transcript: readonly Passage[], from: number, options: LadderOptions): string[] {
  const said = new Set(transcript.slice(0, from).map(identityOf));
  const lines: { text: string; count: number }[] = [];
  let last = transcript[from]?.at ?? 0;
  for (const passage of transcript.slice(from)) {
    const again = said.has(identityOf(passage));
    said.add(identityOf(passage));
    const text = lineOf(passage, again, options);
    if (text === undefined) continue;
    const previous = lines.at(-1);
    if (previous?.text === text) previous.count++;
    else {
      if (passage.at - last >= PAUSE_MS) lines.push({ text: `after ${seconds(passage.at - last)} s`, count: 1 });
      lines.push({ text, count: 1 });
    }
    last = passage.at;
  }
  return lines.map(({ text, count }) => (count > 1 ? `${text} ×${count}` : text));
}

function identityOf({ from, to, message }: Passage): string {
  return `${from} ${to} ${message}`;
}

function seconds(ms: number): string {
  return String(Math.round(ms / 100) / 10);
}

function lineOf(passage: Passage, again: boolean, { pf, lanes, left, forks, lost }: LadderOptions): string | undefined {
  const { message } = parseMessage(bytesOfWire(passage.message));
  if (message === undefined || (message.kind === 'response' && message.status === 100)) return undefined;
  const outgoing = passage.from === pf;
  const peer = lanes(outgoing ? passage.to : passage.from, message);
  const onLeft = left.includes(peer);
  const arrow = outgoing === onLeft ? '←' : '→';
  const between = onLeft ? `${peer} ${arrow} pf` : `pf ${arrow} ${peer}`;
  const fork = onLeft ? (forks.get(message.toTag ?? '') ?? forks.get(message.fromTag ?? '')) : undefined;
  return [
    between,
    labelOf(message),
    ...(fork === undefined ? [] : [`[${fork}]`]),
    ...(again ? ['again'] : []),
    ...(lost.has(passage) ? ['lost'] : []),
  ].join(' ');
}

function labelOf(message: AnyMessage): string {
  const { number, method } = message.cseq ?? { number: 0, method: '' };
  const what = message.kind === 'request' ? `${method} ${number}` : `${message.status} ${method} ${number}`;
  const told = (['message-uid', 'reason'] as const).flatMap((name) => {
    const value = message.header(name);
    return value === undefined ? [] : [name === 'reason' ? `(${value})` : `Message-UID ${value}`];
  });
  return [what, ...told].join(' ');
}
