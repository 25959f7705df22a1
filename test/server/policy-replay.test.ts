/** The dry run: recorded INVITEs under another policy, from files and from the traced sessions of a running server. */
import { mkdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { configSchema } from '../../src/server/config/schema.ts';
import { command, type Run } from '../support/command.ts';
import { type Hosted, host } from '../support/hosted.ts';
import { Scene } from '../support/processes.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.close());

interface Invited {
  readonly to?: string;
  readonly more?: readonly string[];
}

/** An INVITE of Alice's client, as an editor writes it: with bare line feeds. */
function inviteText({ to = 'sip:bob@home.example', more = [] }: Invited = {}): string {
  return [
    `INVITE ${to} SIP/2.0`,
    'Via: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bK1',
    'From: <sip:alice@home.example>;tag=1',
    `To: <${to}>`,
    'Call-ID: recorded',
    'CSeq: 1 INVITE',
    'Max-Forwards: 70',
    'Contact: <sip:alice@127.0.0.1:6000>',
    'P-Asserted-Identity: <sip:alice@home.example>',
    'P-Served-User: <sip:alice@home.example>;sescase=orig',
    'Accept-Contact: *;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session"',
    ...more,
    '',
    '',
  ].join('\n');
}

function config(name: string, policy: Record<string, unknown>, more: Record<string, unknown> = {}): string {
  return scene.file(name, stringify({ policy, history: { driver: 'none' }, ...more }));
}

const run = (...args: string[]): Promise<Run> => command(['policy', 'replay', ...args], { cwd: scene.folder });

interface Told {
  readonly comparisons: readonly { readonly name: string; readonly changed: boolean; readonly later: string[] }[];
  readonly unread: readonly { readonly name: string; readonly why: string }[];
}

describe('policy replay of files', () => {
  it('lists the verdicts that change, with the keys and rules they come from, and what may differ later', async () => {
    config('old.yaml', { allowAnonymity: true });
    const rules = [{ name: 'abroad', when: { destination: ['*.away.example'] }, set: { maxRedirects: 3 } }];
    config('new.yaml', { allowAnonymity: false, rules });
    scene.file('hidden.sip', inviteText({ more: ['Privacy: id'] }));
    scene.file('plain.sip', inviteText());
    scene.file('abroad.sip', inviteText({ to: 'sip:bob@chat.away.example' }));
    const { code, out, err } = await run(
      '--config',
      'old.yaml',
      '--against',
      'new.yaml',
      'hidden.sip',
      'plain.sip',
      'abroad.sip',
    );
    expect({ code, err, out: out.split('\n') }).toEqual({
      code: 0,
      err: '',
      out: [
        'hidden.sip: invites by the core, as proxy → 403 Forbidden, 119 Anonymity not allowed',
        '    allowAnonymity: true → false',
        'abroad.sip: still invites by the core, as proxy (abroad); later in the session may differ: maxRedirects',
        'INVITEs 3, verdicts changed 1, may differ later 1',
        '',
      ],
    });
  });

  it('--json gives all of it, --fail-on-change exits 1 where something changes and 0 where nothing does', async () => {
    config('new.yaml', { allowAnonymity: false });
    scene.file('hidden.sip', inviteText({ more: ['Privacy: id'] }));
    scene.file('plain.sip', inviteText());
    const all = ['--against', 'new.yaml', '--json', '--fail-on-change'];
    const [both, plain] = await Promise.all([run(...all, 'hidden.sip', 'plain.sip'), run(...all, 'plain.sip')]);
    expect({ code: both.code, err: both.err }).toEqual({ code: 1, err: 'cpm-engine: verdicts changed: 1\n' });
    expect((JSON.parse(both.out) as Told).comparisons).toMatchObject([
      { name: 'hidden.sip', changed: true, before: { outcome: 'invites by the core' }, after: { mode: null } },
      { name: 'plain.sip', changed: false, later: [] },
    ]);
    expect({ code: plain.code, err: plain.err }).toEqual({ code: 0, err: '' });
  });

  it('takes folders and exported traces, and says what it could not read', async () => {
    config('new.yaml', {});
    mkdirSync(`${scene.folder}/all`);
    const invite = { direction: 'in', text: inviteText().replaceAll('\n', '\r\n'), at: 0 };
    const answer = { direction: 'out', text: 'SIP/2.0 200 OK\r\n\r\n' };
    scene.file('all/a.sip', inviteText());
    scene.file('all/b.json', JSON.stringify({ id: 'x', messages: [answer, invite, invite] }));
    scene.file('all/c.json', JSON.stringify([{ messages: [invite] }, { messages: [answer] }, { messages: [invite] }]));
    scene.file('all/d.json', '{"messages": 3}');
    scene.file('all/e.sip', 'BYE sip:bob@home.example SIP/2.0');
    scene.file('all/f.txt', 'no recording at all');
    const { code, out } = await run('--against', 'new.yaml', '--json', 'all');
    const { comparisons, unread } = JSON.parse(out) as Told;
    expect(code).toBe(0);
    expect(comparisons.map(({ name }) => name)).toEqual(['all/a.sip', 'all/b.json', 'all/c.json#1', 'all/c.json#2']);
    expect(unread).toEqual([
      { name: 'all/d.json', why: 'no trace: expected messages with direction and text' },
      { name: 'all/e.sip', why: expect.any(String) },
    ]);
  });

  it('time rules go by when an INVITE came, or by --at; whether users have registered by --registered', async () => {
    const rules = [{ name: 'night', when: { time: [{ from: '22:00' }] }, set: { allowAnonymity: false } }];
    config('new.yaml', { rules, noClient: 'reject' }, { isf: { routes: ['sip:127.0.0.1:5080;lr'] } });
    config('old.yaml', {}, { isf: { routes: ['sip:127.0.0.1:5080;lr'] } });
    const hidden = inviteText({ more: ['Privacy: id'] }).replaceAll('\n', '\r\n');
    const traced = (time: string) => ({ messages: [{ direction: 'in', text: hidden, at: Date.parse(time) }] });
    scene.file('traces.json', JSON.stringify([traced('2026-11-26T21:59:00Z'), traced('2026-11-26T22:01:00Z')]));
    scene.file('hidden.sip', hidden);
    scene.file('called.sip', inviteText().replace('P-Served-User: <sip:alice@home.example>;sescase=orig\n', ''));
    const changed = async (...args: string[]): Promise<string[]> => {
      const { out } = await run('--config', 'old.yaml', '--against', 'new.yaml', '--json', ...args);
      return (JSON.parse(out) as Told).comparisons.flatMap(({ name, changed: is }) => (is ? [name] : []));
    };
    const at = ['--at', '2026-11-26T23:00:00+01:00'];
    const results = await Promise.all([
      changed('traces.json'),
      changed(...at, 'hidden.sip'),
      changed('--at', '2026-11-26T12:00:00Z', 'hidden.sip'),
      changed('called.sip'),
      changed('--registered', 'no', 'called.sip'),
    ]);
    expect(results).toEqual([['traces.json#2'], ['hidden.sip'], [], [], ['called.sip']]);
  });

  it('asks the guards of either configuration', async () => {
    scene.file('strict.mjs', 'export const guards = { anonymityNotAllowed: () => true };');
    config('new.yaml', { guards: './strict.mjs' });
    scene.file('plain.sip', inviteText());
    const { out } = await run('--against', 'new.yaml', 'plain.sip');
    expect(out).toContain('plain.sip: invites by the core, as proxy → 403 Forbidden, 119 Anonymity not allowed\n');
  });

  it('what is asked wrongly exits 2, what can not be read at all 1', async () => {
    config('new.yaml', {});
    config('bad.yaml', { mediaPath: 'sometimes' });
    const runs = await Promise.all([
      run('--against', 'new.yaml'),
      run('--against', 'bad.yaml', 'x.sip'),
      run('--against', 'new.yaml', '--at', 'soon', 'x.sip'),
      run('--against', 'new.yaml', '--registered', 'perhaps', 'x.sip'),
      run('--against', 'new.yaml', '--from-admin', 'x.sip'),
      run('--against', 'new.yaml', 'x.sip'),
      run('x.sip'),
    ]);
    expect(runs.map(({ code, err }) => [code, err.split('\n', 1)[0]])).toEqual([
      [2, 'cpm-engine: expected files or folders with INVITEs, or --from-admin'],
      [2, expect.stringMatching(/^bad\.yaml:2: policy\.mediaPath: Invalid option/)],
      [2, 'cpm-engine: --at soon: expected a time such as 2026-12-24T18:00:00+01:00'],
      [2, 'cpm-engine: --registered perhaps: expected yes, no or unknown'],
      [2, 'cpm-engine: --from-admin takes the traced sessions of a server, and no files'],
      [1, 'cpm-engine: x.sip: no such file'],
      [2, "error: required option '--against <file>' not specified"],
    ]);
  });
});

describe('policy replay of a running server', () => {
  let pf: Hosted;
  beforeEach(async () => {
    pf = await host(scene);
  });
  afterEach(() => pf.close());

  it('compares what its traced sessions began with under what is in force and under what a reload would bring', async () => {
    await pf.establish({ headers: [['Privacy', 'id']] });
    await pf.establish();
    config('new.yaml', { allowAnonymity: false });
    const { code, out } = await run('--against', 'new.yaml', '--from-admin', '--admin', pf.admin, '--json');
    expect(code).toBe(0);
    const { comparisons, unread } = JSON.parse(out) as Told;
    expect(unread).toEqual([]);
    expect(comparisons.map(({ changed }) => changed)).toEqual([true, false]);
    expect(comparisons.map(({ name }) => name)).toEqual([...pf.server.cpm.engine.sessions.keys()]);
    // It was a dry run.
    expect(pf.server.cpm.engine.policy.allowAnonymity).toBe(true);
    expect(pf.server.cpm.engine.sessions.size).toBe(2);
    expect(out).not.toContain('alice');
  });

  it('a configuration with a mistake is refused with its key', async () => {
    const json = { 'content-type': 'application/json' };
    const ask = (body: unknown) => pf.ask<{ error: string }>('POST', '/api/policy/replay', json, JSON.stringify(body));
    const config = configSchema.parse({});
    expect((await ask({ config })).status).toBe(200);
    expect(await ask({ config: { ...config, policy: { mediaPath: 'x' } } })).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/^config\.policy\.mediaPath: /) },
    });
    expect((await ask({})).status).toBe(400);
  });
});
