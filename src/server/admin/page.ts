/** The page for people: files that come with the package, and nothing from elsewhere. They hold no data of their own. */
import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { packageFile } from '../package-files.ts';
import { notFound } from './answers.ts';

const FILES: Readonly<Record<string, { readonly file: string; readonly type: string }>> = {
  '/': { file: 'index.html', type: 'text/html; charset=utf-8' },
  '/page.js': { file: 'page.js', type: 'text/javascript; charset=utf-8' },
  '/page.css': { file: 'page.css', type: 'text/css; charset=utf-8' },
  '/charts.json': { file: 'charts.json', type: 'application/json; charset=utf-8' },
  '/icon.svg': { file: 'icon.svg', type: 'image/svg+xml' },
};

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

/** True for what anyone may read: the page asks for the token itself. */
export function isPage(url: string): boolean {
  return Object.hasOwn(FILES, url.replace(/\?.*$/, ''));
}

export function pageRoutes(app: FastifyInstance): void {
  for (const [path, { file, type }] of Object.entries(FILES)) {
    app.get(path, async (_request, reply) => {
      const content = await readFile(packageFile('dist/src/page', file)).catch(() => undefined);
      if (content === undefined) return notFound(reply, 'the page is not built: npm run build');
      return reply.headers(HEADERS).type(type).send(content);
    });
  }
}
