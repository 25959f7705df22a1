/** The ladder of a played scene: what passed the function, as far as it came, and when it was killed. */
import type { LadderEntry } from '../../inspect/ladder.ts';
import { ladderText } from '../../inspect/ladder-text.ts';
import { bytesOfWire } from '../../sip/message/bytes.ts';
import { parseMessage } from '../../sip/message/parse.ts';
import type { ChronicleEntry } from '../chronicle.ts';
import type { Played } from './play.ts';

/** Lines of the ladder, whoever invited on the left, everybody else on the right with their names. */
export function ladderOf({ chronicle, stage }: Played): string[] {
  const names = new Map(Object.entries(stage.endpoints).map(([name, { peer }]) => [peer.address, name]));
  names.set(stage.world.isf.address, 'isf');
  const entries = chronicle.entries.flatMap((entry) => ladderEntry(entry, names) ?? []);
  return ladderText(entries, 'near', 'far');
}

function ladderEntry(entry: ChronicleEntry, names: ReadonlyMap<string, string>): LadderEntry | undefined {
  const { at } = entry;
  if (entry.kind === 'crash') return { at, leg: 'a', direction: 'in', label: 'KILLED' };
  if (entry.kind === 'start') return { at, leg: 'a', direction: 'in', label: 'STARTED' };
  if (entry.kind !== 'in' && entry.kind !== 'out') return undefined;
  const { passage } = entry;
  const { message } = parseMessage(bytesOfWire(passage.message));
  if (message === undefined) return undefined;
  const number = message.cseq?.number ?? 0;
  const label =
    message.kind === 'request'
      ? `${message.method} ${number}${message.toTag === undefined ? '' : ` ${short(message.toTag)}`}`
      : `${message.status} ${message.cseq?.method} ${number} ${short(message.toTag ?? '')}`;
  const name = names.get(entry.kind === 'in' ? passage.from : passage.to) ?? 'somebody';
  return { at, leg: name === 'near' ? 'a' : name === 'far' ? 'b' : name, direction: entry.kind, label };
}

/** Tags are long and random; their ends tell them apart. */
function short(tag: string): string {
  return tag.slice(-5);
}
