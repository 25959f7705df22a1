/** Ten thousand sessions at a time, made by SIPp, in the list of a real browser. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { freePort, Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { PROJECT, type RunningServer, serve, until } from '../support/server.ts';
import { startSipp } from '../support/sipp.ts';
import { browsing } from './browser.ts';

const MANY = 10_000;
/** Some more, since on a busy machine a call fails now and then. */
const SPARE = 300;
const RATE = 600;
const SECONDS = 150;

describeWith(['chromium', 'sipp'], 'ten thousand sessions', () => {
  const visits = browsing();
  let scene: Scene;
  let server: RunningServer;
  beforeAll(
    async () => {
      scene = new Scene();
      cpSync(join(PROJECT, 'bench', 'scenarios'), scene.folder, { recursive: true });
      const [uac, uas] = [await freePort(), await freePort()];
      server = await serve(scene, {
        sip: { core: `sip:127.0.0.1:${uas};lr`, overload: { maxLagMs: 60_000 } },
        policy: { mediaPath: 'always' },
        sessions: { driver: 'memory' },
        history: { driver: 'none' },
        shutdown: { graceMs: 100, sessions: 'keep' },
      });
      startSipp(scene, 'uas.xml', { port: uas, seconds: 2 * SECONDS });
      const keys = { served_user: '<sip:alice@home.example>;sescase=orig' };
      // So many at a time for as long as it takes: a call that fails on a busy machine is made again.
      const caller = { port: uac, target: server.ports.udp ?? 0, rate: RATE, atOnce: MANY + SPARE, keys };
      startSipp(scene, 'uac.xml', { ...caller, holdMs: 2 * SECONDS * 1000, seconds: 2 * SECONDS });
      await until('all are there', async () => (await server.metric('sessions')) >= MANY + SPARE / 2, SECONDS * 1000);
    },
    SECONDS * 1000 + 10_000,
  );
  afterAll(() => scene.close());

  it('are counted, and only a screenful of them is drawn', async () => {
    const page = await visits.visit(server.admin);
    await page
      .getByText(/^1\d\u2009\d{3}$/)
      .first()
      .waitFor();
    await page.getByRole('link', { name: 'alice@home.example' }).first().waitFor();
    expect(Number(await page.getByRole('table').getAttribute('aria-rowcount'))).toBeGreaterThan(MANY);
    expect(await page.getByRole('row').count()).toBeLessThan(80);
  });

  it('are scrolled to the last one, which is there within a second, and the page goes on drawing', async () => {
    const page = await visits.visit(server.admin);
    await page.getByRole('link', { name: 'alice@home.example' }).first().waitFor();
    const rows = page.locator('.rows');
    const began = Date.now();
    await rows.evaluate((box) => {
      box.scrollTop = box.scrollHeight;
    });
    const last = page.locator(`[aria-rowindex="${await page.getByRole('table').getAttribute('aria-rowcount')}"] a`);
    await last.waitFor({ timeout: 5000 });
    expect(Date.now() - began).toBeLessThan(1000);
    // The time between two pictures while it is scrolled through, ms: most of them in time for the eye.
    const gaps = (await page.evaluate(`new Promise((done) => {
      const box = document.querySelector('.rows');
      const gaps = [];
      let before = performance.now();
      const draw = (now) => {
        gaps.push(now - before);
        before = now;
        box.scrollTop -= 2000;
        if (gaps.length < 60) requestAnimationFrame(draw);
        else done(gaps.sort((one, other) => one - other));
      };
      requestAnimationFrame(draw);
    })`)) as number[];
    expect(gaps[Math.floor(gaps.length / 2)]).toBeLessThan(100);
  });

  it('and one of them, wherever in the list, opens', async () => {
    const page = await visits.visit(server.admin);
    await page.getByRole('link', { name: 'alice@home.example' }).nth(5).click();
    await page.getByRole('heading', { name: 'alice@home.example with bob@home.example' }).waitFor();
    await page.locator('.picture .state.lit.inner').first().waitFor();
  });
});
