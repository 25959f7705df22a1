/** Two messages side by side: lines that belong together in one row, and what in them differs. */

export interface Row {
  readonly kind: 'same' | 'changed' | 'removed' | 'added' | 'gap';
  readonly left: string | null;
  readonly right: string | null;
}

/** A line cut into what both have and what only this one has; `differs` alternates, beginning with what is shared. */
export type Marked = readonly { readonly text: string; readonly differs: boolean }[];

/** Start lines beside each other, then headers by name, then the body by its lines in their order. */
export function compareMessages(left: string, right: string): Row[] {
  const [leftHead, leftBody] = parts(left);
  const [rightHead, rightBody] = parts(right);
  const first = pair(leftHead[0] ?? '', rightHead[0] ?? '');
  const gap: Row[] = leftBody.length + rightBody.length === 0 ? [] : [{ kind: 'gap', left: '', right: '' }];
  return [first, ...headRows(leftHead.slice(1), rightHead.slice(1)), ...gap, ...aligned(leftBody, rightBody)];
}

/** Lines of the head, and of the body. */
function parts(text: string): [head: string[], body: string[]] {
  const lines = text.replace(/\r\n/g, '\n').replace(/\n+$/, '').split('\n');
  const blank = lines.indexOf('');
  return blank === -1 ? [lines, []] : [lines.slice(0, blank), lines.slice(blank + 1)];
}

const COMPACT: Readonly<Record<string, string>> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  c: 'content-type',
  l: 'content-length',
  k: 'supported',
  s: 'subject',
  x: 'session-expires',
  a: 'accept-contact',
};

/** What a line is about: a header's name, or the letter of a session description's line. */
function nameOf(line: string): string {
  const name = /^([^\s:=]+)[ \t]*[:=]/.exec(line)?.[1]?.toLowerCase() ?? line;
  return COMPACT[name] ?? name;
}

/**
 * Headers beside each other by their names, in the order of the left message: between different names order means
 * nothing (RFC 3261 7.3.1), so a header that only stands elsewhere is not shown as a change.
 */
function headRows(left: readonly string[], right: readonly string[]): Row[] {
  const rows: Row[] = [];
  const partners = partnersByName(left, right);
  const taken = new Set(partners.values());
  const rowOf = (at: number): number => rows.findIndex(({ right: line }) => line !== null && line === right[at]);
  for (const [at, line] of left.entries()) {
    const partner = partners.get(at);
    if (partner === undefined) rows.push({ kind: 'removed', left: line, right: null });
    else rows.push(pair(line, right[partner] ?? ''));
  }
  for (const [at, line] of right.entries()) {
    if (!taken.has(at)) rows.splice(at === 0 ? 0 : rowOf(at - 1) + 1, 0, { kind: 'added', left: null, right: line });
  }
  return rows;
}

/** Which line of the right belongs to which of the left: among those of one name, in their order. */
function partnersByName(left: readonly string[], right: readonly string[]): Map<number, number> {
  const partners = new Map<number, number>();
  for (const name of new Set(left.map(nameOf))) {
    const [mine, theirs] = [left, right].map((lines) =>
      [...lines.keys()].filter((at) => nameOf(lines[at] ?? '') === name),
    ) as [number[], number[]];
    let [here, there] = [0, 0];
    for (const row of aligned(
      mine.map((at) => left[at] ?? ''),
      theirs.map((at) => right[at] ?? ''),
    )) {
      if (row.left !== null && row.right !== null) partners.set(mine[here] ?? 0, theirs[there] ?? 0);
      if (row.left !== null) here++;
      if (row.right !== null) there++;
    }
  }
  return partners;
}

/** The best way to put two lists beside each other: equal lines first of all, then lines about the same. */
function aligned(left: readonly string[], right: readonly string[]): Row[] {
  const worth = scores(left, right);
  const rows: Row[] = [];
  let [at, other] = [0, 0];
  while (at < left.length || other < right.length) {
    const [here, there] = [left[at], right[other]];
    const best = worth[at]?.[other] ?? 0;
    if (here !== undefined && there !== undefined) {
      const likeness = alike(here, there);
      if (likeness > 0 && best === likeness + (worth[at + 1]?.[other + 1] ?? 0)) {
        rows.push(pair(here, there));
        at++;
        other++;
        continue;
      }
    }
    if (there === undefined || (here !== undefined && best === (worth[at + 1]?.[other] ?? 0))) {
      rows.push({ kind: 'removed', left: here ?? '', right: null });
      at++;
    } else {
      rows.push({ kind: 'added', left: null, right: there });
      other++;
    }
  }
  return rows;
}

function alike(left: string, right: string): number {
  if (left === right) return 3;
  return nameOf(left) === nameOf(right) ? 2 : 0;
}

/** `worth[i][j]`: the most that the lines from `i` and from `j` on can score. */
function scores(left: readonly string[], right: readonly string[]): number[][] {
  const worth = Array.from({ length: left.length + 1 }, () => new Array<number>(right.length + 1).fill(0));
  const at = (i: number, j: number): number => worth[i]?.[j] ?? 0;
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      const likeness = alike(left[i] ?? '', right[j] ?? '');
      const both = likeness === 0 ? 0 : likeness + at(i + 1, j + 1);
      (worth[i] as number[])[j] = Math.max(both, at(i + 1, j), at(i, j + 1));
    }
  }
  return worth;
}

function pair(left: string, right: string): Row {
  return { kind: left === right ? 'same' : 'changed', left, right };
}

/** What two lines share at their ends is left unmarked. */
export function marked(line: string, other: string): Marked {
  let start = 0;
  while (start < line.length && start < other.length && line[start] === other[start]) start++;
  let end = 0;
  while (
    end < line.length - start &&
    end < other.length - start &&
    line[line.length - 1 - end] === other[other.length - 1 - end]
  )
    end++;
  // Not in the middle of a word: half a token reads worse than a whole one.
  while (start > 0 && isWord(line[start - 1]) && (isWord(line[start]) || isWord(other[start]))) start--;
  while (end > 0 && isWord(line[line.length - end]) && isWord(line[line.length - end - 1])) end--;
  return [
    { text: line.slice(0, start), differs: false },
    { text: line.slice(start, line.length - end), differs: true },
    { text: line.slice(line.length - end), differs: false },
  ];
}

function isWord(letter: string | undefined): boolean {
  return letter !== undefined && /[\w.-]/.test(letter);
}
