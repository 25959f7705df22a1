/**
 * Builds the page of the admin side into dist/src/page: one script, one style sheet, the document, its icon, and the
 * pictures of the statechart, laid out here so that a running server need not. Runs after the compiler, on what it wrote.
 */
import { appendFileSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Elk from 'elkjs';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const from = (...path) => join(root, 'src/page', ...path);
const to = (...path) => join(root, 'dist/src/page', ...path);

mkdirSync(to(), { recursive: true });
for (const file of ['index.html', 'icon.svg']) copyFileSync(from(file), to(file));
await build({
  entryPoints: [
    { in: from('main.tsx'), out: 'page' },
    { in: from('page.css'), out: 'page' },
  ],
  outdir: to(),
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  logLevel: 'warning',
});
const { chartSvg, CHART_STYLE } = await import('../dist/src/inspect/chart-svg.js');
appendFileSync(to('page.css'), CHART_STYLE);
writeFileSync(to('charts.json'), JSON.stringify(await charts()));

/** The whole chart, and each state that holds others, or that is reached, by itself. */
async function charts() {
  const { chartOf, statesIn } = await import('../dist/src/inspect/chart.js');
  const { stateView, wholeView } = await import('../dist/src/inspect/chart-view.js');
  const { layOut } = await import('../dist/src/inspect/chart-layout.js');
  const { sessionMachine } = await import('../dist/machines/session/machine.js');
  const elk = new Elk();
  const chart = chartOf(sessionMachine);
  const draw = async (view, prefix) => chartSvg(await layOut(elk, view), { prefix, style: false });
  const states = {};
  for (const { path } of statesIn(chart.root).filter(({ kind }) => kind === 'atomic' || kind === 'final')) {
    states[path] = await draw(stateView(chart, path), `${path.replaceAll('.', '-')}-`);
  }
  return { whole: await draw(wholeView(chart), 'whole-'), states };
}
