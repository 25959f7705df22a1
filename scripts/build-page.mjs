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
const { CHART_STYLE } = await import('../dist/src/inspect/chart-svg.js');
appendFileSync(to('page.css'), CHART_STYLE);
const { pageCharts } = await import('../dist/src/inspect/page-charts.js');
writeFileSync(to('charts.json'), JSON.stringify(await pageCharts(new Elk())));
