/** Rules and own guards in a running server: explained, seen in its sessions, counted; and what is said of wrong ones. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { command, type Run } from '../support/command.ts';
import { Scene } from '../support/processes.ts';
import { type RunningServer, serve } from '../support/server.ts';
import { UdpPhone } from '../support/udp-phone.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.close());

const GUARDS = `
export const guards = {
  versionNotSupported: ({ context }) => context.invite.release === '1.0',
  anonymityNotAllowed() {
    throw new Error('no such table');
  },
};
`;

describe('a server with rules and guards of its own', () => {
  let server: RunningServer;
  let alice: UdpPhone;
  let bob: UdpPhone;
  beforeEach(async () => {
    bob = await UdpPhone.open('bob', '127.0.0.1:9');
    scene.file('my-guards.mjs', GUARDS);
    server = await serve(scene, {
      sip: { core: `sip:127.0.0.1:${bob.port};lr` },
      policy: {
        guards: './my-guards.mjs',
        userClasses: { gold: ['sip:alice@*'] },
        rules: [
          { name: 'gold', when: { userClass: ['gold'] }, set: { mediaPath: 'always', interworkOn: { orig: [480] } } },
          { name: 'mail', when: { destination: ['mailto:'] }, set: { mediaPath: 'never' } },
        ],
      },
      timers: { t1: 50 },
    });
    bob.peer.pf = `127.0.0.1:${server.ports.udp}`;
    alice = await UdpPhone.open('alice', bob.peer.pf);
  });
  afterEach(() => {
    alice.close();
    bob.close();
  });

  it('policy explain tells which rules apply and why, which keys are theirs, and what the own guards answered', async () => {
    const call = alice.invite({ headers: [['User-Agent', 'CPM-client/OMA1.0']] });
    expect((await alice.outcome(call)).status).toBe(403);
    const text = [`INVITE ${call.invite.uri} SIP/2.0`, ...call.invite.headers.map(({ line }) => line), '', ''];
    const file = scene.file('invite.sip', text.join('\n'));
    const explain = (...more: string[]) => command(['policy', 'explain', file, '--admin', server.admin, ...more]);
    const [told, json] = await Promise.all([explain(), explain('--json')]);
    const lines = told.out.split('\n').map((line) => line.trimEnd());
    expect(lines).toEqual(
      expect.arrayContaining([
        'class    gold',
        'yes  rule gold                    when.userClass gold',
        'no   rule mail                    when.destination not (it is sip:bob@home.example)',
        '     mediaPath is "always", by gold',
        '     interworkOn.orig is [480], by gold',
        'yes  versionNotSupported          O-INV-2 T-INV-1 (own guard; the standard answer is no)',
      ]),
    );
    expect(JSON.parse(json.out)).toMatchObject({
      choice: {
        userClass: 'gold',
        policy: { mediaPath: 'always' },
        rules: [
          { rule: 'gold', applies: true },
          { rule: 'mail', applies: false },
        ],
        origins: { mediaPath: 'gold', 'interworkOn.orig': 'gold' },
      },
    });
  });

  it('a session says by which rules its policy was made; a guard that throws is counted and in its trace', async () => {
    expect((await alice.outcome(alice.invite())).status).toBe(200);
    const { sessions } = await server.get<{ sessions: { id: string; mode: string }[] }>('/api/sessions');
    const [session] = sessions;
    expect(session?.mode).toBe('b2bua');
    expect(await server.get(`/api/sessions/${session?.id}`)).toMatchObject({ rules: ['gold'] });
    expect(await server.counts('guard_failures_total')).toEqual({ anonymityNotAllowed: 1 });
    const { steps } = await server.get<{ steps: { guards: { guard: string; own?: unknown }[] }[] }>(
      `/api/sessions/${session?.id}/trace`,
    );
    const asked = steps[0]?.guards.find(({ guard }) => guard === 'anonymityNotAllowed');
    expect(asked).toMatchObject({ holds: false, own: { standard: false, failure: 'no such table' } });
    // Looking at it is not asking it.
    expect(await server.counts('guard_failures_total')).toEqual({ anonymityNotAllowed: 1 });
    expect(await server.get('/api/policy')).toMatchObject({ guards: ['versionNotSupported', 'anonymityNotAllowed'] });
  });
});

describe('mistakes in a module of guards', () => {
  const check = (guards: string): Promise<Run> =>
    command(['check-config', scene.file('pf.yaml', stringify({ policy: { mediaPath: 'auto', guards } }))]);

  it.each<[string, string | undefined, RegExp]>([
    ['one that is not there', undefined, /guards\.mjs: no such file$/],
    ['one that is no JavaScript', 'export const guards = {', /guards\.mjs can not be loaded: Unexpected end of input$/],
    ['one that fails when it is loaded', 'throw new Error("no database")', /can not be loaded: no database$/],
    ['one without guards', 'export const rules = {};', /expected an export named guards, or a default one/],
    [
      'a guard that does not exist',
      'export default { doNotDistrub: () => true };',
      /doNotDistrub: no such question of policy; did you mean doNotDisturb\?$/,
    ],
    ['what is no guard', 'export default { doNotDisturb: true };', /doNotDisturb: expected a function, found boolean$/],
  ])('%s: exit 2, with file, line and key', async (_what, text, said) => {
    if (text !== undefined) scene.file('guards.mjs', text);
    const { code, out, err } = await check('guards.mjs');
    const [first = ''] = err.split('\n');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(first).toMatch(/pf\.yaml:3: policy\.guards: /);
    expect(first).toMatch(said);
  });
});

describe('check-config --diff', () => {
  it('tells what is different in the file, and what of it needs a restart', async () => {
    const users = (name: string, text: string) => ({ driver: 'file', path: scene.file(name, text) });
    const old = scene.file(
      'old.yaml',
      stringify({
        policy: {
          rules: [
            { name: 'gold', set: { maxRedirects: 2 } },
            { name: 'old', set: {} },
          ],
        },
        users: users('a.yaml', 'users: {"sip:a@x.example": {}, "sip:b@x.example": {}}'),
      }),
    );
    const next = scene.file(
      'new.yaml',
      stringify({
        policy: { allowAnonymity: false, rules: [{ name: 'gold', set: { maxRedirects: 3 } }] },
        users: users('b.yaml', 'users: {"sip:a@x.example": {class: gold}, "sip:c@x.example": {}}'),
        timers: { se: 600 },
      }),
    );
    const [text, json, same] = await Promise.all([
      command(['check-config', next, '--diff', old]),
      command(['check-config', next, '--diff', old, '--json']),
      command(['check-config', old, '--diff', old]),
    ]);
    expect(text.out.replaceAll(scene.folder, '').split('\n')).toEqual([
      'policy.allowAnonymity: true → false',
      'users.path: /a.yaml → /b.yaml',
      'timers.se: 1800 → 600 (needs a restart)',
      'policy.rules ~ gold: set.maxRedirects: 2 → 3',
      'policy.rules - old',
      'users: 1 added, 1 removed, 1 changed',
      '',
    ]);
    expect(JSON.parse(json.out)).toMatchObject({ users: { added: 1, removed: 1, changed: 1 }, order: null });
    expect(same).toMatchObject({ code: 0, out: 'nothing differs\n' });
  });

  it('a mistake in either file exits 2', async () => {
    const good = scene.file('good.yaml', '{}');
    const bad = scene.file('bad.yaml', 'polcy: {}');
    for (const args of [
      [good, '--diff', bad],
      [bad, '--diff', good],
    ]) {
      expect(await command(['check-config', ...args])).toMatchObject({
        code: 2,
        err: `${bad}:1: polcy: unknown key; did you mean policy?\n`,
      });
    }
  });
});
