/** `cpm-engine isf` as a command: help, mistakes with their places, the ready line, a clean end. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { IsfConfig } from '../../src/server/config/isf.ts';
import { checkedIsfConfig } from '../../src/server/config/isf-check.ts';
import { ConfigError } from '../../src/server/config/mistake.ts';
import { command } from '../support/command.ts';
import { Scene } from '../support/processes.ts';
import { runIsf } from '../support/reference-isf.ts';
import { until } from '../support/server.ts';
import { SimulatedSmsc } from '../support/smsc.ts';

let scene: Scene;

beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.close());

/** Mistakes in a configuration, a line each; what is right gives the configuration. */
function check(text: string): { config?: IsfConfig; err: string } {
  try {
    return { config: checkedIsfConfig(scene.file('isf.yaml', text)), err: '' };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { err: error.message };
  }
}

describe('a configuration', () => {
  it('with mistakes is refused, each with its place and what was expected', () => {
    const { err } = check(
      [
        'sip:',
        '  lisen: ["udp:127.0.0.1:5080"]',
        '  trusted: ["nowhere"]',
        'sms:',
        '  number: "five"',
        '  password: hunter2',
        'email:',
        '  domain: chat.home.example',
        '  inbox: {listen: "2525"}',
      ].join('\n'),
    );
    const lines = err.trim().split('\n');
    expect(lines).toEqual([
      expect.stringMatching(/isf\.yaml:2: sip\.lisen: unknown key; did you mean listen\?$/),
      expect.stringMatching(/isf\.yaml:5: sms\.number: expected a number such as \+15550100 or 55501$/),
      expect.stringMatching(/isf\.yaml:6: sms\.password: expected env:NAME or file:PATH/),
      expect.stringMatching(/isf\.yaml:9: email\.inbox\.listen: expected host:port, such as 127\.0\.0\.1:2525$/),
    ]);
  });

  it.each([
    ['sip: {}', /isf\.yaml:?\d*: expected sms, email or both/],
    [
      'sms: {number: "1234", password: "env:CPM_NOT_SET"}',
      /:1: sms\.password: environment variable CPM_NOT_SET is not set/,
    ],
    ['sms: {number: "1234"}\nsip: {trusted: [nowhere]}', /:2: sip\.trusted: not a network: nowhere/],
    ['email: {domain: x.example, smtp: {user: me}}', /:1: email\.smtp: expected user and password, or neither/],
    ['sms: {number: "1234"}\nadmin: {listen: "0.0.0.0:80"}', /:2: admin\.listen: expected an address of loopback/],
    [
      'sms: {number: "1234"}\nreach: {"tel:+1555": [nobody]}',
      /:2: reach\.tel:\+1555\.0: expected a mail address or a number/,
    ],
  ])('%s is refused', (text, expected) => {
    expect(check(text).err).toMatch(expected);
  });

  it('that is right has defaults for the rest; without a file there is one to begin with', () => {
    expect(check('sms: {number: "+15550100"}').config).toMatchObject({ sms: { segments: 10 } });
    expect(checkedIsfConfig(undefined)).toMatchObject({ email: { domain: 'chat.home.example' } });
  });

  it('is checked by the command, which ends with 2 where there are mistakes and else prints it', async () => {
    const run = (text: string) => command(['isf', '--check', '--config', scene.file('isf.yaml', text)]);
    expect(await run('sms: {number: x}')).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('isf.yaml:1'),
    });
    expect(await run('sms: {number: "55501"}')).toMatchObject({
      code: 0,
      out: expect.stringContaining('segments: 10'),
    });
  });
});

it('--help says what it is for', async () => {
  const { code, out } = await command(['isf', '--help']);
  expect(code).toBe(0);
  expect(out).toMatch(/SMS \(SMPP\) and e-mail \(SMTP\)/);
});

it('says where everything listens, tells of its health, and ends cleanly', async () => {
  const smsc = await SimulatedSmsc.start();
  scene.atEnd(() => smsc.close());
  const isf = await runIsf(scene, {
    sip: { listen: ['udp:127.0.0.1:0', 'tcp:127.0.0.1:0'] },
    sms: {
      listen: 'udp:127.0.0.1:0',
      smsc: `smpp://127.0.0.1:${smsc.port}`,
      number: '55501',
      reconnect: { firstMs: 50 },
    },
    email: { listen: 'udp:127.0.0.1:0', domain: 'chat.home.example', inbox: { listen: '127.0.0.1:0' } },
  });
  expect(Object.keys(isf.at)).toEqual(['isf', 'msrp', 'sms', 'email', 'inbox', 'admin']);
  expect(isf.at.isf).toMatch(/^127\.0\.0\.1:\d+,tcp:127\.0\.0\.1:\d+$/);
  const health = async () => (await fetch(`${isf.admin}/readyz`)).json();
  await until('it is ready', async () => JSON.stringify(await health()).includes('"problems":[]'));
  await smsc.away();
  await until('it is degraded', async () => JSON.stringify(await health()).includes('sms: the far side'));
  expect(await isf.count('sms.bindsLost')).toBe(1);
  isf.program.child.kill('SIGTERM');
  expect(await isf.program.exit(20_000)).toBe(0);
  expect(isf.program.stderr).toContain('"msg":"stopped"');
});

it('an address that can not be had ends it with 1, and says which', async () => {
  const taken = await SimulatedSmsc.start();
  scene.atEnd(() => taken.close());
  const file = scene.file(
    'isf.yaml',
    `email: {domain: x.example, inbox: {listen: "127.0.0.1:${taken.port}"}, listen: "udp:127.0.0.1:0"}\nmedia: {ports: "0"}\nsip: {listen: ["udp:127.0.0.1:0"]}\n`,
  );
  const { code, err } = await command(['isf', '--config', file]);
  expect(err).toContain(String(taken.port));
  expect(code).toBe(1);
});
