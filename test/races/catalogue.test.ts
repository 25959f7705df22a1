/** The catalogue itself: no race without its tests and its line in the documentation. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { sessionMachine } from '../../machines/session/machine.ts';
import { type Family, RACES } from './catalogue.ts';

const FAMILIES = Object.keys(RACES) as Family[];

const textOf = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const fileOf = (family: string): string => `${family}.test.ts`;

/** Titles of the tests of each race in a file, by its name. */
function racesIn(text: string): Map<string, string[]> {
  const blocks = text.split(/^race\(/m).slice(1);
  return new Map(
    blocks.map((block) => {
      const [, name = ''] = /^(?:'([^']+)'|"([^"]+)")/.exec(block)?.filter((part) => part !== undefined) ?? [];
      const titles = [...block.matchAll(/^ {2}it(?:\.each\(\w+\))?\(\s*(['"])(.*?)\1,/gm)];
      return [name, titles.map((title) => title[2] ?? '')];
    }),
  );
}

describe('the catalogue of races', () => {
  it.each(FAMILIES)('%s: each of its races has its tests there, and there are no others', (family) => {
    const races = racesIn(textOf(fileOf(family)));
    expect([...races.keys()].sort()).toEqual([...RACES[family]].sort());
    for (const titles of races.values()) expect(titles.length).toBeGreaterThan(0);
  });

  it('each file of races is a family of the catalogue', () => {
    const files = readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('-races.test.ts'));
    expect(files.sort()).toEqual(FAMILIES.map(fileOf).sort());
  });

  it('each race is explained in docs/races.md, beside the file of its tests', () => {
    const lines = textOf('../../docs/races.md').split('\n');
    for (const family of FAMILIES)
      for (const name of RACES[family]) {
        const line = lines.find((each) => each.startsWith(`| ${name} |`));
        expect(`${name}: ${line?.includes(`\`${fileOf(family)}\``)}`).toBe(`${name}: true`);
      }
  });

  it('shutdown comes in each state in which a session can wait', () => {
    const { call } = sessionMachine.root.states;
    const leaves = (state: typeof call): (typeof call)[] => {
      const inner = Object.values(state?.states ?? {});
      return inner.length === 0 ? [state] : inner.flatMap(leaves);
    };
    // `choosingRoute` is left in the step that enters it, and nothing comes after `closed`.
    const waiting = leaves(call).flatMap((state) => (state === undefined ? [] : [state.path.slice(1).join('.')]));
    const covered = [...textOf(fileOf('shutdown-races')).matchAll(/shutDown\(scene, '([^']+)'\)/g)].map(([, at]) => at);
    expect([...new Set([...covered, 'inviting.choosingRoute', 'closed'])].sort()).toEqual(waiting.sort());
  });
});
