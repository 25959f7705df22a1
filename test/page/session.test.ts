/** One session in a real browser: ladder, messages side by side, chart, guards, time travel, its end by hand. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { type Hosted, host } from '../support/hosted.ts';
import { Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { until } from '../support/server.ts';
import { browsing, nameless } from './browser.ts';

const RECORDED = { policy: { mediaPath: 'always', defaultAllowOfflineStorage: true } };

describeWith(['chromium'], 'the view of one session', () => {
  const visits = browsing();
  let scene: Scene;
  let pf: Hosted;
  beforeEach(async () => {
    scene = new Scene();
    pf = await host(scene, RECORDED);
  });
  afterEach(async () => {
    await pf.close();
    await scene.close();
  });

  const open = (id?: string): Promise<Page> =>
    visits.visit(pf.admin, `#/sessions/${id ?? [...pf.server.cpm.engine.sessions.keys()].at(-1)}`);
  /** The ladder's rows, without their times. */
  const ladder = async (page: Page): Promise<string[]> => {
    const rows = await page.locator('.ladder li button').all();
    const names = await Promise.all(rows.map((row) => row.getAttribute('aria-label')));
    // A 100 is there or not, as the callee is slow or fast.
    return names.map((name) => name?.replace(/^\S+ s: /, '') ?? '').filter((name) => !name.startsWith('100'));
  };
  const current = (page: Page): Promise<string[]> =>
    page.locator('.picture .state.lit.inner').evaluateAll((states) => states.map((each) => each.id));

  it('shows every message of every leg between the steps it led to, as it comes', async () => {
    pf.bob.conduct = () => 'ring';
    const near = pf.alice.invite();
    await until('it rings', async () => pf.alice.heard(near).includes('180 INVITE'));
    const page = await open();
    await page.getByRole('button', { name: /180 Ringing to a$/ }).waitFor();
    const far = [...pf.bob.calls.values()][0];
    if (far === undefined) throw new Error('no call came');
    pf.bob.answer(far);
    await pf.alice.outcome(near);
    await page.getByRole('button', { name: /ACK to b$/ }).waitFor({ timeout: 1000 });
    expect((await ladder(page)).filter((row) => !/^history|, again$/.test(row))).toEqual([
      'INVITE from a',
      'invited, now inviting.ringing',
      'INVITE to b',
      '180 Ringing from b',
      'provisional',
      '180 Ringing to a',
      '200 OK from b',
      'answered, now b2buaEstablished.steady',
      '200 OK to a',
      'ACK from a',
      'acknowledged',
      'ACK to b',
    ]);
    expect(await nameless(page)).toEqual([]);
  });

  it('lights the current states, the transitions of the step and the way there, in all three sizes of the chart', async () => {
    await pf.establish();
    const page = await open();
    await page.locator('.picture .state.lit.inner').first().waitFor();
    expect(await current(page)).toEqual(['whole-state-call-b2buaEstablished-steady', 'whole-state-recording-live']);
    const been = await page
      .locator('.picture .state.been')
      .evaluateAll((states) => states.map((each) => each.getAttribute('data-state')));
    expect(been).toEqual(expect.arrayContaining(['call.inviting.authorising', 'call.inviting.choosingRoute']));
    expect(been).not.toContain('call.interworking');
    await page.getByRole('button', { name: 'Whole' }).click();
    expect(await current(page)).toContain('whole-state-call-b2buaEstablished-steady');
    await page.getByRole('button', { name: 'State', exact: true }).click();
    await page.locator('[id="call-b2buaEstablished-steady-state-call-b2buaEstablished-steady"].lit').waitFor();
    await page.keyboard.press('c');
    await page.getByRole('button', { name: /answered, now b2buaEstablished.steady$/ }).click();
    await page.locator('.picture .arrow.lit[data-transitions*="call.inviting.ringing:answered:5"]').waitFor();
  });

  it('says for each event which guards were asked, with their clauses and what they read, and what was done', async () => {
    await pf.establish({ headers: [['Session-Expires', '1800']] });
    const page = await open();
    await page.getByRole('button', { name: /invited, now inviting.ringing/ }).click();
    const event = page.getByRole('region', { name: 'Event' });
    const guard = event.locator('.guards li', { hasText: 'serviceNotAuthorised' });
    expect(await guard.innerText()).toMatch(/^no[\s\S]*O-INV-1[\s\S]*invite.originators \["sip:alice@home.example"\]/);
    expect(await event.locator('.guards li.holds').allInnerTexts()).toEqual([
      expect.stringMatching(/^yes\s+authorised/),
    ]);
    expect(await event.locator('.actions-run').innerText()).toMatch(/inviteCore[\s\S]*O-INV-4a/);
    expect(await event.locator('.effects').innerText()).toMatch(/invite\s+leg b · by core/);
  });

  it('counts deadlines down, and shows legs and recording', async () => {
    await pf.establish({ headers: [['Session-Expires', '1800']] });
    const page = await open();
    const left = page
      .getByRole('region', { name: 'Held' })
      .locator('.deadlines li', { hasText: 'session expired, leg a' });
    const first = await left.locator('b').innerText();
    expect(first).toMatch(/^2\d:\d\d$/);
    await until('time has passed', async () => (await left.locator('b').innerText()) !== first);
    const held = await page.getByRole('region', { name: 'Held' }).innerText();
    expect(held).toMatch(/a\s+client\s+confirmed/);
    expect(held).toMatch(/State\s+live/);
    expect(held).toMatch(/Session Info UID\s+1/);
  });

  it('opens a message beside the one it became, and marks what differs', async () => {
    await pf.establish({ headers: [['Subject', 'Lunch?']] });
    const page = await open();
    await page.getByRole('button', { name: /INVITE to b$/ }).click();
    const pair = page.getByRole('region', { name: 'Messages side by side' });
    await pair.getByRole('heading', { name: /Received from a/ }).waitFor();
    const line = (text: string) => pair.locator('.line', { hasText: text });
    expect(await line('P-Asserted-Identity').getAttribute('class')).toContain('same');
    expect(await line('Call-ID').getAttribute('class')).toContain('changed');
    expect(await line('Call-ID').locator('mark').count()).toBe(2);
    expect(await line('P-Served-User').getAttribute('class')).toMatch(/removed/);
    // Words of people are not shown where the logs would not show them.
    expect(await line('Subject').innerText()).toMatch(/\(6 characters\)/);
    await page.keyboard.press('Escape');
    await pair.waitFor({ state: 'detached' });
  });

  it('goes back in time along the events, by keys and by the slider, and an address leads to a point in time', async () => {
    await pf.establish();
    const page = await open();
    await page.getByRole('button', { name: 'Live', pressed: true }).waitFor();
    await page.keyboard.press('Home');
    await page.getByRole('button', { name: 'Live', pressed: false }).waitFor();
    await page.keyboard.press('ArrowRight');
    await page.locator('[id="whole-state-call-inviting-ringing"].lit.inner').waitFor();
    const other = await visits.visit(pf.admin, new URL(page.url()).hash);
    await other.locator('[id="whole-state-call-inviting-ringing"].lit.inner').waitFor();
    expect(await other.locator('.ladder li.later').count()).toBeGreaterThan(5);
    await page.getByRole('slider', { name: 'Step' }).fill('2');
    await page.locator('[id="whole-state-call-b2buaEstablished-steady"].lit.inner').waitFor();
    await page.keyboard.press('End');
    await page.getByRole('button', { name: 'Live', pressed: true }).waitFor();
    expect(await page.locator('.ladder li.later').count()).toBe(0);
  });

  it('ends a session only when that is said twice, and then on every leg', async () => {
    const { near, far } = await pf.establish();
    const page = await open();
    await page.getByRole('button', { name: 'End session' }).click();
    await page.getByRole('button', { name: 'Keep it' }).click();
    expect(pf.server.cpm.engine.sessions.size).toBe(1);
    await page.getByRole('button', { name: 'End session' }).click();
    await page.getByRole('button', { name: 'End it' }).click();
    await until('both sides have their BYE', async () =>
      [pf.alice.heard(near), pf.bob.heard(far)].every((heard) => heard.includes('BYE')),
    );
    await page.getByText('operator', { exact: true }).first().waitFor();
    await page.getByText('ended', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'End session' }).waitFor({ state: 'detached' });
    expect((await ladder(page)).slice(-3)).toEqual(expect.arrayContaining([expect.stringMatching(/now closed/)]));
  });

  it('shows a proxied session with both sides of its one dialog, and a refused one with the answer alone', async () => {
    await pf.close();
    pf = await host(scene, { policy: { mediaPath: 'never' } });
    const { near } = await pf.establish();
    const page = await open();
    await page.getByRole('button', { name: /ACK to b$/ }).waitFor();
    expect((await ladder(page)).filter((row) => / (from|to) \w+$/.test(row))).toEqual([
      'INVITE from a',
      'INVITE to b',
      '180 Ringing from b',
      '180 Ringing to a',
      '200 OK from b',
      '200 OK to a',
      'ACK from a',
      'ACK to b',
    ]);
    await pf.alice.bye(near);
    const refused = pf.alice.invite({ headers: [['P-Asserted-Identity', null]] });
    await pf.alice.outcome(refused);
    const id = pf.server.ended.list()[0]?.id;
    const other = await open(id);
    await other.getByRole('button', { name: /403 Forbidden to a$/ }).click();
    await other.getByText('Made by the function itself').waitFor();
  });

  it('says what it can of a session that began before anyone looked, and of one it does not know', async () => {
    await pf.close();
    pf = await host(scene, { ...RECORDED, admin: { listen: '127.0.0.1:0', traces: 1 } });
    const { near } = await pf.establish();
    await pf.establish();
    const [first] = pf.server.cpm.engine.sessions.keys();
    const page = await open(first);
    await page.getByText('was not kept').waitFor();
    await pf.alice.bye(near);
    await page.getByRole('button', { name: /BYE from a$/ }).waitFor();
    const unknown = await visits.visit(pf.admin, '#/sessions/nobody', { mayMeet: [404] });
    await unknown.getByText('no session nobody lives here').waitFor();
  });
});
