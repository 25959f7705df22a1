/** The page as the server gives it: from the package's own files, with nothing from elsewhere; and what it asks for. */
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Hosted, host } from '../support/hosted.ts';
import { Scene } from '../support/processes.ts';
import { PROJECT, until } from '../support/server.ts';

let scene: Scene;
let pf: Hosted;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.close());

/** A server that ends with the scene. */
async function serving(options?: { token: string }): Promise<void> {
  pf = await host(scene, { policy: { mediaPath: 'auto' } }, options);
  scene.atEnd(() => pf.close());
}

const FILES = ['/', '/page.js', '/page.css', '/charts.json', '/icon.svg'];

describe('the files of the page', () => {
  it('are given without a token, allow no inline script or style, and name no other host', async () => {
    await serving({ token: 'right' });
    for (const path of FILES) {
      const { status, headers, body } = await pf.ask<unknown>('GET', path);
      expect({ path, status }).toEqual({ path, status: 200 });
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain('unsafe');
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const places = [...text.matchAll(/https?:\/\/[\w.-]+/g)].map(([place]) => place);
      expect(places.filter((place) => !['http://www.w3.org', 'https://www.w3.org'].includes(place))).toEqual([]);
    }
  });

  it('are in the package', () => {
    const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: PROJECT,
      encoding: 'utf8',
    });
    const [pack] = JSON.parse(stdout) as { files: { path: string }[] }[];
    const paths = pack?.files.map(({ path }) => path) ?? [];
    for (const file of ['index.html', 'page.js', 'page.css', 'charts.json', 'icon.svg']) {
      expect(paths).toContain(`dist/src/page/${file}`);
    }
  });
});

describe('what the page asks for', () => {
  it('a part of the list, from the newest on, by reason too', async () => {
    await serving();
    for (let at = 0; at < 3; at++) await pf.establish();
    const all = [...pf.server.cpm.engine.sessions.keys()];
    const { body } = await pf.ask<{ matched: number; sessions: { id: string }[] }>(
      'GET',
      '/api/sessions?order=newest&offset=1&limit=1',
    );
    expect(body).toMatchObject({ matched: 3, sessions: [{ id: all[1] }] });
    expect((await pf.ask('GET', '/api/sessions?reason=operator')).body).toMatchObject({ total: 3, matched: 0 });
    expect(await pf.ask('GET', '/api/sessions?offset=-1')).toMatchObject({ status: 400 });
  });

  it('those that ended lately, the latest first, five hundred of them', async () => {
    await serving();
    const calls = [await pf.establish(), await pf.establish()];
    const ids = [...pf.server.cpm.engine.sessions.keys()];
    for (const { near } of calls) await pf.alice.bye(near);
    await until('both are over', async () => pf.server.cpm.engine.sessions.size === 0);
    const { body } = await pf.ask<{ sessions: { id: string; reason: string }[] }>('GET', '/api/sessions/ended');
    expect(body.sessions.map(({ id, reason }) => [id, reason])).toEqual(
      ids.reverse().map((id) => [id, 'byeFromClient']),
    );
    const [session] = pf.server.ended.list();
    if (session === undefined) throw new Error('none has ended');
    await pf.establish();
    const [live] = pf.server.cpm.engine.sessions.values();
    for (let at = 0; at < 700; at++) if (live !== undefined) pf.server.ended.note(live);
    expect(pf.server.ended.list()).toHaveLength(500);
  });

  it('a feed that names who took a step, and costs nothing once its last reader has gone', async () => {
    await serving();
    const stop = new AbortController();
    const response = await fetch(`${pf.admin}/api/feed`, { signal: stop.signal });
    const told: { changed: string[]; sessions: number }[] = [];
    const reading = (async () => {
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        for (const event of Buffer.from(chunk).toString().split('\n\n').filter(Boolean))
          told.push(JSON.parse(event.slice(6)));
      }
    })().catch(() => {});
    await until('it has begun', async () => told.length === 1);
    expect(pf.server.observers.size).toBe(1);
    const { near } = await pf.establish();
    await until('the session is named', async () =>
      told.some(({ changed }) => changed.includes([...pf.server.cpm.engine.sessions.keys()][0] ?? '')),
    );
    expect(told.at(-1)?.sessions).toBe(1);
    // A message that comes after the last step, here a copy of the INVITE, is told of too.
    await until('all is told', async () => told.length > 1);
    const before = told.length;
    const [id = ''] = pf.server.cpm.engine.sessions.keys();
    pf.alice.peer.sendRaw(near.invite);
    await until('the copy is told', async () => told.slice(before).some(({ changed }) => changed.includes(id)));
    stop.abort();
    await reading;
    await until('nobody reads', async () => pf.server.observers.size === 0);
  });

  it('a verdict under a policy that is only supposed, and what is wrong with one that is none', async () => {
    await serving();
    const { invite } = pf.alice.invite();
    const message = [`INVITE ${invite.uri} SIP/2.0`, ...invite.headers.map(({ line }) => line), '', ''].join('\n');
    const explain = (question: object) =>
      pf.ask<{ mode: string; error: string }>(
        'POST',
        '/api/policy/explain',
        { 'content-type': 'application/json' },
        JSON.stringify(question),
      );
    expect((await explain({ message, policy: { mediaPath: 'never' } })).body.mode).toBe('proxy');
    expect((await explain({ message, policy: { mediaPath: 'always' } })).body.mode).toBe('b2bua');
    expect((await explain({ message, policy: { mediaPath: 'maybe' } })).status).toBe(400);
    expect((await explain({ message, more: true })).status).toBe(400);
    expect(pf.server.cpm.engine.policy.mediaPath).toBe('auto');
  });

  it('the numbers of its health', async () => {
    await serving();
    await pf.establish();
    expect((await pf.ask('GET', '/api/health')).body).toMatchObject({
      status: 'ready',
      engine: { live: 1, started: 1, traced: 1 },
      outbox: { depth: 0, lastError: null },
      stores: { sessions: 'sqlite', history: 'sqlite' },
    });
  });
});
