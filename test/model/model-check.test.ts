/** Every path of a session under a bounded adversary: what must hold does, and no less of it is visited than before. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { sessionMachine, unrecordedMachine } from '../../machines/session/machine.ts';
import {
  configurationsOf,
  resultTable,
  type SearchResult,
  search,
  type Timed,
  violationText,
} from '../../src/testing/model-check/index.ts';

const COUNTS = new URL('expected-counts.json', import.meta.url);
const KEPT = ['states', 'transitions', 'depth', 'sessionStates'] as const;
type Counts = Readonly<Record<(typeof KEPT)[number], number>>;

const expected = JSON.parse(existsSync(COUNTS) ? readFileSync(COUNTS, 'utf8') : '{}') as Record<string, Counts>;
const configurations = configurationsOf('change');
const results: Timed[] = [];

const countsOf = (result: SearchResult): Counts =>
  Object.fromEntries(KEPT.map((key) => [key, result[key]])) as unknown as Counts;

/** What to do where more is visited than is written down. */
function grown(counts: Readonly<Record<string, Counts>>): string[] {
  const more = Object.entries(counts).filter(([name, now]) =>
    KEPT.some((key) => now[key] > (expected[name]?.[key] ?? 0)),
  );
  if (more.length === 0) return [];
  const names = more.map(([name]) => `  ${name}`);
  return ['more than expected-counts.json says; run with UPDATE_MODEL_COUNTS=1 and add a changelog line:', ...names];
}

function result(name: string): SearchResult {
  const found = results.find(({ configuration }) => configuration === name);
  if (found === undefined) throw new Error(`${name} has not been searched`);
  return found;
}

describe('every reachable state of a session, whatever its peers, its store and its deadlines do', () => {
  it.each(configurations.map((configuration) => [configuration.name, configuration] as const))(
    'invariants 1 to 6 and 8 to 13 hold, and the end comes by deadlines alone: %s',
    (_, configuration) => {
      const began = performance.now();
      const found = search(configuration.storage ? sessionMachine : unrecordedMachine, configuration);
      results.push({ ...found, seconds: (performance.now() - began) / 1000 });
      expect(found.violation === null ? 'all hold' : violationText(found.violation)).toBe('all hold');
      expect(found.closed).toBeGreaterThan(0);
    },
    120_000,
  );
});

describe('what was visited', () => {
  it('is no less than test/model/expected-counts.json says', () => {
    const counts = Object.fromEntries(results.map((each) => [each.configuration, countsOf(each)]));
    console.log([resultTable(results), ...grown(counts)].join('\n'));
    if (process.env.UPDATE_MODEL_COUNTS === '1') {
      writeFileSync(COUNTS, `${JSON.stringify(counts, null, 2)}\n`);
      return;
    }
    // A count that shrinks on purpose is written down anew, and its reason in CHANGELOG.md.
    const fewer = Object.entries(expected).flatMap(([name, before]) =>
      KEPT.filter((key) => (counts[name]?.[key] ?? 0) < before[key]).map(
        (key) => `${name}: ${counts[name]?.[key] ?? 'no'} ${key}, were ${before[key]}`,
      ),
    );
    expect(fewer).toEqual([]);
  });

  it('holds every state of the chart', () => {
    const places = new Set(results.flatMap((each) => each.places));
    const leaves = [...leavesOf(sessionMachine.root)].map((path) => path.replace(/^(call|recording)\./, ''));
    // What needs no event outside itself is passed through, never rested in.
    const transient = ['inviting.choosingRoute'];
    expect(leaves.filter((path) => !places.has(path) && !transient.includes(path)).sort()).toEqual([]);
  });

  it('holds every kind of effect that a session can order', () => {
    const effects = new Set(results.flatMap((each) => each.effects));
    expect([...effects].sort()).toEqual(EFFECTS);
  });

  it('ends a session of which nobody hears any more by at most four deadlines', () => {
    expect(Math.max(...results.map((each) => each.deadlinesToEnd))).toBe(4);
    expect(result('orig proxy unstored 0 IWF, one fault').deadlinesToEnd).toBe(2);
  });
});

/** All but `relayCancel` and `confirmUnchanged`: no peer of the model cancels a re-INVITE, or refreshes by UPDATE. */
const EFFECTS = (
  'acknowledge answer answerBye bye cancel fetchPreferences forwardAck forwardFailure forwardReply forwardRequest ' +
  'forwardResponse invite openHistory progress refresh refuse relayRequest relayResponse releaseMedia reoffer respond ' +
  'sealHistory trying'
).split(' ');

interface Node {
  readonly type: string;
  readonly path: readonly string[];
  readonly states: Readonly<Record<string, Node>>;
}

function* leavesOf(node: Node): Generator<string> {
  if (node.type === 'atomic') yield node.path.join('.');
  for (const child of Object.values(node.states)) yield* leavesOf(child);
}
