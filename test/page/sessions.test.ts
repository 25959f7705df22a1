/** The list of sessions in a real browser, beside real SIP traffic. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { type Hosted, host } from '../support/hosted.ts';
import { Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { browsing } from './browser.ts';

describeWith(['chromium'], 'the list of sessions', () => {
  const visits = browsing();
  let scene: Scene;
  let pf: Hosted;
  beforeEach(async () => {
    scene = new Scene();
    pf = await host(scene, { policy: { mediaPath: 'always' } });
  });
  afterEach(async () => {
    await pf.close();
    await scene.close();
  });

  const users = (page: Page): Promise<string[]> => page.getByRole('cell', { name: /@/ }).allInnerTexts();

  it('says so while there is none, and shows a new session within a second of its INVITE', async () => {
    const page = await visits.visit(pf.admin);
    await page.getByText('No session yet').waitFor();
    const began = Date.now();
    await pf.establish();
    const row = page.getByRole('row', { name: /alice@home.example.*bob@home.example.*b2buaEstablished.steady/ });
    await row.waitFor({ timeout: 5000 });
    expect(Date.now() - began).toBeLessThan(1000);
  });

  it('shows its end within a second, and where it went: to those that ended lately, with its reason', async () => {
    const { near } = await pf.establish();
    const page = await visits.visit(pf.admin);
    await page.getByRole('row', { name: /steady/ }).waitFor();
    await pf.alice.bye(near);
    const began = Date.now();
    await page.getByText('No session yet').waitFor({ timeout: 5000 });
    expect(Date.now() - began).toBeLessThan(1000);
    await page.getByRole('button', { name: 'Ended lately' }).click();
    await page.getByRole('row', { name: /alice@home.example.*bye from client/ }).waitFor();
    await page.getByLabel('Reason').selectOption('operator');
    await page.getByText('No session fits the filters').waitFor();
  });

  it('is filtered by user and by state, and the address keeps the filters', async () => {
    await pf.establish();
    await pf.establish({ from: '<sip:carol@home.example>' });
    pf.bob.conduct = () => 'ring';
    pf.alice.invite({ from: '<sip:dave@home.example>' });
    const page = await visits.visit(pf.admin);
    await page.getByRole('row', { name: /dave/ }).waitFor();
    expect((await users(page)).filter((_, at) => at % 2 === 0)).toEqual([
      'dave@home.example',
      'carol@home.example',
      'alice@home.example',
    ]);
    await page.getByLabel('User').fill('carol');
    await page.getByText('1 of 3').waitFor();
    expect(await users(page)).toEqual(['carol@home.example', 'bob@home.example']);
    await page.getByLabel('User').fill('');
    await page.getByLabel('State').selectOption('inviting');
    await page.getByText('1 of 3').waitFor();
    expect(page.url()).toContain('#/sessions?state=inviting');
    const other = await visits.visit(pf.admin, '#/sessions?state=inviting');
    await other.getByRole('row', { name: /dave/ }).waitFor();
    expect(await users(other)).toEqual(['dave@home.example', 'bob@home.example']);
  });

  it('names the other side of a terminating session, who is the one that invited', async () => {
    await pf.establish({ headers: [['P-Served-User', '<sip:bob@home.example>;sescase=term']] });
    const page = await visits.visit(pf.admin);
    await page.getByRole('row', { name: /bob@home.example.*alice@home.example.*terminating/ }).waitFor();
  });

  it('masks numbers as the admin interface does', async () => {
    await pf.establish({ from: '<sip:+15550100@home.example;user=phone>' });
    const page = await visits.visit(pf.admin);
    await page.getByRole('row', { name: /\+1555\*\*\*\*@home.example/ }).waitFor();
  });

  it('is walked through by keys: / to the filter, down, down, Enter opens, Escape comes back', async () => {
    await pf.establish();
    await pf.establish({ from: '<sip:carol@home.example>' });
    const page = await visits.visit(pf.admin);
    await page.getByRole('link', { name: 'carol@home.example' }).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'alice@home.example with bob@home.example' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'carol@home.example' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('car');
    await page.getByText('1 of 2').waitFor();
  });
});
