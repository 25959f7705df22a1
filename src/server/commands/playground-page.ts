/** The playground as one page: script, style and pictures stand in it, and nothing is asked of anybody. */

import { readFileSync } from 'node:fs';
import { CHART_STYLE } from '../../inspect/chart-svg.ts';
import { packageFile } from '../package-files.ts';
import { CommandFailed } from './output.ts';

/** Puts the page together; only whoever works on this project does, so it is not installed with the package. */
const BUNDLER = 'esbuild';

/** What is used of it. */
interface Bundler {
  build(
    options: object,
  ): Promise<{ readonly outputFiles: readonly { readonly path: string; readonly text: string }[] }>;
}

/** Much longer, and it would be no file to keep beside the code. Characters. */
const LONGEST = 1_500_000;

export async function playgroundPage(): Promise<string> {
  const { script, style } = await bundle(packageFile('src/playground/view'));
  // Laid out when the page of the admin side was built, by the same code.
  const charts = readFileSync(packageFile('dist/src/page/charts.json'), 'utf8');
  const page = document(script, `${style}${CHART_STYLE.replace(/\n/g, '')}`, charts);
  if (page.length > LONGEST)
    throw new CommandFailed(`the playground has ${page.length} characters, ${LONGEST} allowed`);
  return page;
}

async function bundle(folder: string): Promise<{ script: string; style: string }> {
  const { outputFiles } = await (await bundler()).build({
    entryPoints: { playground: `${folder}/main.tsx`, style: `${folder}/playground.css` },
    outdir: folder,
    absWorkingDir: packageFile(),
    write: false,
    bundle: true,
    minify: true,
    // For a browser an import of Node is an error, and that is the check that there is none.
    platform: 'browser',
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    // What a configuration beside it says must not change it.
    tsconfigRaw: '{}',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'warning',
  });
  const ending = (end: string): string => outputFiles.find(({ path }) => path.endsWith(end))?.text.trimEnd() ?? '';
  return { script: ending('.js'), style: ending('.css') };
}

async function bundler(): Promise<Bundler> {
  try {
    return (await import(BUNDLER)) as Bundler;
  } catch {
    throw new CommandFailed('the playground is put together by esbuild, which only a checkout has: git clone, npm ci');
  }
}

/** Inline script and style are all there is: nothing may be fetched, and nothing leaves. */
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

function document(script: string, style: string, charts: string): string {
  // Neither a script nor data may end their own element.
  const inert = (text: string): string => text.replace(/<\/(script)/gi, '<\\/$1');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>cpm-engine playground</title>
<style>${style}</style>
</head>
<body>
<div id="page"></div>
<noscript>This page plays sessions by script; without it there are the pictures beside it.</noscript>
<script type="application/json" id="charts">${charts.replace(/</g, '\\u003c')}</script>
<script>${inert(script)}</script>
</body>
</html>
`;
}
