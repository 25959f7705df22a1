/** The playground in a real browser, from its file, without a network. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it, jest } from '@jest/globals';
import type { Page } from 'playwright-core';
import { offset } from '../../src/page/format.ts';
import { linkIn } from '../../src/playground/link.ts';
import { Play } from '../../src/playground/play.ts';
import { rowText } from '../../src/playground/rows.ts';
import { browsing, nameless } from '../page/browser.ts';
import { describeWith } from '../support/programs.ts';
import { until } from '../support/server.ts';

const FILE = new URL('../../visualizations/playground.html', import.meta.url);
const REGRESSION = fileURLToPath(new URL('../invariants/regressions/late-fork-after-a-restart.json', import.meta.url));

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true });
const verdict = (page: Page): Promise<string> => page.getByRole('status', { name: 'Verdict' }).innerText();
const ladder = (page: Page): Promise<string[]> =>
  page.locator('.ladder li button').evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label') ?? ''));
const current = (page: Page): Promise<string[]> =>
  page.locator('.picture .state.lit.inner').evaluateAll((states) => states.map((each) => each.id));
/** Plays on as fast as it can, until this can be seen. */
async function play(page: Page, seen: string | RegExp): Promise<void> {
  await page.getByRole('combobox', { name: 'Speed' }).selectOption('20 times faster');
  const running = await button(page, 'Pause').count();
  if (running === 0) await button(page, 'Play').click();
  await page.getByRole('button', { name: seen }).first().waitFor({ timeout: 30_000 });
}

// A browser on a busy machine.
jest.setTimeout(120_000);

describeWith(['chromium'], 'the playground', () => {
  const visits = browsing();
  const open = async (hash = ''): Promise<Page> => {
    const page = await visits.open(`${FILE.href}${hash}`, { viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(30_000);
    return page;
  };

  it('stands in one file that asks nobody for anything', () => {
    const page = readFileSync(FILE, 'utf8');
    expect(page).toContain("default-src 'none'");
    // What stands inside scripts is text to the browser; an XML reader among it knows the names of such elements.
    const markup = page.replace(/(<script\b[^>]*>)[\s\S]*?<\/script>/g, '$1');
    expect(markup.match(/<script\b[^>]*>/g)).toEqual(['<script type="application/json" id="charts">', '<script>']);
    expect(markup).not.toMatch(/<(link|img|iframe)\b|@import|url\(/);
    expect(page.length).toBeLessThan(1_500_000);
  });

  it('plays an ordinary call to its end, with every invariant holding and the history stored', async () => {
    const page = await open();
    expect(await verdict(page)).toBe('0 of 30 hold');
    await play(page, /ACK from pfb to bob$/);
    await button(page, 'Pause').click();
    expect(await current(page)).toEqual(['whole-state-call-b2buaEstablished-steady', 'whole-state-recording-live']);
    await page.getByRole('group', { name: 'Picture of the network' }).getByRole('button', { name: /^Bob/ }).click();
    await button(page, 'Hang up').click();
    await button(page, 'To the end').click();
    await until('every invariant holds', async () => (await verdict(page)) === '30 of 30 hold');
    expect((await ladder(page)).at(-1)).toMatch(/200 OK \(BYE\) from pfb to bob$/);
    expect(await current(page)).toContain('whole-state-call-closed');
    await button(page, 'History folder').click();
    const folder = page.getByRole('region', { name: 'History folder' });
    expect(await folder.locator('summary').allInnerTexts()).toEqual([
      'UID 1 Session Info SessionInfoObjectID',
      'UID 2 Group State GroupStateObjectID',
    ]);
    expect(await nameless(page)).toEqual([]);
  });

  it('kills a function in the middle: it comes back, and the session ends whole', async () => {
    const page = await open();
    await play(page, /180 Ringing from pfa to alice$/);
    await button(page, 'Pause').click();
    const network = page.getByRole('group', { name: 'Picture of the network' });
    await network.getByRole('button', { name: /^PF A/ }).click();
    await button(page, 'Kill for 2 s').click();
    await network.getByRole('button', { name: 'PF A, down' }).waitFor();
    await page.getByRole('heading', { name: 'PF A: the process is down' }).waitFor();
    await play(page, /pfa taken up/);
    await network.getByRole('button', { name: /^Alice/ }).click();
    await play(page, /ACK from pfb to bob$/);
    await button(page, 'Hang up').click();
    await button(page, 'To the end').click();
    await until('every invariant holds', async () => (await verdict(page)) === '30 of 30 hold');
    expect((await ladder(page)).some((row) => /BYE from pfb to bob$/.test(row))).toBe(true);
  });

  it('drops a message under way, and the next one on a line: both are said again', async () => {
    const page = await open();
    await button(page, 'Step').click();
    await button(page, /^INVITE under way from Alice to PF A/).click();
    await button(page, 'Drop').click();
    await page.getByRole('button', { name: /INVITE from alice to pfa, lost$/ }).waitFor();
    await button(page, /^Line between PF A and core/).click();
    await button(page, 'drop the next message to core').click();
    await play(page, /INVITE from alice to pfa, again$/);
    await page.getByRole('button', { name: /INVITE from pfa to core, lost$/ }).waitFor();
    await play(page, /INVITE from pfa to core, again$/);
    await play(page, /ACK from pfb to bob$/);
  });

  it('kills the message store: the end is told in time, and judged once the store is well and has everything', async () => {
    const page = await open('#acts=-.0.invite.bob.1&at=-.2000');
    const network = page.getByRole('group', { name: 'Picture of the network' });
    await network.getByRole('button', { name: /^PF B/ }).click();
    const store = page.getByRole('group', { name: 'Message store' });
    await store.getByRole('button', { name: 'down' }).click();
    await network.getByRole('button', { name: 'PF B, store down' }).click();
    await network.getByRole('button', { name: /^Bob/ }).click();
    await button(page, 'Hang up').click();
    await play(page, /200 OK \(BYE\) from pfb to bob$/);
    await button(page, 'Pause').click();
    const stored = page.getByRole('row', { name: /Stored exactly once/ });
    expect(await stored.getByText('PF B: not judged yet').count()).toBe(1);
    await network.getByRole('button', { name: /^PF B/ }).click();
    await store.getByRole('button', { name: 'store well' }).click();
    await button(page, 'To the end').click();
    await until('every invariant holds', async () => (await verdict(page)) === '30 of 30 hold');
  });

  it('a link gives the same ladder in the browser as anywhere, and again when the page is loaded anew', async () => {
    const hash =
      '#play=call&seed=5&loss=20&twice=10&jitter=30&acts=-.0.invite.bob.1,-.900.crash.pfa.committed.1200,-.6000.hangup.alice&at=-.12000';
    const node = Play.from(linkIn(hash));
    const page = await open(hash);
    // Rows that are not shown are steps that led nowhere.
    const expected = node.rows
      .filter((row) => row.kind !== 'step' || row.call !== null || row.recording !== null || row.step.step === -1)
      .map((row) => `${offset(row.at - node.begun)} s: ${rowText(row)}`);
    const shown = (rows: string[]): string[] => rows.map((row) => row.replace(/, (lost|under way)$/, ''));
    expect(shown(await ladder(page))).toEqual(expected);
    await page
      .getByRole('group', { name: 'Picture of the network' })
      .getByRole('button', { name: /^Alice/ })
      .click();
    await button(page, 'Invite Bob').click();
    const now = await ladder(page);
    expect(new URL(page.url()).hash).toContain('.invite.bob.1&at=');
    await page.reload();
    expect(await ladder(page)).toEqual(now);
    const other = await open(new URL(page.url()).hash);
    expect(await ladder(other)).toEqual(now);
    await button(page, '↺')
      .or(page.getByRole('button', { name: 'Again from the beginning' }))
      .first()
      .click();
    expect(await ladder(page)).toEqual([]);
    await button(page, 'To the end').click();
    expect((await ladder(page)).slice(0, now.length - 3)).toEqual(now.slice(0, -3));
  });

  it('opens a counterexample of the property tests: pasted, as a file, and by its link', async () => {
    const page = await open();
    await button(page, 'Open scene …').click();
    await page.getByRole('textbox', { name: 'Scene as JSON' }).fill('{"seed":1}');
    await button(page, 'Open').click();
    await page.getByRole('alert').getByText('scene.setting must be an object').waitFor();
    await page.locator('input[type=file]').setInputFiles(REGRESSION);
    await until('the file is read', async () =>
      (await page.getByRole('textbox', { name: 'Scene as JSON' }).inputValue()).includes('"invariant": 12'),
    );
    await button(page, 'Open').click();
    await page.getByRole('heading', { name: /^Found: a fork that answered after a restart/ }).waitFor();
    await button(page, 'To the end').click();
    await until('every invariant holds', async () => (await verdict(page)) === '15 of 15 hold');
    expect((await ladder(page)).some((row) => /pf killed$/.test(row))).toBe(true);
    const hash = new URL(page.url()).hash;
    expect(hash).toMatch(/^#scene=[\w-]+&at=/);
    const other = await open(hash);
    expect(await ladder(other)).toEqual(await ladder(page));
  });

  it('opens a scene that is dropped on it, and says why it does not open something else', async () => {
    const page = await open();
    const drop = (text: string): Promise<void> =>
      page.evaluate(`{
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([${JSON.stringify(text)}], 'dropped.json'));
        document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
      }`);
    await drop('hello');
    await page.getByRole('alert').getByText("can't be opened: this is no JSON").waitFor();
    await drop(readFileSync(REGRESSION, 'utf8'));
    await page.getByRole('heading', { name: /^Found: a fork/ }).waitFor();
  });

  it('lets the session timer run out: both functions end the session, and say why', async () => {
    const page = await open('#timer=uac&interval=90&acts=-.0.invite.bob.1,-.2000.deaf.alice.on&at=-.2500');
    const network = page.getByRole('group', { name: 'Picture of the network' });
    await network.getByRole('button', { name: /^PF A/ }).click();
    await button(page, 'Await session timer').click();
    await button(page, 'Step').click();
    await page.getByRole('heading', { name: /^PF A: tearingDown/ }).waitFor();
    await page.getByRole('region', { name: 'Held' }).getByText('session timer', { exact: true }).waitFor();
  });

  it('copies a link that leads there', async () => {
    const page = await open('#acts=-.0.invite.bob.1&at=-.2000');
    await button(page, 'Copy link').click();
    await page.getByRole('status').getByText('Copied').waitFor();
    expect(new URL(page.url()).hash).toContain('acts=-.0.invite.bob.1');
  });

  it('says what is wrong with a link, and plays a plain call instead', async () => {
    const page = await open('#acts=1.2.explode.pfa');
    await page.getByRole('alert').getByText('there is no "explode"').waitFor();
    await button(page, 'Close the message').click();
    await button(page, 'Step').click();
    expect(await ladder(page)).toHaveLength(2);
  });

  it('can be used by keys alone, and shows a message, its step and the guards that were asked', async () => {
    const page = await open();
    for (let steps = 0; steps < 4; steps++) await page.keyboard.press('.');
    await page
      .getByRole('button', { name: /now inviting.ringing$/ })
      .first()
      .press('Enter');
    await button(page, 'Event').click();
    const guards = page.getByRole('region', { name: 'Event' }).locator('.guards li.holds');
    expect(await guards.first().innerText()).toMatch(/^yes\s+authorised/);
    await page
      .getByRole('button', { name: /now inviting.ringing$/ })
      .first()
      .press('ArrowUp');
    await button(page, 'Message').click();
    expect(await page.getByRole('region', { name: 'Text of the message' }).innerText()).toMatch(/^INVITE sip:bob@home/);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    expect(await nameless(page)).toEqual([]);
  });
});
