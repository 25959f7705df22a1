/** A session as a file: what the server writes, what it leaves out, and what the command line makes of it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readSessionFile, type SessionFile } from '../../src/trace/session-file.ts';
import { type Hosted, host } from '../support/hosted.ts';
import { Scene } from '../support/processes.ts';
import { PROJECT, until } from '../support/server.ts';

const RECORDED = { policy: { mediaPath: 'always', defaultAllowOfflineStorage: true } };
const MAIN = join(PROJECT, 'dist', 'src', 'server', 'main.js');

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

async function exported(id: string): Promise<SessionFile> {
  const { status, body } = await pf.ask<unknown>('GET', `/api/sessions/${id}/export`);
  expect(status).toBe(200);
  return readSessionFile(JSON.stringify(body));
}

async function command(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const program = scene.start(process.execPath, [MAIN, ...args]);
  const code = await program.exit(30_000);
  return { code, out: program.stdout, err: program.stderr };
}

async function over(): Promise<string> {
  const { near } = await pf.establish({ headers: [['Subject', 'Lunch at the harbour']], uri: 'tel:+15550100' });
  await pf.alice.bye(near);
  await until('it is over', async () => pf.server.ended.list().length === 1);
  return pf.server.ended.list()[0]?.id ?? '';
}

describe('GET /api/sessions/:id/export', () => {
  it('gives all that the page shows of a session that lives or has ended, in the shape its readers expect', async () => {
    await pf.establish({ headers: [['Session-Expires', '1800']] });
    const [id = ''] = pf.server.cpm.engine.sessions.keys();
    const live = await exported(id);
    expect(live.trace).toMatchObject({ id, live: true, whole: true });
    expect(live.trace.steps.at(-1)?.deadlines).not.toEqual({});
    const { body } = await pf.ask<{ entries: unknown }>('GET', `/api/sessions/${id}/ladder`);
    expect(live.ladder).toEqual(body.entries);
    pf.server.cpm.engine.end(id, 'operator');
    await until('it is over', async () => pf.server.ended.list().length === 1);
    const file = await exported(id);
    expect(file).toMatchObject({ format: 'cpm-engine session', version: 1, source: 'server', redacted: true });
    expect(file.trace).toMatchObject({ live: false, details: { reason: 'operator', mode: 'b2bua' } });
    expect(file.history?.pointers).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 2 });
    expect(file.config).toMatchObject({ policy: { mediaPath: 'always' }, history: 'sqlite' });
  });

  it('leaves out what people have written, the end of numbers, and every secret', async () => {
    const id = await over();
    const { body } = await pf.ask<unknown>('GET', `/api/sessions/${id}/export`);
    const text = JSON.stringify(body);
    expect(text).not.toMatch(/harbour/);
    expect(text).not.toMatch(/15550100/);
    expect(text).toMatch(/tel:\+1555\*\*\*\*/);
    expect(text).not.toMatch(/0123456789abcdef/);
    expect(Object.keys(readSessionFile(text).config ?? {}).sort()).toEqual([
      'domain',
      'history',
      'node',
      'policy',
      'preferences',
      'recordsMessages',
      'registrar',
      'relaysMedia',
      'sessions',
    ]);
  });

  it('says of a session that it does not know that it does not', async () => {
    const { status, body } = await pf.ask<{ error: string }>('GET', '/api/sessions/nobody/export');
    expect(status).toBe(404);
    expect(body.error).toMatch(/^no session nobody lives here .* nor is a trace of it kept$/);
  });
});

describe('cpm-engine', () => {
  it('sessions export writes the file, and ladder draws and judges it with its states', async () => {
    const id = await over();
    const to = join(scene.folder, 'session.json');
    const written = await command('sessions', 'export', id, '--to', to, '--admin', pf.admin);
    expect(written).toEqual({ code: 0, out: `written: ${to}\n`, err: '' });
    const svg = join(scene.folder, 'session.svg');
    const { code, out } = await command('ladder', to, '--check', '--svg', svg);
    expect(code).toBe(0);
    expect(out).toMatch(/\n {7}0 {3}INVITE -+> {2}\|\n/);
    expect(out).toMatch(/\|\s+BYE -+>/);
    for (const name of ['All ends told', 'One funnel', 'Mode is fixed', 'Bounded end']) {
      expect(out).toMatch(new RegExp(`${name} +holds`));
    }
    expect(out).toMatch(/Recorded before told +not to be judged from a capture +the message store is not on the wire/);
    expect(readFileSync(svg, 'utf8')).toMatch(/^<svg [\s\S]*tearingDown/);

    // Without the BYE that the function sent, an end was not told.
    const file = JSON.parse(readFileSync(to, 'utf8')) as {
      trace: { messages: { direction: string; label: string }[] };
    };
    file.trace.messages = file.trace.messages.filter(({ direction, label }) => direction !== 'out' || label !== 'BYE');
    writeFileSync(to, JSON.stringify(file));
    const broken = await command('ladder', to, '--check');
    expect(broken).toMatchObject({ code: 1, err: 'cpm-engine: an invariant is broken\n' });
    expect(broken.out).toMatch(/All ends told +broken +leg \S+\.b .*was confirmed and never ended/);
  });

  it('ladder judges a session that lives as one that is not over', async () => {
    await pf.establish();
    const [id = ''] = pf.server.cpm.engine.sessions.keys();
    const to = scene.file('live.json', JSON.stringify(await exported(id)));
    const { code, out } = await command('ladder', to, '--check');
    expect(code).toBe(0);
    expect(out).toMatch(/All ends told +open +the session still lives/);
    expect(out).toMatch(/Bounded end +open +the session still lives/);
  });

  it('ladder reads a capture, writes JSON, a picture and a session file, and says what it can not do', async () => {
    const demo = join(PROJECT, 'test/capture/fixtures/demo.pcap');
    const { code, out } = await command('ladder', demo, '--json');
    expect(code).toBe(0);
    const { sessions } = JSON.parse(out) as { sessions: { id: string; ladder: unknown[]; verdicts: unknown[] }[] };
    expect(sessions.map(({ verdicts }) => verdicts.length)).toEqual([15, 15]);
    const [file, svg] = [join(scene.folder, 'a.json'), join(scene.folder, 'a.svg')];
    const one = sessions[0]?.id ?? '';
    expect(await command('ladder', demo, '--call', one, '--export', file, '--svg', svg)).toMatchObject({ code: 0 });
    const text = readFileSync(file, 'utf8');
    expect(readSessionFile(text)).toMatchObject({ source: 'capture', redacted: true, trace: { id: one } });
    expect(text).not.toMatch(/Lunch/);
    expect(readFileSync(svg, 'utf8')).toMatch(/PF 127\.0\.0\.1:\d+/);
    expect((await command('ladder', file)).out).toMatch(/a session from a capture/);

    for (const [args, exit, says] of [
      [[demo, '--export', file], 2, /a file holds one session, here are 2; choose with --call/],
      [[demo, '--call', 'nothing-of-it'], 1, /no session has "nothing-of-it"/],
      [[demo, '--node', 'pf.example'], 2, /--node pf.example: expected an address and a port/],
      [[join(scene.folder, 'none.pcap')], 1, /none\.pcap: no such file/],
      [[join(PROJECT, 'package.json')], 1, /package\.json: not a session file/],
      [[join(PROJECT, 'README.md')], 1, /README\.md: not a capture/],
    ] as const) {
      const { code, err } = await command('ladder', ...args);
      expect({ args, code, err }).toMatchObject({ code: exit, err: expect.stringMatching(says) });
    }
  });
});
