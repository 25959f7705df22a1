/** History, policy lab and health in a real browser; the token; keys, names and colours of every view. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type Hosted, host } from '../support/hosted.ts';
import { Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { until } from '../support/server.ts';
import { browsing, nameless } from './browser.ts';

const USERS = {
  'sip:alice@home.example': { preferences: { allowOfflineStorage: true } },
  'sip:bob@home.example': { preferences: { allowOfflineStorage: true }, blacklist: ['sip:mallory@evil.example'] },
};

describeWith(['chromium'], 'the other views', () => {
  const visits = browsing();
  let scene: Scene;
  let pf: Hosted;
  beforeEach(async () => {
    scene = new Scene();
    pf = await host(scene, { policy: { mediaPath: 'always' } }, { users: USERS });
  });
  afterEach(async () => {
    await pf.close();
    await scene.close();
  });

  it('history: from a user over a conversation and a session to an object, with its pointers, fields and body', async () => {
    const { near } = await pf.establish({
      headers: [
        ['Conversation-ID', 'conversation-1'],
        ['Subject', 'Lunch?'],
      ],
    });
    await pf.alice.bye(near);
    await until('it is sealed', async () => (await pf.metric('outbox_depth')) === 0);
    const page = await visits.visit(pf.admin, '#/history');
    await page.getByRole('link', { name: 'alice@home.example' }).click();
    await page.getByRole('region', { name: 'Conversation conversation-1' }).getByRole('link').click();
    const session = page.getByRole('region', { name: 'Session', exact: true });
    await session.getByText('◂ GroupStateObjectID').waitFor();
    expect(await session.innerText()).toMatch(/SessionInfoObjectID\s+UID 1\s+GroupStateObjectID\s+UID 2/);
    await session.getByRole('link', { name: 'Session Info' }).click();
    const object = page.getByRole('region', { name: 'Session Info, UID 1' });
    expect(await object.innerText()).toMatch(/Subject\s+Lunch\?/);
    expect(await object.locator('pre').innerText()).toMatch(/<session-type>\s*1-1/);
    await session.getByRole('link', { name: 'Group State' }).click();
    await page.getByRole('region', { name: 'Group State, UID 2' }).getByText('sip:bob@home.example').first().waitFor();
    expect(await nameless(page)).toEqual([]);
    expect(page.url()).toContain('#/history/sip%3Aalice%40home.example/conversation-1/contribution-1/2');
  });

  it('policy lab: the verdict is what the wire does, for an invitation that is refused', async () => {
    const page = await visits.visit(pf.admin, '#/policy');
    await page.getByRole('button', { name: 'Terminating' }).click();
    await page.getByLabel('Served user').fill('sip:bob@home.example');
    await page.getByLabel('Other user').fill('sip:mallory@evil.example');
    await page.getByText('Refused with').waitFor();
    const shown = (await page.locator('.leaving pre').innerText()).split('\n').filter((line) => line !== '');
    expect(await page.locator('.because').innerText()).toMatch(/because originatorBlacklisted/);
    expect(await page.locator('.guards li.holds').first().innerText()).toMatch(/originatorBlacklisted\s*T-INV-3/);
    const invite = await page.getByLabel('INVITE', { exact: true }).inputValue();
    const answer = await pf.alice.outcome(pf.alice.invite(asSent(invite)));
    expect(`SIP/2.0 ${answer.status} ${answer.reason}`).toBe(shown[0]);
    const warning = answer.header('warning');
    expect(warning === undefined ? [] : [`Warning: ${warning}`]).toEqual(
      shown.slice(1).filter((line) => line.startsWith('Warning')),
    );
  });

  it('policy lab: the INVITE that would go out is the one that goes out', async () => {
    const page = await visits.visit(pf.admin, '#/policy');
    await page.getByRole('button', { name: 'Group' }).click();
    await page.getByText('Goes on: sent to').waitFor();
    const lines = page.locator('.leaving .line > code:last-child');
    // The verdict on the 1-1 invitation may still stand there.
    await lines.filter({ hasText: /P-Asserted-Service: .*\.group$/ }).waitFor();
    const shown = (await lines.allInnerTexts()).map((line) => line.trim()).filter((line) => /^[\w-]+: /.test(line));
    const invite = await page.getByLabel('INVITE', { exact: true }).inputValue();
    await pf.alice.outcome(pf.alice.invite(asSent(invite)));
    const arrived = [...pf.bob.calls.values()].at(-1)?.invite;
    const wire = (arrived?.headers ?? []).map(({ line }) => line);
    // What names this one leg differs from leg to leg: tags, our Contact, what the stack writes.
    const fixed = shown.filter(
      (line) => !/^(From|To|Contact|Route|Content-Length|Via|Call-ID|CSeq|Record-Route):/.test(line),
    );
    expect(fixed.length).toBeGreaterThan(8);
    expect(wire).toEqual(expect.arrayContaining(fixed));
  });

  it('policy lab: what is only supposed changes the verdict and nothing else', async () => {
    const page = await visits.visit(
      pf.admin,
      '#/policy?side=term&served=sip:bob@home.example&other=sip:alice@home.example',
      { mayMeet: [400] },
    );
    await page.getByText('Goes on: sent to').waitFor();
    await page.getByLabel('do not disturb').selectOption('yes');
    await page.getByText('Refused with 480').waitFor();
    await page.getByLabel('do not disturb').selectOption('');
    await page.getByText('Goes on: sent to').waitFor();
    await page.getByLabel('INVITE', { exact: true }).fill('INVITE sip:bob@home.example SIP/2.0\n\n');
    await page.locator('.verdict .error').waitFor();
    expect(pf.server.cpm.engine.policy.allowAnonymity).toBe(true);
    expect(await pf.metric('sessions_started_total')).toBe(0);
  }, 20_000);

  it('health: what is wrong, in words, as soon as it is wrong', async () => {
    const { near } = await pf.establish();
    await pf.alice.bye(near);
    const page = await visits.visit(pf.admin, '#/health');
    await page.getByRole('heading', { name: 'Ready' }).waitFor();
    await page.getByRole('link', { name: 'bye from client' }).waitFor();
    const { history } = pf.server;
    if (history === undefined) throw new Error('no history');
    history.append = (_folder, _key, _object, done) => done(new Error('database or disk is full'));
    await pf.establish();
    await page.getByText('history can not be stored: database or disk is full').waitFor();
    await page.getByRole('heading', { name: 'Degraded' }).waitFor();
    expect(await page.getByRole('region', { name: 'Outbox' }).innerText()).toMatch(/Waiting\s+1/);
  });

  it('where the server asks for a token, so does the page; a wrong one is not taken, a right one is kept for the tab', async () => {
    await pf.close();
    pf = await host(scene, {}, { token: 'right' });
    await pf.establish();
    const page = await visits.visit(pf.admin, '', { mayMeet: [401] });
    await page.getByLabel('Token', { exact: true }).last().fill('wrong');
    await page.getByRole('button', { name: 'Use it' }).click();
    await page.getByText('That token was not taken').waitFor();
    await page.getByLabel('Token', { exact: true }).last().fill('right');
    await page.getByRole('button', { name: 'Use it' }).click();
    await page.getByRole('row', { name: /alice@home.example/ }).waitFor();
    await page.getByText('1 live').waitFor();
    await page.reload();
    await page.getByRole('row', { name: /alice@home.example/ }).waitFor();
    expect(await page.evaluate('JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie])')).toBe(
      '[{"cpm-engine.token":"right"},{},""]',
    );
  });

  it('every control of every view has a name, and every view has its key', async () => {
    await pf.establish();
    const page = await visits.visit(pf.admin);
    const marks = ['Live', 'User', 'Served user', 'Ready'];
    for (const [at, mark] of marks.entries()) {
      await page.keyboard.press(String(at + 1));
      await page.getByText(mark, { exact: true }).first().waitFor();
      expect(await nameless(page)).toEqual([]);
      await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
      await page.evaluate('document.activeElement.blur()');
    }
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  it('is light or dark as the system is, with a contrast of 4.5 between text and ground in both', async () => {
    const grounds: number[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await visits.visit(pf.admin, '#/health', { colorScheme });
      await page.getByRole('heading', { name: 'Ready' }).waitFor();
      const colours = (await page.evaluate(`['--ground', '--paper', '--ink', '--soft', '--accent'].map((name) =>
        getComputedStyle(document.documentElement).getPropertyValue(name))`)) as string[];
      const [ground = 0, paper = 0, ...texts] = colours.map(luminance);
      grounds.push(ground);
      for (const text of texts) expect(Math.min(contrast(text, ground), contrast(text, paper))).toBeGreaterThan(4.5);
    }
    expect(grounds[0]).toBeGreaterThan(0.8);
    expect(grounds[1]).toBeLessThan(0.1);
  });
});

/** The lab's INVITE as the phone sends it: what stands in it, in place of what the phone would write. */
function asSent(text: string) {
  const [head = '', body = ''] = text.split('\n\n');
  const lines = head.split('\n').slice(1);
  const kept = lines.flatMap((line) => {
    const [name = '', ...rest] = line.split(': ');
    // The phone's own Via and Contact, so that it hears the answer.
    return ['Via', 'Contact', 'Content-Length', 'From', 'To', 'CSeq', 'Content-Type'].includes(name)
      ? []
      : [[name, rest.join(': ')] as const];
  });
  const value = (name: string): string =>
    lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
  const uri = head.split(' ')[1] ?? '';
  return {
    uri,
    from: value('From').replace(/;tag=.*/, ''),
    to: value('To'),
    headers: kept,
    body: body.replace(/\n/g, '\r\n'),
  };
}

/** WCAG 2: relative luminance of `#rrggbb`. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.trim().slice(at, at + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: number, other: number): number {
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}
