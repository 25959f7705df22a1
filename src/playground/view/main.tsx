/** The playground's page: everything it needs stands in it. */
import { render } from 'preact';
import type { Charts } from '../../page/told.ts';
import { Playground } from './app.tsx';

const charts = JSON.parse(document.getElementById('charts')?.textContent ?? '') as Charts;
render(<Playground charts={charts} />, document.getElementById('page') as HTMLElement);
