/**
 * What one write of the session store changes, as one text: what the journal keeps of it. Each change is a line with its
 * kind and three lengths, and then its texts as they are, since messages would have to be escaped line by line.
 */

/**
 * `S` a session begins (its origin and its state), `s` its state changes, `d` it is over; `W` history work, `w` that is
 * done; `P` a policy.
 */
export type ChangeKind = 'S' | 's' | 'd' | 'W' | 'w' | 'P';

/** Where a text stands, in characters. */
export interface Span {
  readonly at: number;
  readonly length: number;
}

export interface Change {
  readonly kind: ChangeKind;
  readonly id: string;
  /** Origin of a session, body of work or of a policy. */
  readonly first: Span;
  /** State of a session. */
  readonly second: Span;
}

export class Changes {
  /** All of them. */
  text = '';
  readonly list: Change[] = [];

  add(kind: ChangeKind, id: string, first = '', second = ''): void {
    this.text += `${kind}${id.length},${first.length},${second.length}\n${id}`;
    const at = this.text.length;
    this.text += first;
    this.text += second;
    this.list.push({
      kind,
      id,
      first: { at, length: first.length },
      second: { at: at + first.length, length: second.length },
    });
  }
}

const HEAD = /([SsdWwP])(\d+),(\d+),(\d+)\n/y;

/** Takes apart what {@link Changes} has made. Throws where it is something else. */
export function changesIn(text: string): Change[] {
  const list: Change[] = [];
  let at = 0;
  while (at < text.length) {
    HEAD.lastIndex = at;
    const head = HEAD.exec(text);
    if (head === null) throw new Error(`no change at ${at}`);
    const [, kind, idLength, firstLength, secondLength] = head as unknown as [
      string,
      ChangeKind,
      string,
      string,
      string,
    ];
    const first = { at: HEAD.lastIndex + Number(idLength), length: Number(firstLength) };
    const second = { at: first.at + first.length, length: Number(secondLength) };
    list.push({ kind, id: text.slice(HEAD.lastIndex, first.at), first, second });
    at = second.at + second.length;
  }
  if (at !== text.length) throw new Error(`a change cut short at ${text.length}`);
  return list;
}
