/** A real browser on the page of a running server, and what no visit may leave behind: an error, a request elsewhere. */
import { afterAll, afterEach, beforeAll, expect, jest } from '@jest/globals';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

// What a person would notice is measured in real time, and hangs on what else the machine does.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Visits {
  /** The page at this address, in a window of its own. What is expected to be refused is told by status. */
  visit(admin: string, hash?: string, options?: VisitOptions): Promise<Page>;
  /** A page that is a file; without any network. */
  open(url: string, options?: VisitOptions): Promise<Page>;
}

export interface VisitOptions extends BrowserContextOptions {
  /** Statuses that this visit may meet. */
  readonly mayMeet?: readonly number[];
}

/** One browser for the tests of a file. After each test: nothing on the console, nothing from outside. */
export function browsing(): Visits {
  let browser: Browser;
  const windows: BrowserContext[] = [];
  const complaints: string[] = [];
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGS });
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    await Promise.all(windows.splice(0).map((window) => window.close()));
    expect(complaints.splice(0)).toEqual([]);
  });
  const show = async (url: string, origin: string, { mayMeet = [], ...options }: VisitOptions): Promise<Page> => {
    const window = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    windows.push(window);
    const page = await window.newPage();
    page.setDefaultTimeout(8000);
    page.on('console', (said) => {
      const expected = mayMeet.some((status) => said.text().includes(`status of ${status}`));
      if (said.type() !== 'info' && !expected) complaints.push(`console: ${said.text()}`);
    });
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (!request.url().startsWith(origin)) complaints.push(`request elsewhere: ${request.url()}`);
    });
    await page.goto(url);
    return page;
  };
  return {
    visit: (admin, hash = '', options = {}) => show(`${admin}/${hash}`, admin, options),
    open: (url, options = {}) => show(url, url.replace(/#.*$/, ''), { offline: true, ...options }),
  };
}

/** Controls without a name that a screen reader could say. */
export async function nameless(page: Page): Promise<string[]> {
  return page.evaluate(`[...document.querySelectorAll('a, button, input, select, textarea, [tabindex], [role]')]
    .filter((control) => control.getClientRects().length > 0 && !control.closest('[aria-hidden=true]'))
    .filter((control) => !['row', 'cell', 'columnheader', 'rowgroup', 'presentation'].includes(control.getAttribute('role')))
    .filter((control) => !(
      control.getAttribute('aria-label') || control.title || control.innerText?.trim()
      || [...(control.labels ?? [])].some((label) => label.innerText.trim())
    ))
    .map((control) => control.outerHTML.slice(0, 120))`);
}
