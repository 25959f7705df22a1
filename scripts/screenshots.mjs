/**
 * Makes the pictures in docs/screenshots: Chromium on the page of a server that runs here, with real SIP traffic.
 * `node scripts/screenshots.mjs [FOLDER]`, after `npm run build`; CHROMIUM names the browser where it is elsewhere.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { smallerPng } from './screenshots/smaller-png.mjs';
import { everydayLife, rungSession, session, traffic, until } from './screenshots/traffic.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = process.argv[2] ?? join(root, 'docs/screenshots');
const SIZE = { width: 1360, height: 850 };
const RINGS_MS = 1900;

/** Made smaller at the end: meanwhile the server, which runs in this process too, would look busy. */
const taken = new Map();
const stage = await traffic(root);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--force-color-profile=srgb', '--font-render-hinting=none'],
});
try {
  mkdirSync(folder, { recursive: true });
  await everydayLife(stage);
  await rungSession(stage, RINGS_MS);
  const [id] = [...stage.server.cpm.engine.sessions.keys()].slice(-1);
  await pictures(id);
} finally {
  await browser.close();
  await stage.close();
}
for (const [name, png] of taken) {
  const file = join(folder, `${name}.png`);
  writeFileSync(file, smallerPng(png));
  process.stdout.write(`${file}\n`);
}

/** One after the other, each in a window of its own. */
async function pictures(id) {
  await shot('sessions', '#/sessions', (page) =>
    page.getByRole('link', { name: 'alice@home.example' }).first().waitFor(),
  );
  const answered = (page) => page.getByRole('button', { name: /answered, now b2buaEstablished.steady$/ }).click();
  const atAnswer = async (page) => {
    await answered(page);
    await page.locator('[id="whole-state-call-b2buaEstablished-steady"].lit.inner').waitFor();
  };
  await shot('session', `#/sessions/${id}`, atAnswer);
  await shot('session-dark', `#/sessions/${id}`, atAnswer, { colorScheme: 'dark' });
  await shot('messages', `#/sessions/${id}`, async (page) => {
    await page.getByRole('button', { name: /INVITE to b$/ }).click();
    await page.getByRole('region', { name: 'Messages side by side' }).waitFor();
    await page.locator('[id="whole-state-call-inviting-ringing"].lit.inner').waitFor();
  });
  await shot('policy-lab', '#/policy?side=term&served=sip:bob@home.example&other=sip:mallory@evil.example', (page) =>
    page.getByText('Refused with').waitFor(),
  );
  await shot('history', await endedFolder(), (page) =>
    page.getByRole('region', { name: /^Group State, UID/ }).waitFor(),
  );
  await shot('health', '#/health', (page) => page.getByRole('heading', { name: 'Ready' }).waitFor());
  await openedFile();
}

async function shot(name, hash, prepare, options = {}) {
  const window = await browser.newContext({ viewport: SIZE, ...options });
  const page = await window.newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(`${stage.admin}/${hash}`);
  await prepare(page);
  // The pointer and the focus leave nothing behind, and what moves has come to rest.
  await page.mouse.move(0, 0);
  await page.evaluate('document.activeElement?.blur(); document.fonts.ready');
  await page.waitForTimeout(400);
  taken.set(name, await page.screenshot());
  await window.close();
}

/** A session of Alice that has ended and is recorded; the address of its Group State. */
async function endedFolder() {
  const { near } = await session(stage, 'alice');
  await stage.alice.bye(near);
  await until(() => stage.server.cpm.outbox.depth === 0);
  const [conversation, contribution] = ['conversation-id', 'contribution-id'].map((name) => near.invite.header(name));
  return `#/history/${['sip:alice@home.example', conversation, contribution, '2'].map(encodeURIComponent).join('/')}`;
}

/** A session that has ended, exported and opened as a file. */
async function openedFile() {
  const { near, far } = await rungSession(stage, RINGS_MS);
  await stage.bob.bye(far);
  await until(() => stage.server.ended.list()[0]?.reason === 'byeFromEntity');
  const id = stage.server.ended.list()[0].id;
  await until(() => stage.alice.heard(near).includes('BYE'));
  const response = await fetch(`${stage.admin}/api/sessions/${id}/export`);
  const file = join(folder, 'lunch-on-friday.json');
  writeFileSync(file, await response.text());
  await shot('file', '#/sessions', async (page) => {
    await page.getByLabel('Session file').setInputFiles(file);
    await page
      .getByRole('button', { name: /now tearingDown/ })
      .first()
      .click();
    await page.locator('[id="whole-state-call-tearingDown-claiming"].lit.inner').waitFor();
  });
  rmSync(file);
}
