/** The statechart with the states that are current, the way there, and what the step at hand did. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useAsked } from './hooks.ts';
import { Choice, Empty, Panel } from './parts.tsx';
import { pathsOf, type Travelled } from './timeline.ts';
import type { Charts } from './told.ts';

/** All of it with what is current in the middle, large enough to read; all at a glance; the state alone, with its guards. */
export type Focus = 'around' | 'whole' | 'state';

export interface ChartProps {
  readonly call: string;
  readonly recording: string;
  readonly travelled: Travelled;
  readonly focus: Focus;
  readonly setFocus: (focus: Focus) => void;
}

export function ChartPanel({ call, recording, travelled, focus, setFocus }: ChartProps) {
  const charts = useAsked<Charts>('/charts.json');
  const picture =
    charts.data === undefined ? undefined : focus === 'state' ? charts.data.states[`call.${call}`] : charts.data.whole;
  const tools = <FocusChoice focus={focus} setFocus={setFocus} />;
  return (
    <Panel title="Statechart" class="chart-panel" tools={tools}>
      {charts.error !== undefined && <Empty>{charts.error}</Empty>}
      {picture !== undefined && (
        <Picture svg={picture} current={pathsOf(call, recording)} travelled={travelled} focus={focus} />
      )}
    </Panel>
  );
}

export function FocusChoice({ focus, setFocus }: Pick<ChartProps, 'focus' | 'setFocus'>) {
  return (
    <Choice
      label="Which chart"
      value={focus}
      of={[
        ['around', 'Around'],
        ['whole', 'Whole'],
        ['state', 'State'],
      ]}
      choose={setFocus}
    />
  );
}

export function Picture(props: {
  readonly svg: string;
  readonly current: readonly string[];
  readonly travelled: Travelled;
  readonly focus: Focus;
}) {
  const { svg, current, travelled, focus } = props;
  const box = useRef<HTMLDivElement>(null);
  const [drawn, setDrawn] = useState<Element>();
  useEffect(() => {
    const parsed = new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement;
    box.current?.replaceChildren(document.importNode(parsed, true));
    const picture = box.current?.firstElementChild ?? undefined;
    if (focus !== 'state') {
      picture?.removeAttribute('width');
      picture?.removeAttribute('height');
    }
    setDrawn(picture);
  }, [svg, focus]);
  useEffect(() => {
    if (drawn === undefined) return;
    light(drawn, current, travelled);
    // By hand: scrollIntoView would move the page too.
    const state = drawn.querySelector('.state.lit.inner');
    const frame = box.current;
    if (state === null || frame === null || focus === 'whole') return;
    const [inner, outer] = [state.getBoundingClientRect(), frame.getBoundingClientRect()];
    frame.scrollBy(
      inner.left - outer.left - (outer.width - inner.width) / 2,
      inner.top - outer.top - (outer.height - inner.height) / 2,
    );
  }, [drawn, current.join(' '), travelled, focus]);
  // What can be scrolled must be reached by keys
  return (
    <div
      class={`picture ${focus === 'whole' ? 'fits' : focus}`}
      ref={box}
      tabIndex={0}
      role="group"
      aria-label="Picture of the statechart"
    />
  );
}

function light(picture: Element, current: readonly string[], { states, transitions, latest }: Travelled): void {
  for (const state of picture.querySelectorAll('.state')) {
    const path = state.getAttribute('data-state') ?? '';
    const lit = current.includes(path);
    state.classList.toggle('lit', lit);
    state.classList.toggle('inner', lit && !current.some((other) => other.startsWith(`${path}.`)));
    state.classList.toggle('been', states.has(path));
  }
  for (const arrow of picture.querySelectorAll('.arrow')) {
    const ids = (arrow.getAttribute('data-transitions') ?? '').split(' ');
    arrow.classList.toggle(
      'lit',
      ids.some((id) => latest.has(id)),
    );
    arrow.classList.toggle(
      'been',
      ids.some((id) => transitions.has(id)),
    );
  }
}
