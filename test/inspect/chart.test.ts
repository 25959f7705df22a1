/** Charts as data, as drawings and as SVG: nothing of the machine is lost on the way, and a page can light what it is told. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import elkModule from 'elkjs/lib/elk.bundled.js';
import { type AnyStateNode, and, not, setup } from 'xstate';
import { type ClauseId, sessionMachine, unrecordedMachine } from '../../machines/index.ts';
import { ACTION_CLAUSES, GUARD_CLAUSES } from '../../machines/session/clauses.ts';
import { activePaths, chartOf, statesIn } from '../../src/inspect/chart.ts';
import { type Elk, layOut, type Rectangle } from '../../src/inspect/chart-layout.ts';
import { chartSvg, stateId } from '../../src/inspect/chart-svg.ts';
import { stateView } from '../../src/inspect/chart-view.ts';
import { PROJECT } from '../support/server.ts';

const ELK = elkModule as unknown as new () => Elk;
const elk = new ELK();
const chart = chartOf(sessionMachine);
/** The committed pictures, which `visualize --check` holds equal to what the code draws. */
const FOLDER = join(PROJECT, 'visualizations/statechart');
const PICTURES = readdirSync(FOLDER).map((name) => [name, readFileSync(join(FOLDER, name), 'utf8')] as const);

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

  it.each(PICTURES)(
    '%s has no label over another, nor over a box without boxes in it, and nothing outside',
    (_, svg) => {
      const labels = rectangles(svg, 'label');
      const solid = rectangles(svg, 'box( name)?');
      const [whole] = rectangles(svg, undefined);
      expect([labels.length > 0, solid.length > 0]).toEqual([true, true]);
      const pairs = labels.flatMap((label, at) =>
        [...labels.slice(at + 1), ...solid].map((other) => [label, other] as const),
      );
      expect(pairs.filter(([label, other]) => meet(label, other))).toEqual([]);
      for (const part of [...labels, ...solid]) expect(contains(whole as Rectangle, part)).toBe(true);
    },
  );

  it('come out the same, byte for byte, from an engine of their own', async () => {
    const view = stateView(chart, 'call.proxying');
    const once = chartSvg(await layOut(elk, view));
    const again = chartSvg(await layOut(new ELK(), stateView(chartOf(sessionMachine), view.title)));
    expect(again).toBe(once);
  });

  it('of the whole has an element for each state, by its id, and names the transitions of each arrow', () => {
    const svg = PICTURES.find(([name]) => name === 'session.svg')?.[1] ?? '';
    for (const { path } of statesIn(chart.root)) {
      if (path !== '') expect(svg).toContain(`id="${stateId(path)}" data-state="${path}"`);
    }
    const named = [...svg.matchAll(/data-transitions="([^"]*)"/g)].flatMap((match) => (match[1] ?? '').split(' '));
    expect(named.sort()).toEqual(chart.transitions.flatMap(({ id, target }) => (target === null ? [] : [id])).sort());
  });

  it('for a page have its prefix in their ids, and no style sheet of their own', async () => {
    const drawing = await layOut(elk, stateView(chart, 'call.proxying'));
    const svg = chartSvg(drawing, { prefix: 'live-', style: false });
    expect(svg).toContain('id="live-state-call-proxying"');
    expect(svg).not.toContain('<style>');
  });
});

/** Rectangles of a class in an SVG text; without a class, its paper. */
function rectangles(svg: string, kind: string | undefined): Rectangle[] {
  const named = kind === undefined ? '' : `class="${kind}" `;
  const pattern = new RegExp(
    `<rect ${named}(?:x="([-\\d.]+)" y="([-\\d.]+)" )?width="([\\d.]+)" height="([\\d.]+)"`,
    'g',
  );
  return [...svg.matchAll(pattern)].map((match) => {
    const [x = 0, y = 0, width = 0, height = 0] = match.slice(-4).map((text) => Number(text ?? 0));
    return { x, y, width, height };
  });
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
