/** The long run by hand: it goes on behind a violation, and where it was stopped. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Scene, Violation } from '../../src/testing/index.ts';
import { playStretch } from './drawing.ts';
import { journalAt } from './journal.ts';

/** Takes every scene for broken in which the process is killed. */
function noKill({ commands }: Scene): readonly Violation[] {
  return commands.some((command) => command.do === 'crash') ? [{ invariant: 15, what: 'the process was killed' }] : [];
}

const stretch = { seed: 1, runs: 40 };

describe('a stretch of the long run', () => {
  it('ends with its first violation', () => {
    const { played, broken } = playStretch({ ...stretch, keepGoing: false }, noKill);
    expect(broken).toHaveLength(1);
    expect(played).toBe((broken[0]?.at ?? 0) + 1);
    expect(played).toBeLessThan(stretch.runs);
  });

  it('goes on behind it where it is told to, and makes every scene it found small', () => {
    const { played, broken } = playStretch({ ...stretch, keepGoing: true }, noKill);
    expect(played).toBe(stretch.runs);
    expect(broken.length).toBeGreaterThan(3);
    for (const { scene, report } of broken) {
      expect(scene.commands.map((command) => command.do)).toEqual(['crash']);
      expect(report).toContain('invariant 15: the process was killed\nseed 1; the scene:\n{');
    }
  });
});

describe('the journal', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cpm-journal-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('knows what was finished before, and takes a line that was cut off for not done', () => {
    const path = join(folder, 'run.jsonl');
    journalAt(path).note({ seed: 1, played: 1000, broken: [] });
    appendFileSync(path, '{"seed":2,"played":10');
    const again = journalAt(path);
    expect([...again.done.keys()]).toEqual([1]);
    again.note({ seed: 3, played: 1000, broken: [] });
    expect([...journalAt(path).done.keys()]).toEqual([1, 3]);
    expect(readFileSync(path, 'utf8').endsWith('\n')).toBe(true);
  });

  it('keeps nothing where no file is named', () => {
    expect(journalAt(undefined).done.size).toBe(0);
  });
});
