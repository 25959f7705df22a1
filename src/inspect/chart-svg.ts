/** A drawing of a chart as SVG. Each state and each arrow is a group that names what it shows, so that it can be lit. */
import {
  type Drawing,
  type DrawnArrow,
  type DrawnBox,
  LETTER,
  PADDING,
  type Point,
  SMALL,
  TITLE_HEIGHT,
} from './chart-layout.ts';
import type { Line } from './chart-view.ts';
import { escaped, styled, text } from './svg.ts';

export interface SvgOptions {
  /** Put before the ids of elements, for a page with several drawings. */
  readonly prefix?: string;
  /** False leaves the style sheet out, for a page that brings {@link CHART_STYLE} itself. */
  readonly style?: boolean;
}

/**
 * Colours of a chart; `svg.chart` sets variables that a page may set otherwise. What is active has the class `lit`.
 */
export const CHART_STYLE = `
.chart .box{fill:var(--box);stroke:var(--line);stroke-width:1.2}
.chart .box.outer{fill:var(--outer)}
.chart .box.region{stroke-dasharray:6 4}
.chart .box.name{fill:var(--paper);stroke:var(--faint);stroke-dasharray:3 3}
.chart .rule{stroke:var(--faint)}
.chart .title{font-weight:bold;fill:var(--ink)}
.chart .name .title{font-weight:normal;fill:var(--soft)}
.chart .over{paint-order:stroke;stroke:var(--outer);stroke-width:4}
.chart .start{fill:var(--ink)}
.chart .path{fill:none;stroke:var(--line);stroke-width:1.2}
.chart .head{fill:var(--line)}
.chart .label{fill:var(--paper);stroke:var(--faint)}
.chart .event{fill:var(--event);font-weight:bold}
.chart .plain{fill:var(--ink)}
.chart .order{fill:var(--soft)}
.chart .guard{fill:var(--guard)}
.chart .action{fill:var(--action)}
.chart .clause{fill:var(--soft)}
.chart .state.lit>.box{fill:var(--lit);stroke:var(--event);stroke-width:2}
.chart .arrow.lit>.path{stroke:var(--event);stroke-width:2.4}
.chart .arrow.lit>.head{fill:var(--event)}`;

export function chartSvg(drawing: Drawing, options: SvgOptions = {}): string {
  const { width, height, title, boxes, arrows } = drawing;
  const prefix = options.prefix ?? '';
  const parts = [
    ...boxes.map((box) => boxSvg(box, prefix)),
    ...arrows.map(pathSvg),
    ...boxes.filter(({ holdsOthers }) => holdsOthers).map(wordsSvg),
    ...arrows.map(labelSvg).filter((part) => part !== ''),
  ];
  const style = options.style === false ? '' : CHART_STYLE;
  return styled({ kind: 'chart', width, height, title: `Statechart: ${title}`, style }, parts);
}

/** Id of a state's group: `state-call-inviting-ringing`. */
export function stateId(path: string): string {
  return `state-${path.replaceAll('.', '-')}`;
}

function boxSvg(box: DrawnBox, prefix: string): string {
  const { x, y, width, height, kind, path } = box;
  if (kind === 'own') return `<g class="own">${linesSvg(box.lines, box).join('')}</g>`;
  if (kind === 'start') return `<circle class="start" cx="${x + width / 2}" cy="${y + height / 2}" r="5"/>`;
  const region = box.holdsOthers && !path.includes('.') ? ' region' : '';
  const classes = `box${box.holdsOthers ? ` outer${region}` : ''}${kind === 'name' ? ' name' : ''}`;
  const radius = kind === 'name' ? height / 2 : 8;
  const frame = (inset: number): string =>
    `<rect class="${classes}" x="${x + inset}" y="${y + inset}" width="${width - 2 * inset}" height="${height - 2 * inset}" rx="${radius}"/>`;
  const rule = box.lines.length === 0 ? '' : `<path class="rule" d="M${x} ${y + TITLE_HEIGHT - 1}h${width}"/>`;
  const id = kind === 'name' ? '' : ` id="${prefix}${stateId(path)}"`;
  return [
    `<g class="state${kind === 'name' ? ' name' : ''}"${id} data-state="${escaped(path)}">`,
    frame(0),
    // The end of a chart has a double frame, as its final state has in UML.
    kind === 'final' ? frame(3) : '',
    rule,
    box.holdsOthers ? '' : wordsSvg(box),
    '</g>',
  ]
    .filter((part) => part !== '')
    .join('');
}

/** Title and lines of a box. Those of one that holds others are put over the arrows that cross it. */
function wordsSvg(box: DrawnBox): string {
  const { x, y } = box;
  const title = text({ x: x + PADDING, y: y + 17, classes: 'title', ...LETTER }, [{ text: box.title }]);
  const words = [title, ...linesSvg(box.lines, { x: x + PADDING, y: y + TITLE_HEIGHT + 3 })].join('');
  return box.holdsOthers ? `<g class="over">${words}</g>` : words;
}

function linesSvg(lines: readonly Line[], from: Point): string[] {
  let { y } = from;
  return lines.map(({ spans, small }) => {
    const letter = small ? SMALL : LETTER;
    y += letter.height;
    return text(
      { x: from.x, y: y - 4, ...letter },
      spans.map(({ text, role }) => ({ text, classes: role })),
    );
  });
}

function pathSvg(arrow: DrawnArrow): string {
  const { source, target, transitions, points } = arrow;
  const names = transitions.length === 0 ? '' : ` data-transitions="${escaped(transitions.join(' '))}"`;
  return `<g class="arrow" data-from="${escaped(source)}" data-to="${escaped(target)}"${names}><path class="path" d="${rounded(points)}"/><path class="head" d="${headOf(points)}"/></g>`;
}

function labelSvg({ label }: DrawnArrow): string {
  if (label === null) return '';
  const { x, y, width, height, lines } = label;
  return `<g><rect class="label" x="${x}" y="${y}" width="${width}" height="${height}" rx="4"/>${linesSvg(lines, { x: x + 4, y: y + 3 }).join('')}</g>`;
}

const CORNER = 5;

/** A line along the points with its corners cut round. */
function rounded(points: readonly Point[]): string {
  const parts = points.map((point, at) => {
    const [before, after] = [points[at - 1], points[at + 1]];
    if (before === undefined) return `M${point.x} ${point.y}`;
    if (after === undefined) return `L${point.x} ${point.y}`;
    const [into, out] = [toward(point, before), toward(point, after)];
    return `L${into.x} ${into.y}Q${point.x} ${point.y} ${out.x} ${out.y}`;
  });
  return parts.join('');
}

/** The point so far from `from` in the direction of `to`, at most half of the way. */
function toward(from: Point, to: Point, distance = CORNER): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const share = length === 0 ? 0 : Math.min(distance, length / 2) / length;
  return { x: tenth(from.x + (to.x - from.x) * share), y: tenth(from.y + (to.y - from.y) * share) };
}

function headOf(points: readonly Point[]): string {
  const [tip, before] = [points.at(-1), points.at(-2)];
  if (tip === undefined || before === undefined) return '';
  const angle = Math.atan2(tip.y - before.y, tip.x - before.x);
  const side = (turn: number): string =>
    `L${tenth(tip.x - 9 * Math.cos(angle + turn))} ${tenth(tip.y - 9 * Math.sin(angle + turn))}`;
  return `M${tip.x} ${tip.y}${side(0.4)}${side(-0.4)}Z`;
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
