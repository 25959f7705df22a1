/** What one picture of a chart shows: which states as boxes, which as mere names, which transitions, in which words. */
import { type Chart, type ChartState, type ChartTransition, statesIn } from './chart.ts';

export interface Span {
  readonly text: string;
  readonly role: 'event' | 'order' | 'guard' | 'action' | 'clause' | 'plain';
}

/** One line of text, in normal or in small letters. */
export interface Line {
  readonly spans: readonly Span[];
  readonly small: boolean;
}

/** A box; one that holds others has them in `children`. */
export interface ViewBox {
  /** Path of its state. */
  readonly path: string;
  readonly title: string;
  /** `name` stands for a state of another picture. */
  readonly kind: ChartState['kind'] | 'name';
  readonly lines: readonly Line[];
  /** Path of the child that is entered first; null where that is not shown. */
  readonly initial: string | null;
  readonly children: readonly ViewBox[];
}

/** All transitions from one state to another, as one arrow. */
export interface ViewArrow {
  readonly source: string;
  readonly target: string;
  /** Ids of the transitions. */
  readonly transitions: readonly string[];
  readonly lines: readonly Line[];
}

export interface View {
  readonly title: string;
  readonly boxes: readonly ViewBox[];
  readonly arrows: readonly ViewArrow[];
}

/** The whole chart, arrows with the names of events only; what keeps a state is left to the pictures of the states. */
export function wholeView({ root, transitions }: Chart): View {
  const box = (state: ChartState): ViewBox => ({
    path: state.path,
    title: state.name,
    kind: state.kind,
    lines: [],
    initial: state.initial,
    children: state.children.map(box),
  });
  return { title: root.name, boxes: root.children.map(box), arrows: arrowsOf(transitions, shortLines) };
}

/**
 * One state with all it does: guards, actions and clauses, those of the states around it included. Where its arrows lead
 * to, and where they come from, are names.
 */
export function stateView(chart: Chart, focus: string): View {
  const shown = new Set(statesIn(find(chart.root, focus)).map((state) => state.path));
  const around = ancestors(focus);
  const isShown = (path: string): boolean => shown.has(path) || around.includes(path);
  const leaving = chart.transitions.filter(({ source, target }) => isShown(source) && target !== null);
  const entering = chart.transitions.filter(({ source, target }) => !isShown(source) && shown.has(target ?? ''));
  const out = arrowsOf(leaving, fullLines);
  const into = [...grouped(entering, ({ target }) => target)].map(enteringArrow);
  const arrows = [...out, ...into.map(({ arrow }) => arrow)];
  const elsewhere = new Set(out.map(({ target }) => target).filter((path) => !isShown(path)));
  const names = [...into.map(({ box }) => box), ...[...elsewhere].map((path) => nameBox(path, shortPath(path)))];
  const inside = boxWithin(chart, focus);
  const outermost = around.reduceRight((box, path) => ownBox(chart, path, [box]), inside);
  return { title: focus, boxes: [outermost, ...names], arrows };
}

function boxWithin(chart: Chart, path: string): ViewBox {
  const state = find(chart.root, path);
  return ownBox(
    chart,
    path,
    state.children.map((child) => boxWithin(chart, child.path)),
  );
}

/** A state's box with what it does without leaving. */
function ownBox(chart: Chart, path: string, children: readonly ViewBox[]): ViewBox {
  const state = find(chart.root, path);
  const entry = state.entry.map((name) => line([span('entry', 'event'), span(` / ${name}`, 'action')]));
  const staying = chart.transitions.filter(({ source, target }) => source === path && target === null);
  const initial = children.some((child) => child.path === state.initial) ? state.initial : null;
  return { path, title: state.name, kind: state.kind, lines: [...entry, ...fullLines(staying)], initial, children };
}

function nameBox(path: string, title: string): ViewBox {
  return { path, title, kind: 'name', lines: [], initial: null, children: [] };
}

/** Without the region, which everybody knows. */
function shortPath(path: string): string {
  return path.replace(/^call\./, '');
}

/** All ways from elsewhere into one state, as one arrow: each state it may come from has a line with its events. */
function enteringArrow(transitions: readonly ChartTransition[]): { box: ViewBox; arrow: ViewArrow } {
  const sources = grouped(transitions, ({ source }) => source);
  const target = transitions[0]?.target ?? '';
  const [only] = sources.length === 1 ? transitions : [];
  const box = nameBox(`to ${target}`, only === undefined ? `${sources.length} states` : shortPath(only.source));
  const lines = sources.map((each) => {
    const from = only === undefined ? [span(`${shortPath(each[0]?.source ?? '')}: `, 'plain')] : [];
    return line([...from, ...joined(shortLines(each))]);
  });
  return { box, arrow: { source: box.path, target, transitions: transitions.map(({ id }) => id), lines } };
}

/** Several lines as one. */
function joined(lines: readonly Line[]): Span[] {
  return lines.flatMap(({ spans }, at) => [...(at === 0 ? [] : [span(' ', 'plain')]), ...spans]);
}

/** In the order of the first of each group. */
function grouped<T>(items: readonly T[], keyOf: (item: T) => unknown): T[][] {
  const groups = new Map<unknown, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
}

/** States around this one, outermost first, without the region they are all in. */
function ancestors(path: string): string[] {
  const keys = path.split('.');
  return keys
    .slice(0, -1)
    .map((_, at) => keys.slice(0, at + 1).join('.'))
    .slice(1);
}

function find(state: ChartState, path: string): ChartState {
  const found = statesIn(state).find((each) => each.path === path);
  if (found === undefined) throw new Error(`the chart has no state ${path}`);
  return found;
}

function arrowsOf(transitions: readonly ChartTransition[], words: typeof fullLines): ViewArrow[] {
  const leading = transitions.filter(({ target }) => target !== null);
  return grouped(leading, ({ source, target }) => `${source} ${target}`).map((merged) => ({
    source: merged[0]?.source ?? '',
    target: merged[0]?.target ?? '',
    transitions: merged.map(({ id }) => id),
    lines: words(merged),
  }));
}

// --- words ---------------------------------------------------------------------------------------------------

/** Letters in a line before it is broken; small ones are narrower. Narrow labels make narrow pictures. */
const BREAK_AT = 36;
const BREAK_SMALL_AT = 44;

/** Events alone, each once; `[2 guards]` where none is needed. */
function shortLines(transitions: readonly ChartTransition[]): Line[] {
  const events = new Set(transitions.flatMap(({ event }) => (event === null ? [] : [event])));
  const guards = transitions.filter(({ event }) => event === null).map(({ guard }) => guard ?? 'else');
  const words = guards.length === 0 ? [] : [guards.length < 3 ? `[${guards.join(', ')}]` : `[${guards.length} guards]`];
  return [
    ...words.map((text) => line([span(text, 'guard')])),
    ...[...events].map((event) => line([span(event, 'event')])),
  ];
}

/** `answered 2/5 [guard] / action`, and the clauses below. */
function fullLines(transitions: readonly ChartTransition[]): Line[] {
  return transitions.flatMap((transition) => [...headLines(transition), ...clauseLines(transition.clauses)]);
}

function headLines({ event, order, of, guard, actions }: ChartTransition): Line[] {
  const named = event === null ? [] : [span(event, 'event')];
  const ordered = of === 1 ? [] : [span(`${event === null ? '' : ' '}${order}/${of}`, 'order')];
  const before = [...named, ...ordered];
  const asked = guard === null ? [] : [span(`${before.length === 0 ? '' : ' '}[${guard}]`, 'guard')];
  const done = actions.length === 0 ? [] : [span(` / ${actions.join(', ')}`, 'action')];
  const whole = [...before, ...asked, ...done];
  if (lengthOf(whole) <= BREAK_AT || done.length === 0) return [line(whole)];
  return [line([...before, ...asked]), line([span(`   / ${actions.join(', ')}`, 'action')])];
}

function clauseLines(clauses: readonly string[]): Line[] {
  const lines: string[] = [];
  for (const clause of clauses) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + clause.length > BREAK_SMALL_AT) lines.push(`   ${clause}`);
    else lines[lines.length - 1] = `${last} ${clause}`;
  }
  return lines.map((text) => ({ spans: [span(text, 'clause')], small: true }));
}

function span(text: string, role: Span['role']): Span {
  return { text, role };
}

function line(spans: readonly Span[]): Line {
  return { spans, small: false };
}

/** Letters in a line. */
export function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { text }) => sum + text.length, 0);
}
