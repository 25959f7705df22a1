/** The command line: help, what a running server is asked, and what is said where that can not be done. */

import { copyFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { stringify } from 'yaml';
import { sqliteSessions } from '../../src/store/sqlite.ts';
import { command } from '../support/command.ts';
import { type Hosted, host } from '../support/hosted.ts';
import { Scene } from '../support/processes.ts';
import { MAIN } from '../support/server.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.close());

/** Runs several at a time, since most of their time is their start. */
function commands(...all: readonly (readonly string[])[]) {
  return Promise.all(all.map((args) => command(args, { cwd: scene.folder })));
}

it('says nothing where its reader has gone: cpm-engine conformance | head', async () => {
  const pipeline = `"${process.execPath}" "${MAIN}" conformance | head -1`;
  const program = scene.start('bash', ['-c', `${pipeline}; echo "exit \${PIPESTATUS[0]}"`]);
  expect(await program.exit(20_000)).toBe(0);
  expect(program.stdout).toMatch(/exit 0$/m);
  expect(program.stderr).toBe('');
});

describe('usage', () => {
  it('every command has a help text, and exits 0 with it', async () => {
    const asked = [
      [],
      ['serve'],
      ['sessions'],
      ['sessions', 'end'],
      ['history', 'show'],
      ['policy', 'explain'],
      ['check-config'],
    ];
    const runs = await commands(...asked.map((args) => [...args, '--help']));
    runs.forEach(({ code, out, err }, at) => {
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toContain(`Usage: ${['cpm-engine', ...(asked[at] ?? [])].join(' ')}`);
    });
  });

  it('wrong usage exits 2 and says what is wrong', async () => {
    const wrong: [string[], string][] = [
      [['bogus'], "unknown command 'bogus'"],
      [['serve', '--port', '5060'], "unknown option '--port'"],
      [['check-config'], "missing required argument 'file'"],
      [['sessions', 'end'], "missing required argument 'id'"],
      [['sessions', 'list', '--limit', 'many'], '--limit many: expected a number from 1'],
      [['sessions', '--admin', 'nonsense'], '--admin nonsense: expected an address such as http://127.0.0.1:8080'],
      [['sessions', '--token', 'hunter2'], '--token: expected env:NAME or file:PATH, never the secret itself'],
      [['sessions', '--token', 'env:CPM_TEST_NO_SUCH'], '--token: environment variable CPM_TEST_NO_SUCH is not set'],
      [['history', 'show', 'sip:alice@home.example', 'x'], 'x: a folder is <Conversation-ID>/<Contribution-ID>'],
    ];
    const runs = await commands(...wrong.map(([args]) => args));
    runs.forEach(({ code, out, err }, at) => {
      expect({ args: wrong[at]?.[0], code, out }).toEqual({ args: wrong[at]?.[0], code: 2, out: '' });
      expect(err).toContain(wrong[at]?.[1]);
    });
  });
});

describe('a running server', () => {
  let pf: Hosted;
  beforeEach(async () => {
    pf = await host(scene, { policy: { defaultAllowOfflineStorage: true } });
  });
  afterEach(() => pf.close());

  it('sessions: list, show and end, for people and as JSON', async () => {
    const admin = ['--admin', pf.admin];
    const [none] = await commands(['sessions', ...admin]);
    expect(none).toEqual({ code: 0, out: 'no sessions\n', err: '' });
    await pf.establish();
    const [id = ''] = pf.server.cpm.engine.sessions.keys();
    const [list, json, show, showJson, unfit] = await commands(
      ['sessions', 'list', ...admin],
      ['sessions', 'list', '--json', ...admin],
      ['sessions', 'show', id, ...admin],
      ['sessions', 'show', id, '--json', ...admin],
      ['sessions', 'list', '--state', 'inviting', ...admin],
    );
    expect(list?.out).toMatch(/^ID +STATE +ROLE +MODE +USER +TO +AGE\n/);
    expect(list?.out).toContain(`${id}  b2buaEstablished.steady  orig  b2bua  sip:alice@home.example`);
    expect(JSON.parse(json?.out ?? '')).toMatchObject({ total: 1, sessions: [{ id, role: 'orig' }] });
    expect(show?.out).toMatch(/^state +b2buaEstablished\.steady$/m);
    expect(show?.out).toContain('200 OK');
    expect(JSON.parse(showJson?.out ?? '')).toMatchObject({ id, ladder: expect.arrayContaining([]) });
    expect(unfit?.out).toBe('none of 1 sessions fits\n');
    const [end] = await commands(['sessions', 'end', id, ...admin]);
    expect(end).toEqual({ code: 0, out: `ending ${id}\n`, err: '' });
    const [again] = await commands(['sessions', 'show', 'nobody', ...admin]);
    expect(again).toEqual({
      code: 1,
      out: '',
      err: 'cpm-engine: no session nobody lives here (GET /api/sessions lists those that do)\n',
    });
  });

  it('history: list and show', async () => {
    await pf.establish();
    const user = 'sip:alice@home.example';
    const [list, json] = await commands(
      ['history', 'list', user, '--admin', pf.admin],
      ['history', 'list', user, '--json', '--admin', pf.admin],
    );
    const [folder] = JSON.parse(json?.out ?? '').folders;
    const name = `${folder.conversationId}/${folder.contributionId}`;
    expect(list?.out).toContain(`${name}  1`);
    const [show, none] = await commands(
      ['history', 'show', user, name, '--admin', pf.admin],
      ['history', 'list', 'sip:nobody@home.example', '--admin', pf.admin],
    );
    expect(show?.out).toMatch(/^1 +Application\/X-CPM-Session/m);
    expect(show?.out).toContain('SessionInfoObjectID = 1');
    expect(none?.out).toBe('nothing is recorded for sip:nobody@home.example\n');
  });

  it('policy explain: an INVITE in a file, for people and as JSON; what is no INVITE, and no file', async () => {
    const invite = [
      'INVITE sip:bob@home.example SIP/2.0',
      'Via: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bK1',
      'From: <sip:alice@home.example>;tag=1',
      'To: <sip:bob@home.example>',
      'Call-ID: explained',
      'CSeq: 1 INVITE',
      'Max-Forwards: 70',
      'Contact: <sip:alice@127.0.0.1:6000>',
      'P-Asserted-Identity: <sip:alice@home.example>',
      'P-Served-User: <sip:alice@home.example>;sescase=orig',
      'Accept-Contact: *;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session"',
      '',
      '',
    ].join('\n');
    scene.file('invite.sip', invite);
    scene.file('hello.sip', 'hello');
    const explain = (file: string, ...more: string[]) => ['policy', 'explain', file, '--admin', pf.admin, ...more];
    const [text, json, wrong, missing] = await commands(
      explain('invite.sip'),
      explain('invite.sip', '--json'),
      explain('hello.sip'),
      explain('nowhere.sip'),
    );
    expect(text?.out).toMatch(/^no +serviceNotAuthorised +O-INV-1$/m);
    expect(text?.out).toContain('INVITE sip:bob@home.example SIP/2.0');
    expect(JSON.parse(json?.out ?? '')).toMatchObject({ role: 'orig', state: 'inviting.ringing' });
    expect(wrong).toMatchObject({ code: 1, out: '' });
    expect(missing).toEqual({ code: 1, out: '', err: 'cpm-engine: nowhere.sip: no such file\n' });
  });

  it('a server that wants a token says so, and takes it', async () => {
    const guarded = await host(scene, {}, { token: 'right' });
    const admin = ['--admin', guarded.admin];
    try {
      const [without, right] = await Promise.all([
        command(['sessions', ...admin]),
        command(['sessions', ...admin, '--token', 'env:CPM_TEST_TOKEN'], { env: { CPM_TEST_TOKEN: 'right' } }),
      ]);
      expect(without).toEqual({
        code: 1,
        out: '',
        err: `cpm-engine: ${guarded.admin} wants a token; give it with --token\n`,
      });
      expect(right).toEqual({ code: 0, out: 'no sessions\n', err: '' });
    } finally {
      await guarded.close();
    }
  });
});

describe('no server', () => {
  it('where nobody listens, or something else does: exit 1 and what to do', async () => {
    const other: HttpServer = createServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const [nobody, else_] = await commands(
      ['sessions', '--admin', 'http://127.0.0.1:9'],
      ['sessions', '--admin', `http://127.0.0.1:${port}`],
    );
    other.close();
    expect(nobody).toMatchObject({ code: 1, out: '' });
    expect(nobody?.err).toMatch(
      /^cpm-engine: no server answers at http:\/\/127\.0\.0\.1:9 \(.+\); start one, or name it with --admin\n$/,
    );
    expect(else_).toMatchObject({ code: 1, out: '' });
    expect(else_?.err).toBe(`cpm-engine: http://127.0.0.1:${port} is no cpm-engine: it answered 200\n`);
  });
});

describe('a server that can not start says why and exits 1', () => {
  function configured(name: string, more: Record<string, unknown> = {}): string[] {
    const config = {
      sip: { listen: ['udp:127.0.0.1:0'], core: 'sip:127.0.0.1:9;lr' },
      admin: { listen: '127.0.0.1:0' },
      sessions: { driver: 'sqlite', path: `${name}-sessions.sqlite` },
      history: { driver: 'sqlite', path: `${name}-history.sqlite` },
      warmUp: false,
      ...more,
    };
    return ['serve', '--config', scene.file(`${name}.yaml`, stringify(config))];
  }

  it('a store that is no database, is of another form, is held by another process, has a journal of another or no folder', async () => {
    const at = (name: string): string => join(scene.folder, name);
    writeFileSync(at('corrupt-sessions.sqlite'), 'this is no database, but long enough to look at'.repeat(100));
    writeFileSync(at('garbled-history.sqlite'), 'this is no database, but long enough to look at'.repeat(100));
    const other = new Database(at('other-sessions.sqlite'));
    other.pragma('user_version = 99');
    other.close();
    const held = new Database(at('held-sessions.sqlite'));
    held.pragma('locking_mode = EXCLUSIVE');
    held.exec('CREATE TABLE held (x)');
    writeFileSync(at('file'), '');
    const elsewhere = sqliteSessions({ path: at('elsewhere.sqlite') });
    copyFileSync(at('elsewhere.sqlite.journal-1'), at('stray-sessions.sqlite.journal-1'));
    elsewhere.close();
    const runs = await commands(
      configured('corrupt'),
      configured('garbled'),
      configured('other'),
      configured('held'),
      configured('stray'),
      configured('nofolder', { sessions: { driver: 'sqlite', path: 'file/sessions.sqlite' } }),
    );
    held.close();
    expect(runs.map(({ code, out, err }) => [code, out, err])).toEqual([
      [1, '', 'cpm-engine: corrupt-sessions.sqlite: file is not a database\n'],
      [1, '', 'cpm-engine: garbled-history.sqlite: file is not a database\n'],
      [
        1,
        '',
        'cpm-engine: other-sessions.sqlite: made by another version (form 99, expected 2); move it away to start anew\n',
      ],
      [1, '', 'cpm-engine: held-sessions.sqlite: in use by another process\n'],
      [
        1,
        '',
        'cpm-engine: stray-sessions.sqlite.journal-1: belongs to another database; bring that back beside it, or move both journals away to start anew\n',
      ],
      [1, '', expect.stringMatching(/^cpm-engine: file\/sessions\.sqlite: .*(ENOTDIR|EEXIST)/)],
    ]);
  });

  it('an address that is taken, for SIP or for the admin side', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const [sip, admin] = await commands(
      configured('sip', { sip: { listen: [`tcp:127.0.0.1:${port}`], core: 'sip:127.0.0.1:9;lr' } }),
      configured('admin', { admin: { listen: `127.0.0.1:${port}` } }),
    );
    taken.close();
    expect(sip).toMatchObject({ code: 1, out: '' });
    expect(sip?.err).toContain(`cannot listen on tcp:127.0.0.1:${port}. The address is in use`);
    expect(admin).toMatchObject({ code: 1, out: '' });
    expect(admin?.err).toContain(`admin.listen 127.0.0.1:${port}: `);
    expect(admin?.err).toContain('choose another, port 0 takes a free one');
  });
});
