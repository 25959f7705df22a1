/** `policy.rules` as they stand in the file: what sessions get by them, and every mistake with its place. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkedConfig } from '../../src/server/config/check.ts';
import { chatSdp, World } from '../../src/testing/index.ts';
import { ConfiguredWorld } from '../support/configured.ts';
import { Scene } from '../support/processes.ts';
import { answer, establish, ISF, invite, type Role } from '../support/session.ts';

const ISF_ROUTES = { routes: ['sip:10.0.0.30:5060;lr'] };

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.close());

interface Given {
  readonly policy: Record<string, unknown>;
  readonly users?: unknown;
  readonly more?: Record<string, Record<string, unknown>>;
}

/** True where the session goes through the proxy: the rules of these tests set mediaPath never, everybody else has always. */
function proxied({ policy, users, more = {} }: Given, role: Role, options: Parameters<typeof invite>[2] = {}): boolean {
  const world = new ConfiguredWorld(scene, { policy, ...more }, users);
  invite(world, role, options);
  world.settle();
  return world.core.incoming().invite.has('record-route');
}

const never = (when: Record<string, unknown>) => ({ rules: [{ name: 'one', when, set: { mediaPath: 'never' } }] });

describe('a rule of the configuration', () => {
  it('is for a class of users.yaml, and for one by address where users.yaml has none', () => {
    const policy = { userClasses: { silver: ['sip:*@home.example'] }, ...never({ userClass: ['gold'] }) };
    const alice = (more: object) => ({ 'sip:alice@home.example': { aliases: ['tel:+15550100'], ...more } });
    expect(proxied({ policy, users: alice({ class: 'gold' }) }, 'orig')).toBe(true);
    expect(proxied({ policy, users: alice({ class: 'bronze' }) }, 'orig')).toBe(false);
    const silver = { ...policy, ...never({ userClass: ['silver'] }) };
    expect(proxied({ policy: silver, users: alice({}) }, 'orig')).toBe(true);
    expect(proxied({ policy: silver, users: alice({ class: 'gold' }) }, 'orig')).toBe(false);
    // Nobody stands in users.yaml: XCAP users, or everybody.
    expect(proxied({ policy: silver }, 'orig')).toBe(true);
  });

  it('the class is that of the served user, who on the terminating side is called', () => {
    const policy = { userClasses: { gold: ['sip:bob@home.example'] }, ...never({ userClass: ['gold'] }) };
    expect(proxied({ policy }, 'term')).toBe(true);
    expect(proxied({ policy }, 'orig')).toBe(false);
  });

  it('is for destinations, originators, media, a role', () => {
    expect(proxied({ policy: never({ destination: ['home.example'] }) }, 'orig')).toBe(true);
    expect(proxied({ policy: never({ destination: ['away.example'] }) }, 'orig')).toBe(false);
    expect(proxied({ policy: never({ originator: ['away.example'] }) }, 'term')).toBe(true);
    expect(proxied({ policy: never({ originator: ['home.example'] }) }, 'term')).toBe(false);
    expect(proxied({ policy: never({ media: ['message'] }) }, 'orig')).toBe(true);
    expect(proxied({ policy: never({ media: ['video'] }) }, 'orig')).toBe(false);
    expect(proxied({ policy: never({ media: ['message'] }) }, 'orig', { sdp: null })).toBe(false);
    expect(proxied({ policy: never({ role: 'term' }) }, 'orig')).toBe(false);
  });

  it('is for times, by the injected clock', () => {
    // The virtual clock begins at 2026-01-01T00:00:00Z, a Thursday.
    const policy = never({ time: [{ days: ['thu'], from: '00:00', until: '00:01' }] });
    const world = new ConfiguredWorld(scene, { policy });
    const through = (): boolean => {
      invite(world, 'orig');
      world.settle();
      const far = world.core.incoming();
      far.respond(404);
      world.settle();
      return far.invite.has('record-route');
    };
    expect(through()).toBe(true);
    world.advance(60_000);
    expect(through()).toBe(false);
  });

  it('a live session keeps the policy it began with, whatever the clock says later', () => {
    const rule = { name: 'first', when: { time: [{ until: '00:01' }] }, set: { partialClose: 'session' } } as const;
    const world = new World({ policy: { mediaPath: 'always' }, policyRules: [rule] });
    establish(world, 'orig');
    world.advance(120_000);
    establish(world, 'orig');
    world.pf.crash();
    world.pf.start();
    const kept = [...world.pf.engine.sessions.values()].map(({ context }) => context.policy.partialClose);
    expect(kept.sort()).toEqual(['session', 'streams']);
  });

  it('sets statuses, times and the version that is wanted', () => {
    const anonymous = { headers: [['Privacy', 'id']] } as const;
    const rules = [{ name: 'strict', when: { role: 'orig' }, set: { allowAnonymity: false } }];
    const strict = new ConfiguredWorld(scene, { policy: { rules } });
    const near = invite(strict, 'orig', anonymous);
    strict.settle();
    near.response(403);
    const lax = [{ name: 'lax', when: { role: 'orig' }, set: { requiredUserAgent: null, timers: { se: 120 } } }];
    const world = new ConfiguredWorld(scene, { policy: { rules: lax, requiredUserAgent: { min: '2.1', max: '2.2' } } });
    invite(world, 'orig', { headers: [['Supported', 'timer']] });
    world.settle();
    expect(world.core.incoming().invite.header('session-expires')).toMatch(/^120\b/);
  });

  it('sets interworking, for one class of destinations only', () => {
    const rules = [
      { name: 'numbers', when: { destination: ['tel:'] }, set: { interworkOn: { orig: [480] } } },
      { name: 'no mail', when: { destination: ['mailto:'] }, set: { isfSchemes: [] } },
    ].map((rule) => ({ ...rule, name: rule.name.replace(' ', '-') }));
    const attempt = (uri: string): string[] => {
      const world = new ConfiguredWorld(scene, { isf: ISF_ROUTES, policy: { rules } });
      const near = invite(world, 'orig', { uri });
      world.settle();
      if (world.core.waiting.length > 0) world.core.incoming().respond(480);
      world.settle();
      return [...world.isf.waiting, ...near.peer.waiting.filter((line) => !line.startsWith('100'))];
    };
    expect(attempt('tel:+15550199')).toEqual(['INVITE']);
    expect(attempt('sip:bob@home.example')).toEqual(['480 INVITE']);
    expect(attempt('mailto:carol@mail.example')).toEqual(['416 INVITE']);
  });

  it('A-12: brings back no second session where none is configured', () => {
    const rules = [{ name: 'one', set: { rejectedStreams: 'interwork' } }];
    const isf = (enabled: boolean) => ({ ...ISF_ROUTES, secondary: { enabled } });
    for (const enabled of [true, false]) {
      const world = new ConfiguredWorld(scene, {
        isf: isf(enabled),
        policy: { rejectedStreams: 'accept', rules },
      });
      const near = invite(world, 'orig', { uri: 'im:carol@mail.example', sdp: chatSdp('alice', [2855, 2856]) });
      world.settle();
      world.isf.incoming().respond(200, { sdp: chatSdp('iwf', [9, 0]) });
      world.settle();
      expect([enabled, near.peer.waiting.includes('200 INVITE')]).toEqual([enabled, !enabled]);
    }
  });

  it('A-15: policy.defaultAllowOfflineStorage of a rule holds for users of whom nothing is known', () => {
    const rules = [{ name: 'kept', when: { role: 'orig' }, set: { defaultAllowOfflineStorage: true } }];
    const world = new ConfiguredWorld(scene, { policy: { mediaPath: 'auto', rules } });
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    expect(far.invite.has('record-route')).toBe(false);
    near.response(100);
    answer(world, near, far);
    expect([...world.cpm.engine.sessions.values()][0]?.context.history.wanted).toBe(true);
  });

  it('recording: false leaves no record, although the user wants one', () => {
    for (const recording of [true, false]) {
      const policyRules = [{ name: 'guests', set: { recording } }];
      const world = new World({
        profile: { allowOfflineStorage: true },
        policyRules,
        isf: [ISF],
        policy: { mediaPath: 'always' },
      });
      establish(world, 'orig');
      expect([...world.pf.engine.sessions.values()][0]?.context.history.wanted).toBe(recording);
    }
  });
});

describe('mistakes', () => {
  /** What is said of these lines, which stand below `policy:`. */
  function said(lines: readonly string[], users?: string): string[] {
    if (users !== undefined) scene.file('users.yaml', users);
    const driver = users === undefined ? '' : `\nusers: {driver: file, path: "${scene.folder}/users.yaml"}`;
    const file = scene.file('pf.yaml', `policy:\n${lines.map((line) => `  ${line}`).join('\n')}${driver}\n`);
    try {
      checkedConfig(file);
      return [];
    } catch (error) {
      return (error as Error).message.replaceAll(`${scene.folder}/`, '').split('\n');
    }
  }

  it.each<[string, readonly string[], readonly string[]]>([
    [
      'unknown keys, with the nearest known name',
      ['rules:', '  - name: a', '    wehn: {}', '    when: {destnation: ["*"]}', '    set: {mediaPaht: never}'],
      [
        'pf.yaml:4: policy.rules.0.wehn: unknown key; did you mean when?',
        'pf.yaml:5: policy.rules.0.when.destnation: unknown key; did you mean destination?',
        'pf.yaml:6: policy.rules.0.set.mediaPaht: unknown key; did you mean mediaPath?',
      ],
    ],
    [
      'what is not decided session by session',
      ['rules:', '  - {name: a, set: {otherServices: reject}}', '  - {name: b, set: {timers: {t1: 100}}}'],
      [
        'pf.yaml:3: policy.rules.0.set.otherServices: unknown key',
        'pf.yaml:4: policy.rules.1.set.timers.t1: unknown key; did you mean se?',
      ],
    ],
    [
      'values out of their bounds',
      [
        'rules:',
        '  - name: a b',
        '    set: {maxRedirects: 11, interworkOn: {orig: [486]}}',
        '    when:',
        '      role: both',
        '      destination: ["a b"]',
        '      media: []',
      ],
      [
        'pf.yaml:3: policy.rules.0.name: expected a name of letters, digits, - . _',
        'pf.yaml:4: policy.rules.0.set.interworkOn.orig.0: a refusal that is never interworked (A-21, A-44)',
        'pf.yaml:4: policy.rules.0.set.maxRedirects: Too big: expected number to be <=10',
        'pf.yaml:6: policy.rules.0.when.role: Invalid option: expected one of "orig"|"term"',
        'pf.yaml:7: policy.rules.0.when.destination.0: expected a pattern such as tel:+49*, sip:*@partner.example, mailto: or *.partner.example',
        'pf.yaml:8: policy.rules.0.when.media: Too small: expected array to have >=1 items',
      ],
    ],
    [
      'times that are none',
      [
        'rules:',
        '  - name: a',
        '    set: {}',
        '    when:',
        '      time:',
        '        - {zone: Europe/Atlantis, from: 8}',
        '        - {from: "25:00"}',
        '        - {dates: {from: 2026-12-26, until: 2026-12-24}}',
        '        - {from: "08:00", until: "08:00"}',
        '        - {days: [someday]}',
      ],
      [
        'pf.yaml:7: policy.rules.0.when.time.0.from: Invalid input: expected string, received number',
        'pf.yaml:7: policy.rules.0.when.time.0.zone: expected a time zone such as Europe/Berlin',
        'pf.yaml:8: policy.rules.0.when.time.1.from: expected a time of day such as "08:30", in quotation marks',
        'pf.yaml:9: policy.rules.0.when.time.2.dates: it ends before it begins',
        'pf.yaml:10: policy.rules.0.when.time.3: it ends when it begins',
        'pf.yaml:11: policy.rules.0.when.time.4.days.0: Invalid option: expected one of "mon"|"tue"|"wed"|"thu"|"fri"|"sat"|"sun"',
      ],
    ],
    [
      'two rules of one name',
      ['rules:', '  - {name: a, set: {}}', '  - {name: a, set: {}}'],
      ['pf.yaml:4: policy.rules.1.name: a second rule a'],
    ],
    [
      'a class nobody is in',
      ['userClasses: {gold: ["*"]}', 'rules:', '  - {name: a, when: {userClass: [gokd]}, set: {}}'],
      ['pf.yaml:4: policy.rules.0: rule a is for the class gokd, in which nobody is; did you mean gold?'],
    ],
  ])('%s', (_what, lines, expected) => {
    expect(said(lines).sort()).toEqual([...expected].sort());
  });

  it('a class of users.yaml is known, and another is not', () => {
    const users = 'users:\n  "sip:alice@home.example": {class: gold}\n';
    const rules = (name: string) => ['rules:', `  - {name: a, unless: {userClass: [${name}]}, set: {}}`];
    expect(said(rules('gold'), users)).toEqual([]);
    expect(said(rules('iron'), users)).toEqual([
      'pf.yaml:3: policy.rules.0: rule a is for the class iron, in which nobody is; name it in policy.userClasses or in users.yaml',
    ]);
  });

  it('more rules, or more patterns together, than sessions can be compared with', () => {
    const rule = (name: string, patterns = 1) =>
      `  - {name: ${name}, set: {}, when: {destination: [${Array(patterns).fill('"*"').join(', ')}]}}`;
    expect(said(['rules:', ...Array.from({ length: 201 }, (_, at) => rule(`r${at}`))])).toEqual([
      'pf.yaml:2: policy.rules: Too big: expected array to have <=200 items',
    ]);
    expect(said(['rules:', rule('a', 101)])).toEqual([
      'pf.yaml:3: policy.rules.0.when.destination: Too big: expected array to have <=100 items',
    ]);
    expect(said(['rules:', ...Array.from({ length: 21 }, (_, at) => rule(`r${at}`, 100))])).toEqual([
      'pf.yaml:2: policy.rules: expected at most 2000 patterns in all rules and classes, found 2100',
    ]);
  });
});
