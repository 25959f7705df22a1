/**
 * Lays a view of a chart out: coordinates for each box, arrow and label, in pixels. The layered layout is ELK's, which is
 * handed in, so that whoever only shows ready drawings does not need it. The same view gives the same drawing: letters
 * have a fixed width here, whatever fonts are installed.
 */
import { type Line, lengthOf, type View, type ViewArrow, type ViewBox } from './chart-view.ts';

/** A node of ELK's JSON graph, as far as it is used here. */
export interface ElkNode {
  id: string;
  x?: number;
  y?: number;
  width?: number;
  height?: number;
  children?: ElkNode[];
  edges?: ElkEdge[];
  labels?: ElkLabel[];
  layoutOptions?: Record<string, string>;
}

interface ElkLabel {
  id?: string;
  text?: string;
  x?: number;
  y?: number;
  width?: number;
  height?: number;
  layoutOptions?: Record<string, string>;
}

interface ElkEdge {
  id: string;
  sources: string[];
  targets: string[];
  labels?: ElkLabel[];
  sections?: { startPoint: Point; endPoint: Point; bendPoints?: Point[] }[];
  layoutOptions?: Record<string, string>;
}

/** `new ELK()` of elkjs. */
export interface Elk {
  layout(graph: ElkNode): Promise<ElkNode>;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rectangle extends Point {
  readonly width: number;
  readonly height: number;
}

export interface DrawnBox extends Rectangle {
  readonly path: string;
  readonly title: string;
  /**
   * `start` is the dot from which the first state is entered, `own` the lines of a state that holds others; the path of
   * both is that of the state around them.
   */
  readonly kind: ViewBox['kind'] | 'start' | 'own';
  readonly lines: readonly Line[];
  /** How many boxes are around it. */
  readonly depth: number;
  readonly holdsOthers: boolean;
}

export interface DrawnArrow {
  readonly source: string;
  readonly target: string;
  /** Ids of its transitions; none for the arrow out of a start. */
  readonly transitions: readonly string[];
  readonly points: readonly Point[];
  readonly label: (Rectangle & { readonly lines: readonly Line[] }) | null;
}

export interface Drawing {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  /** Outer boxes before those inside them. */
  readonly boxes: readonly DrawnBox[];
  readonly arrows: readonly DrawnArrow[];
}

/** Widths and heights of letters, pixels. */
export const LETTER = { width: 7.2, height: 16, size: 12 } as const;
export const SMALL = { width: 6, height: 13, size: 10 } as const;
export const TITLE_HEIGHT = 26;
export const PADDING = 10;

/** Of every node: ELK's options are not inherited by the graphs inside. */
const COMMON: Record<string, string> = {
  'elk.algorithm': 'layered',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.json.edgeCoords': 'ROOT',
  'elk.json.shapeCoords': 'ROOT',
  'elk.randomSeed': '1',
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.spacing.nodeNodeBetweenLayers': '26',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
  'elk.spacing.nodeNode': '28',
  'elk.spacing.edgeNode': '16',
  'elk.spacing.edgeEdge': '12',
  'elk.spacing.edgeLabel': '2',
  'elk.spacing.componentComponent': '30',
};

type Direction = 'DOWN' | 'RIGHT';

/** Lays the view out, downwards or to the right: whichever is narrower, since a page scrolls downwards. */
export async function layOut(elk: Elk, view: View): Promise<Drawing> {
  const [down, right] = [await laidOut(elk, view, 'DOWN'), await laidOut(elk, view, 'RIGHT')];
  return down.width <= right.width ? down : right;
}

async function laidOut(elk: Elk, view: View, direction: Direction): Promise<Drawing> {
  const options = { ...COMMON, 'elk.direction': direction };
  const laid = await elk.layout({
    id: ROOT,
    layoutOptions: { ...options, 'elk.padding': '[top=12,left=12,bottom=12,right=12]' },
    children: view.boxes.map((box) => nodeOf(box, options)),
    edges: [...view.arrows.map(edgeOf), ...view.boxes.flatMap(startEdges)],
  });
  const arrows = new Map(view.arrows.map((arrow, at) => [`arrow ${at}`, arrow]));
  return {
    title: view.title,
    width: Math.ceil(laid.width ?? 0),
    height: Math.ceil(laid.height ?? 0),
    boxes: view.boxes.flatMap((box) => drawnBoxes(box, laid.children ?? [], 0)),
    arrows: (laid.edges ?? []).map((edge) => drawnArrow(edge, arrows.get(edge.id))),
  };
}

const ROOT = '(root)';

function startOf(path: string): string {
  return `start of ${path}`;
}

function ownOf(path: string): string {
  return `lines of ${path}`;
}

function nodeOf(box: ViewBox, options: Record<string, string>): ElkNode {
  const { path, title, children } = box;
  if (children.length === 0) return { id: path, ...contentSize(box) };
  const first = { 'elk.layered.layering.layerConstraint': 'FIRST' };
  const start: ElkNode = { id: startOf(path), width: 10, height: 10, layoutOptions: first };
  // A node of their own, so that arrows go around the lines.
  const own: ElkNode = { id: ownOf(path), ...linesSize(box.lines) };
  return {
    id: path,
    children: [
      ...(box.lines.length === 0 ? [] : [own]),
      ...(box.initial === null ? [] : [start]),
      ...children.map((child) => nodeOf(child, options)),
    ],
    layoutOptions: {
      ...options,
      'elk.padding': `[top=${TITLE_HEIGHT + 8},left=16,bottom=16,right=16]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${round(title.length * LETTER.width + 2 * PADDING)}, ${TITLE_HEIGHT})`,
    },
  };
}

function startEdges(box: ViewBox): ElkEdge[] {
  const own = box.initial === null ? [] : [edge(startOf(box.path), startOf(box.path), box.initial)];
  return [...own, ...box.children.flatMap(startEdges)];
}

function edgeOf(arrow: ViewArrow, at: number): ElkEdge {
  const made = edge(`arrow ${at}`, arrow.source, arrow.target);
  if (arrow.lines.length === 0) return made;
  const { width, height } = linesSize(arrow.lines);
  const label: ElkLabel = {
    text: ' ',
    width: width + 8,
    height: height + 6,
    layoutOptions: { 'elk.edgeLabels.inline': 'true', 'elk.edgeLabels.placement': 'CENTER' },
  };
  return { ...made, labels: [label] };
}

function edge(id: string, source: string, target: string): ElkEdge {
  return { id, sources: [source], targets: [target] };
}

/** Size of what stands in the box itself. */
function contentSize(box: ViewBox): { width: number; height: number } {
  const lines = linesSize(box.lines);
  const title = box.title.length * LETTER.width;
  const height = TITLE_HEIGHT + (box.lines.length === 0 ? 0 : lines.height + PADDING);
  return { width: round(Math.max(title, lines.width) + 2 * PADDING), height: round(height) };
}

export function linesSize(lines: readonly Line[]): { width: number; height: number } {
  const widths = lines.map(({ spans, small }) => lengthOf(spans) * (small ? SMALL : LETTER).width);
  const height = lines.reduce((sum, { small }) => sum + (small ? SMALL : LETTER).height, 0);
  return { width: round(Math.max(0, ...widths)), height };
}

function drawnBoxes(box: ViewBox, among: readonly ElkNode[], depth: number): DrawnBox[] {
  const { path, title, kind, lines } = box;
  const node = among.find(({ id }) => id === path) as ElkNode;
  const inside = node.children ?? [];
  const part = (id: string, kind: 'start' | 'own', words: readonly Line[]): DrawnBox[] =>
    inside
      .filter((each) => each.id === id)
      .map((each) => ({ path, title: '', kind, lines: words, depth, holdsOthers: false, ...rectangle(each) }));
  const holdsOthers = box.children.length > 0;
  return [
    { path, title, kind, lines: holdsOthers ? [] : lines, depth, holdsOthers, ...rectangle(node) },
    ...part(startOf(path), 'start', []),
    ...part(ownOf(path), 'own', lines),
    ...box.children.flatMap((child) => drawnBoxes(child, inside, depth + 1)),
  ];
}

function drawnArrow(edge: ElkEdge, arrow: ViewArrow | undefined): DrawnArrow {
  const points = (edge.sections ?? []).flatMap(({ startPoint, endPoint, bendPoints }) =>
    [startPoint, ...(bendPoints ?? []), endPoint].map(({ x, y }) => ({ x: round(x), y: round(y) })),
  );
  const [label] = edge.labels ?? [];
  return {
    source: arrow?.source ?? '',
    target: arrow?.target ?? edge.targets[0] ?? '',
    transitions: arrow?.transitions ?? [],
    points,
    label: label === undefined || arrow === undefined ? null : { lines: arrow.lines, ...rectangle(label) },
  };
}

function rectangle({ x = 0, y = 0, width = 0, height = 0 }: Partial<Rectangle>): Rectangle {
  return { x: round(x), y: round(y), width: round(width), height: round(height) };
}

/** To a tenth of a pixel: enough to look at, and short to write. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}
