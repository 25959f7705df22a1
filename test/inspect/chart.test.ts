/** Charts as data, as drawings and as SVG: nothing of the machine is lost on the way, and a page can light what it is told. */
import { describe, expect, it } from '@jest/globals';
import elkModule from 'elkjs/lib/elk.bundled.js';
import { type AnyStateNode, and, not, setup } from 'xstate';
import { type ClauseId, sessionMachine, unrecordedMachine } from '../../machines/index.ts';
import { ACTION_CLAUSES, GUARD_CLAUSES } from '../../machines/session/clauses.ts';
import { activePaths, chartOf, statesIn } from '../../src/inspect/chart.ts';
import { type Drawing, type Elk, layOut, type Rectangle } from '../../src/inspect/chart-layout.ts';
import { chartSvg, stateId } from '../../src/inspect/chart-svg.ts';
import { stateView, wholeView } from '../../src/inspect/chart-view.ts';

const ELK = elkModule as unknown as new () => Elk;
const elk = new ELK();
const chart = chartOf(sessionMachine);
const MAJOR = ['call.inviting', 'call.b2buaEstablished', 'call.interworking', 'call.tearingDown', 'recording'];

/** A node and all below it, outermost first. */
function nodesIn(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(nodesIn)];
}

describe('the chart as data', () => {
  it('has every state of the machine, and every transition with guard, actions and order', () => {
    const nodes = nodesIn(sessionMachine.root);
    expect(statesIn(chart.root).map(({ path }) => path)).toEqual(nodes.map((node) => node.path.join('.')));
    const count = nodes.flatMap((node) => [...node.transitions.values(), node.always ?? []].flat()).length;
    expect(chart.transitions).toHaveLength(count);
    expect(new Set(chart.transitions.map(({ id }) => id)).size).toBe(count);
    expect(chart.transitions.find(({ id }) => id === 'call.inviting.ringing:answered:2')).toEqual({
      id: 'call.inviting.ringing:answered:2',
      source: 'call.inviting.ringing',
      target: 'call.tearingDown.closing',
      event: 'answered',
      order: 2,
      of: 5,
      guard: 'lateOfferNotAllowed',
      actions: ['refuseLateOffer'],
      clauses: ['T-INV-5', 'T-INV-5-r'],
    });
  });

  it('composed guards keep their parts', () => {
    const yes = { one: () => true, other: () => true };
    const machine = setup({ guards: yes }).createMachine({
      on: { go: { guard: and(['one', not('other')]), actions: [] } },
    });
    expect(chartOf(machine).transitions[0]?.guard).toBe('and(one, not(other))');
  });

  it('says which states are active, also for a session that runs without its recording region', () => {
    expect(activePaths({ call: { inviting: 'ringing' }, recording: 'off' })).toEqual([
      'call',
      'call.inviting',
      'call.inviting.ringing',
      'recording',
      'recording.off',
    ]);
    expect(activePaths({ inviting: 'ringing' })).toEqual(['call', 'call.inviting', 'call.inviting.ringing']);
    expect(activePaths('closed')).toEqual(['call', 'call.closed']);
    const known = new Set(statesIn(chart.root).map(({ path }) => path));
    for (const node of nodesIn(unrecordedMachine.root)) {
      if (node.path.length > 0) expect(known).toContain(`call.${node.path.join('.')}`);
    }
  });
});

describe('the drawings', () => {
  it('of all states together name every guard, action and clause of the chart', () => {
    const states = chart.root.children.flatMap((region) => region.children);
    const views = [...states.map(({ path }) => path), 'recording'].map((path) => stateView(chart, path));
    const words = JSON.stringify(views.map((view) => [view.arrows, view.boxes]));
    for (const { guard, actions } of chart.transitions) {
      for (const name of [guard, ...actions]) if (name !== null) expect(words).toContain(name);
    }
    const used = new Set(chart.transitions.flatMap(({ guard, actions }) => [guard ?? '', ...actions]));
    const clauses = [GUARD_CLAUSES, ACTION_CLAUSES].flatMap((table) =>
      Object.entries(table as Record<string, readonly ClauseId[]>).flatMap(([name, ids]) =>
        used.has(name) ? ids : [],
      ),
    );
    for (const id of clauses) expect(words).toMatch(new RegExp(`[" ]${id}[" ]`));
  });

  it('have no label over another, nor over a box it does not lie in, and every box within its parent', async () => {
    const views = [wholeView(chart), ...MAJOR.map((path) => stateView(chart, path))];
    for (const view of views) {
      const drawing = await layOut(elk, view);
      expect(overlaps(drawing)).toEqual([]);
      for (const box of drawing.boxes) {
        expect(contains({ x: 0, y: 0, width: drawing.width, height: drawing.height }, box)).toBe(true);
      }
    }
  });

  it('come out the same, byte for byte, from an engine of their own', async () => {
    const view = stateView(chart, 'call.tearingDown');
    const once = chartSvg(await layOut(elk, view));
    const again = chartSvg(await layOut(new ELK(), stateView(chartOf(sessionMachine), view.title)));
    expect(again).toBe(once);
  });

  it('as SVG have an element for each state, by its id, and name the transitions of each arrow', async () => {
    const drawing = await layOut(elk, wholeView(chart));
    const svg = chartSvg(drawing, { prefix: 'live-', style: false });
    expect(svg).not.toContain('<style>');
    for (const { path } of statesIn(chart.root)) {
      if (path === '') continue;
      expect(svg).toContain(`id="live-${stateId(path)}" data-state="${path}"`);
    }
    const named = [...svg.matchAll(/data-transitions="([^"]*)"/g)].flatMap((match) => (match[1] ?? '').split(' '));
    expect(named.sort()).toEqual(chart.transitions.flatMap(({ id, target }) => (target === null ? [] : [id])).sort());
  });
});

/** Pairs of labels that share ground, and labels on boxes that hold no others. */
function overlaps({ boxes, arrows }: Drawing): string[] {
  const labels = arrows.flatMap(({ source, target, label }) =>
    label === null ? [] : [{ name: `${source} -> ${target}`, ...label }],
  );
  const solid = boxes
    .filter(({ holdsOthers }) => !holdsOthers)
    .map((box) => ({ name: `${box.kind} ${box.path}`, ...box }));
  return labels.flatMap((label, at) =>
    [...labels.slice(at + 1), ...solid]
      .filter((other) => meet(label, other))
      .map((other) => `${label.name} / ${other.name}`),
  );
}

function meet(one: Rectangle, other: Rectangle): boolean {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  );
}

function contains(outer: Rectangle, inner: Rectangle): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}
