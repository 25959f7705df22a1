/** What was recorded, asked for over HTTP and by command, and taken away as files: the same from each store. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { HistoryDriver } from '../../src/history/driver.ts';
import { command } from '../support/command.ts';
import { Dovecot, PASSWORD } from '../support/dovecot.ts';
import { answer } from '../support/driver-contract.ts';
import { type Hosted, host } from '../support/hosted.ts';
import { Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { until } from '../support/server.ts';

const USER = 'sip:alice@home.example';
const CHAT =
  'From: <sip:bob@home.example>\r\nContent-Type: message/cpim\r\n\r\n' +
  'From: <sip:bob@home.example>\r\n\r\nContent-Type: text/plain\r\n\r\n<b>Lunch?</b>';

process.env.CPM_TEST_IMAP_PASSWORD = PASSWORD;

let scene: Scene;
let pf: Hosted;

beforeEach(() => {
  scene = new Scene();
});
afterEach(async () => {
  await pf.close();
  await scene.close();
});

async function begin(history: Record<string, unknown>): Promise<void> {
  pf = await host(scene, { policy: { defaultAllowOfflineStorage: true, mediaPath: 'always' }, history });
}

/** A session that has ended, with one message of a chat in its folder. */
async function recorded(): Promise<void> {
  const { near } = await pf.establish({ headers: [['Conversation-ID', 'con/ver%sation']] });
  await until('it is opened', async () => (await pf.metric('outbox_done_total')) === 1);
  const folder = { user: USER, conversationId: 'con/ver%sation', contributionId: 'contribution-1' };
  const driver = pf.server.history as HistoryDriver;
  await answer<void>((done) => driver.openFolder(folder, done));
  await answer<number>((done) => driver.append(folder, 'chat-1', CHAT, done));
  expect((await pf.alice.bye(near)).status).toBe(200);
  await until('it is sealed', async () => (await pf.metric('outbox_done_total')) === 2);
}

const run = (...args: string[]) => command(['history', ...args, '--admin', pf.admin], { cwd: scene.folder });

function tests(): void {
  it('list, show and export, with names that have slashes in them', async () => {
    await recorded();
    const name = 'con%2Fver%25sation/contribution-1';
    expect((await run('list', USER)).out).toContain(`${name}  3`);
    const shown = await run('show', USER, name);
    expect(shown.out).toMatch(/^1 +Application\/X-CPM-Session/m);
    expect(shown.out).toMatch(/SessionInfoObjectID = 1\nGroupStateObjectID = 3\n$/);
    const taken = await run('export', USER, name, '--to', 'taken', '--html', 'pages/talk.html');
    expect(taken).toMatchObject({ code: 0, err: '' });
    expect(taken.out).toMatch(
      /^taken\/000001\.eml {2}Application\/X-CPM-Session\ntaken\/000002\.eml {2}message\/cpim\n/,
    );
    expect(readdirSync(join(scene.folder, 'taken'))).toEqual(['000001.eml', '000002.eml', '000003.eml']);
    expect(readFileSync(join(scene.folder, 'taken', '000002.eml'), 'latin1')).toBe(CHAT);
    const html = readFileSync(join(scene.folder, 'pages', 'talk.html'), 'utf8');
    expect(html).toContain('&#60;b&#62;Lunch?&#60;/b&#62;');
    expect(html.match(/<article /g)).toHaveLength(3);
    const json = await run('export', USER, name, '--to', 'again', '--json');
    expect(JSON.parse(json.out)).toMatchObject({
      pointers: { SessionInfoObjectID: 1, GroupStateObjectID: 3 },
      files: [{ file: 'again/000001.eml', uid: 1 }, { type: 'message/cpim' }, { uid: 3 }],
    });
  });

  it('each object alone, and the page, over HTTP', async () => {
    await recorded();
    const path = `/api/history/${encodeURIComponent(USER)}/con%2Fver%25sation/contribution-1`;
    expect(await pf.ask('GET', `${path}/2`)).toMatchObject({ status: 200, body: CHAT });
    expect(await pf.ask('GET', `${path}/9`)).toMatchObject({ status: 404 });
    const page = await pf.ask<string>('GET', `${path}/page`);
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    });
    expect(page.body).toContain('Lunch?');
  });
}

describe('sqlite', () => {
  beforeEach(() => begin({ driver: 'sqlite', path: ':memory:' }));
  tests();

  it('an export of nothing, to nowhere or of no folder says so, with its exit code', async () => {
    const nothing = await run('export', USER, 'v1/c1', '--to', 'taken');
    expect(nothing).toMatchObject({ code: 1, out: '', err: expect.stringContaining('nothing is recorded in v1/c1') });
    expect(await run('export', USER, 'v1/c1')).toMatchObject({ code: 2, err: expect.stringContaining('--to <dir>') });
    expect(await run('export', USER, 'v1', '--to', 'x')).toMatchObject({ code: 2 });
    await recorded();
    const folder = 'con%2Fver%25sation/contribution-1';
    scene.file('taken', 'a file');
    const blocked = await run('export', USER, folder, '--to', 'taken');
    expect(blocked).toMatchObject({ code: 1, err: expect.stringMatching(/EEXIST|ENOTDIR/) });
  });
});

describeWith(['dovecot', 'python3', 'curl'], 'imap', () => {
  let dovecot: Dovecot;
  beforeEach(async () => {
    dovecot = await Dovecot.start(scene);
    await begin({ driver: 'imap', url: dovecot.url, password: 'env:CPM_TEST_IMAP_PASSWORD', timeoutMs: 2_000 });
  });
  tests();

  it('the folder is one that curl reads, and the files are ones that a mail program opens', async () => {
    await recorded();
    const credentials = `alice@home.example:${PASSWORD}`;
    const curl = (url: string): string => execFileSync('curl', ['-s', '-u', credentials, url], { encoding: 'utf8' });
    const folder = `${dovecot.url}/Default/con=2Fver=25sation/contribution-1`;
    expect(curl(`${folder};UID=1`)).toContain('Content-Type: Application/X-CPM-Session');
    expect(curl(`${folder};UID=2`)).toContain('<b>Lunch?</b>');
    await run('export', USER, 'con%2Fver%25sation/contribution-1', '--to', 'taken');
    const program =
      'import email,sys; m=email.message_from_binary_file(open(sys.argv[1],"rb")); print(m["Message-Direction"], m.get_content_type())';
    const read = execFileSync('python3', ['-c', program, join(scene.folder, 'taken', '000001.eml')], {
      encoding: 'utf8',
    });
    expect(read).toBe('out application/x-cpm-session\n');
  });

  it('metrics tell of its connections, and 503 that it is away', async () => {
    await recorded();
    expect(await pf.metric('history_connections')).toBeGreaterThan(0);
    expect(await pf.metric('outbox_done_total')).toBe(2);
    await dovecot.stop();
    const answered = await pf.ask<{ error: string }>('GET', `/api/history/${encodeURIComponent(USER)}`);
    expect(answered).toMatchObject({ status: 503, body: { error: expect.stringContaining('127.0.0.1') } });
    expect(await run('list', USER)).toMatchObject({ code: 1, err: expect.stringContaining('127.0.0.1') });
  });
});
