/** A session exported by one server and opened in the page of another, which knows nothing of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { analysed } from '../../src/capture/analysis.ts';
import { capturedFile } from '../../src/capture/captured-file.ts';
import { hearingOf } from '../../src/capture/read.ts';
import { type Hosted, host } from '../support/hosted.ts';
import { Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { until } from '../support/server.ts';
import { browsing, nameless } from './browser.ts';

const RECORDED = { policy: { mediaPath: 'always', defaultAllowOfflineStorage: true } };

describeWith(['chromium'], 'a session in a file', () => {
  const visits = browsing();
  let scene: Scene;
  let pf: Hosted;
  let other: Hosted;
  beforeEach(async () => {
    scene = new Scene();
    pf = await host(scene, RECORDED);
    other = await host(scene);
  });
  afterEach(async () => {
    await pf.close();
    await other.close();
    await scene.close();
  });

  /** A recorded session that has ended; its id. */
  const ended = async (): Promise<string> => {
    const { near } = await pf.establish({ headers: [['Subject', 'Lunch?']] });
    await pf.alice.bye(near);
    await until('it is over', async () => pf.server.ended.list().length === 1);
    return pf.server.ended.list()[0]?.id ?? '';
  };
  const rows = (page: Page): Promise<(string | null)[]> =>
    page.locator('.ladder li button').evaluateAll((all) => all.map((row) => row.getAttribute('aria-label')));
  const choose = (page: Page, path: string): Promise<void> => page.getByLabel('Session file').setInputFiles(path);

  it('is saved by one page and shows the same ladder, chart and messages in another', async () => {
    const id = await ended();
    const page = await visits.visit(pf.admin, `#/sessions/${id}`);
    await page.getByRole('button', { name: /now closed$/ }).waitFor();
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export' }).click();
    const path = join(scene.folder, 'saved.json');
    const download = await saving;
    expect(download.suggestedFilename()).toBe(`session-${id}.json`);
    await download.saveAs(path);

    const elsewhere = await visits.visit(other.admin);
    await choose(elsewhere, path);
    await elsewhere.getByRole('button', { name: /now closed$/ }).waitFor();
    expect(new URL(elsewhere.url()).hash).toBe('#/file');
    expect(await rows(elsewhere)).toEqual(await rows(page));
    await elsewhere.locator('.from-file', { hasText: 'saved.json' }).waitFor();
    for (const name of ['End session', 'Export']) {
      expect(await elsewhere.getByRole('button', { name }).count()).toBe(0);
    }
    expect(await nameless(elsewhere)).toEqual([]);

    // Back in time, by keys.
    await elsewhere.keyboard.press('Home');
    await elsewhere.keyboard.press('ArrowRight');
    await elsewhere.locator('[id="whole-state-call-inviting-ringing"].lit.inner').waitFor();
    expect(await elsewhere.locator('.ladder li.later').count()).toBeGreaterThan(5);
    // And by the address, in the same window.
    await elsewhere.getByRole('button', { name: /answered, now b2buaEstablished.steady$/ }).click();
    await elsewhere.locator('[id="whole-state-call-b2buaEstablished-steady"].lit.inner').waitFor();
    expect(new URL(elsewhere.url()).hash).toMatch(/^#\/file\?at=\d+$/);

    // Messages side by side, with the words of people left out.
    await elsewhere.getByRole('button', { name: /INVITE to b$/ }).click();
    const pair = elsewhere.getByRole('region', { name: 'Messages side by side' });
    await pair.getByRole('heading', { name: /Received from a/ }).waitFor();
    expect(await pair.locator('.line', { hasText: 'Subject' }).innerText()).toMatch(/\(6 characters\)/);
    await elsewhere.keyboard.press('Escape');
    // Where it is recorded, and what it was decided by.
    await elsewhere.getByText('Record and configuration').click();
    const kept = await elsewhere.locator('.kept').innerText();
    expect(kept).toMatch(/SessionInfoObjectID\s+UID 1/);
    expect(kept).toMatch(/policy\.mediaPath\s+always/);
    // The other server has not heard of it.
    expect(other.server.ended.list()).toEqual([]);
  });

  it('is opened by dropping it, and gone with the window', async () => {
    const id = await ended();
    const { body } = await pf.ask<unknown>('GET', `/api/sessions/${id}/export`);
    const page = await visits.visit(other.admin);
    await page.getByRole('button', { name: 'Open a file' }).waitFor();
    const text = JSON.stringify(JSON.stringify(body));
    const data = await page.evaluateHandle(`(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([${text}], 'dropped.json', { type: 'application/json' }));
      return transfer;
    })()`);
    await page.dispatchEvent('.drop', 'dragover', { dataTransfer: data });
    await page.locator('.drop.over').waitFor();
    await page.dispatchEvent('.drop', 'drop', { dataTransfer: data });
    await page.locator('.from-file', { hasText: 'dropped.json' }).waitFor();
    await page.reload();
    await page.getByText('No file is open in this window').waitFor();
  });

  it('that is none, or damaged, or newer, is refused with its reason, and what is shown stays', async () => {
    const id = await ended();
    const { body } = await pf.ask<{ trace: { steps: { call: unknown }[] } }>('GET', `/api/sessions/${id}/export`);
    const page = await visits.visit(other.admin);
    await page.getByRole('button', { name: 'Open a file' }).waitFor();
    const damaged = structuredClone(body);
    damaged.trace.steps[1] = { ...damaged.trace.steps[1], call: 7 };
    for (const [name, content, reason] of [
      ['notes.json', 'Dear diary', 'not a session file: it is not JSON'],
      ['other.json', '{"log":{"version":"1.2"}}', 'not a session file: cpm-engine sessions export writes one'],
      ['damaged.json', JSON.stringify(damaged), 'a damaged session file: trace.steps.1.call is not a text'],
      ['newer.json', JSON.stringify({ ...body, version: 2 }), 'a session file of version 2: version 1 is read here'],
    ] as const) {
      await choose(page, scene.file(name, content));
      await page.getByRole('alert').getByText(`${name}: ${reason}`).waitFor();
    }
    await choose(page, new URL('../capture/fixtures/demo.pcap', import.meta.url).pathname);
    await page.getByRole('alert').getByText('a capture: cpm-engine ladder FILE --export OUT').waitFor();
    await page.getByText('No session yet').waitFor();
  });

  it('out of a capture has its ladder, its messages and what the invariants say, and no chart', async () => {
    const hearing = hearingOf([readFileSync(new URL('../capture/fixtures/two-udp-phones.pcapng', import.meta.url))]);
    const [session] = analysed(hearing, { nodes: [], iwfs: [] }).sessions;
    if (session === undefined) throw new Error('the capture has no session');
    const file = capturedFile(session, { by: 'a test', now: 1, redact: undefined });
    const page = await visits.visit(other.admin);
    await choose(page, scene.file('captured.json', JSON.stringify(file)));
    await page.getByRole('button', { name: /BYE from a$/ }).waitFor();
    expect(await page.getByRole('region', { name: 'Statechart' }).count()).toBe(0);
    const verdicts = page.getByRole('region', { name: 'Invariants' });
    expect(await verdicts.locator('li').count()).toBe(15);
    expect(await verdicts.locator('li.holds', { hasText: 'All ends told' }).innerText()).toMatch(/holds/);
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    await page.getByText('2 of 12 · INVITE').waitFor();
    await page
      .getByRole('region', { name: 'Messages side by side' })
      .getByRole('heading', { name: /Sent to b/ })
      .waitFor();
  });
});
