/** What a long run has done, one line of JSON for each stretch, so that it can be stopped and go on where it was. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Stretched } from './drawing.ts';

export interface Journal {
  /** Stretches done before, by seed. */
  readonly done: ReadonlyMap<number, Stretched>;
  note(stretched: Stretched): void;
}

/** Reads the journal at `path` and goes on with it. A line that was cut off when the process ended counts as not done. */
export function journalAt(path: string | undefined): Journal {
  const done = new Map<number, Stretched>();
  if (path === undefined) return { done, note: () => {} };
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  for (const line of text.split('\n')) {
    const stretched = entryOf(line);
    if (stretched !== undefined) done.set(stretched.seed, stretched);
  }
  // Whatever was cut off ends here, and spoils no line that comes.
  if (text !== '' && !text.endsWith('\n')) appendFileSync(path, '\n');
  return { done, note: (stretched) => appendFileSync(path, `${JSON.stringify(stretched)}\n`) };
}

function entryOf(line: string): Stretched | undefined {
  if (!line.endsWith('}')) return undefined;
  try {
    return JSON.parse(line) as Stretched;
  } catch {
    return undefined;
  }
}
