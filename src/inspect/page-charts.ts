/** The pictures of the session's chart as a page carries them: laid out where it is built, lit where it is looked at. */
import { sessionMachine } from '../../machines/session/machine.ts';
import { chartOf, statesIn } from './chart.ts';
import { type Elk, layOut } from './chart-layout.ts';
import { chartSvg } from './chart-svg.ts';
import { stateView, type View, wholeView } from './chart-view.ts';

export interface PageCharts {
  readonly whole: string;
  /** By path, `call.inviting.ringing`: each state that holds no other. */
  readonly states: Readonly<Record<string, string>>;
}

export async function pageCharts(elk: Elk): Promise<PageCharts> {
  const chart = chartOf(sessionMachine);
  const draw = async (view: View, prefix: string): Promise<string> =>
    chartSvg(await layOut(elk, view), { prefix, style: false });
  const states: Record<string, string> = {};
  for (const { path } of statesIn(chart.root).filter(({ kind }) => kind === 'atomic' || kind === 'final')) {
    states[path] = await draw(stateView(chart, path), `${path.replaceAll('.', '-')}-`);
  }
  return { whole: await draw(wholeView(chart), 'whole-'), states };
}
