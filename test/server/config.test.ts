/** Configuration: every mistake is told with its file, line and key and with what was expected there. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { checkedConfig } from '../../src/server/config/check.ts';
import { ConfigError } from '../../src/server/config/mistake.ts';
import { configSchema } from '../../src/server/config/schema.ts';
import { Scene } from '../support/processes.ts';
import { PROJECT, runCommand } from '../support/server.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.close());

/** Lines of what is said about a configuration, file names without their folder. */
function mistakes(config: string, files: Record<string, string> = {}): string[] {
  for (const [name, text] of Object.entries(files)) scene.file(name, text);
  const file = scene.file('pf.yaml', config.replaceAll('{folder}', scene.folder));
  try {
    checkedConfig(file);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message.replaceAll(`${scene.folder}/`, '').split('\n');
  }
}

const LISTEN = 'expected transport:address:port, such as udp:127.0.0.1:5060 (transports: udp, tcp, tls, ws, wss)';

const TABLE: readonly (readonly [what: string, config: string, said: readonly string[]])[] = [
  [
    'unknown keys, with the nearest known name, and without one where none is near',
    'domain: home.example\nsip:\n  listne: ["udp:127.0.0.1:5060"]\npolcy: {}\nzzzzzz: 1\n',
    [
      'pf.yaml:3: sip.listne: unknown key; did you mean listen?',
      'pf.yaml:4: polcy: unknown key; did you mean policy?',
      'pf.yaml:5: zzzzzz: unknown key',
    ],
  ],
  [
    'values of the wrong type',
    'timers:\n  t1: fast\n  se: 1.5\npolicy:\n  allowAnonymity: maybe\nsip: [a]\n',
    [
      'pf.yaml:2: timers.t1: Invalid input: expected number, received string',
      'pf.yaml:3: timers.se: Invalid input: expected int, received number',
      'pf.yaml:5: policy.allowAnonymity: Invalid input: expected boolean, received string',
      'pf.yaml:6: sip: Invalid input: expected object, received array',
    ],
  ],
  [
    'addresses that are none',
    [
      'sip:',
      '  listen:',
      '    - "udp:999.1.1.1:5060"',
      '    - "sctp:127.0.0.1:5060"',
      '    - "udp:127.0.0.1:99999"',
      '    - "udp:[::1]:5060"',
      '    - "tcp:*:5060"',
      '  core: "http://127.0.0.1"',
      '  advertise: "a b:1"',
      'admin: {listen: "127.0.0.1"}',
    ].join('\n'),
    [
      `pf.yaml:3: sip.listen.0: ${LISTEN}`,
      `pf.yaml:4: sip.listen.1: ${LISTEN}`,
      `pf.yaml:5: sip.listen.2: ${LISTEN}`,
      'pf.yaml:8: sip.core: expected a SIP URI such as sip:127.0.0.1:5070;lr',
      'pf.yaml:9: sip.advertise: expected host or host:port',
      'pf.yaml:10: admin.listen: expected address:port, such as 127.0.0.1:8080',
    ],
  ],
  [
    'a network that is none',
    'sip:\n  trusted: ["10.0.0.0/99"]\n',
    ['pf.yaml:2: sip.trusted: not a network: 10.0.0.0/99 (give an address or a range such as 10.0.0.0/8)'],
  ],
  [
    'a policy that is none',
    [
      'policy:',
      '  mediaPath: sometimes',
      '  interworkOn: {orig: [404, 200]}',
      '  requiredUserAgent: {min: one}',
      '  maxRedirects: 11',
      '  isfSchemes: 3',
    ].join('\n'),
    [
      'pf.yaml:2: policy.mediaPath: Invalid option: expected one of "always"|"never"|"auto"',
      'pf.yaml:3: policy.interworkOn.orig.1: Too small: expected number to be >=400',
      'pf.yaml:4: policy.requiredUserAgent.min: expected a release such as 1.0',
      'pf.yaml:5: policy.maxRedirects: Too big: expected number to be <=10',
      'pf.yaml:6: policy.isfSchemes: expected others, or a list of schemes',
    ],
  ],
  [
    'ISF routes',
    'isf:\n  routes:\n    - {uri: "sip:127.0.0.1", wieght: 2}\n    - 7\n',
    [
      'pf.yaml:3: isf.routes.0.wieght: unknown key; did you mean weight?',
      'pf.yaml:4: isf.routes.1: expected a SIP URI, or {uri, weight}',
    ],
  ],
  [
    'secrets in the file itself',
    'sip:\n  contactKey: 0123456789abcdef\nadmin:\n  token: hunter2\n',
    [
      'pf.yaml:2: sip.contactKey: expected env:NAME or file:PATH: secrets never stand in the file itself',
      'pf.yaml:4: admin.token: expected env:NAME or file:PATH: secrets never stand in the file itself',
    ],
  ],
  [
    'secrets that can not be had',
    'sip:\n  contactKey: "env:CPM_TEST_NO_SUCH"\nadmin:\n  token: "file:/no/such/file"\n',
    [
      'pf.yaml:2: sip.contactKey: environment variable CPM_TEST_NO_SUCH is not set',
      'pf.yaml:4: admin.token: /no/such/file: no such file',
    ],
  ],
  [
    'a certificate that is wanted and not given',
    'sip:\n  listen: ["tls:127.0.0.1:5061"]\n',
    ['pf.yaml:1: sip.tls: sip.listen names a TLS address, but sip.tls with cert and key is missing'],
  ],
  [
    'an open admin address without a token',
    'admin:\n  listen: 0.0.0.0:8080\n',
    [
      'pf.yaml:1: admin.token: expected a token (env:NAME or file:PATH), since admin.listen 0.0.0.0:8080 is not loopback',
    ],
  ],
  [
    'static clients without a file they could stand in',
    'registrar:\n  driver: static\n',
    ['pf.yaml:2: registrar.driver: static takes the clients of users.yaml, so expected users.driver to be file'],
  ],
  [
    'drivers that are not in this version, and those that never were',
    'history: {driver: magic}\nsessions: {driver: redis}\npreferences: {driver: ldap}\nregistrar: {driver: magic}\n',
    [
      "pf.yaml:1: history.driver: Invalid discriminator value. Expected 'sqlite' | 'imap' | 'none'",
      'pf.yaml:2: sessions.driver: redis is not in this version, use sqlite',
      "pf.yaml:3: preferences.driver: Invalid discriminator value. Expected 'file' | 'undefined' | 'xcap'",
      'pf.yaml:4: registrar.driver: Invalid option: expected one of "thirdParty"|"regEvent"|"static"|"none"',
    ],
  ],
  [
    'an IMAP store with a login that is the same for all, and metadata outside of what is shared',
    'history:\n  driver: imap\n  url: imap://127.0.0.1\n  user: everybody\n  password: env:CPM_TEST_NO_SUCH\n  metadataPrefix: /private/\n',
    [
      'pf.yaml:4: history.user: expected {user} in it, which stands for the address of the user without its scheme',
      'pf.yaml:6: history.metadataPrefix: expected a path such as /shared/vendor/vendor.example/',
    ],
  ],
  [
    'an IMAP store whose password is not there',
    'history:\n  driver: imap\n  url: imaps://imap.home.example\n  password: env:CPM_TEST_NO_SUCH\n',
    ['pf.yaml:1: history: environment variable CPM_TEST_NO_SUCH is not set'],
  ],
  [
    'an XCAP server that is none, or not asked properly',
    [
      'preferences:',
      '  driver: xcap',
      '  root: ftp://x',
      '  rulesDocument: /users/rules',
      '  blacklistNames: []',
      '  assertedIdentity: bob',
      '  auth: {type: digest, username: pf, password: hunter2}',
      '  cacheBytes: 1',
      '  timeout: 5',
    ].join('\n'),
    [
      'pf.yaml:3: preferences.root: expected an http or https URL without user, query and fragment, such as http://xcap.home.example/xcap-root',
      'pf.yaml:4: preferences.rulesDocument: expected a path below the root with {user} in it',
      'pf.yaml:5: preferences.blacklistNames: Too small: expected array to have >=1 items',
      'pf.yaml:6: preferences.assertedIdentity: expected user, none, or an address',
      'pf.yaml:7: preferences.auth.password: expected env:NAME or file:PATH: secrets never stand in the file itself',
      'pf.yaml:8: preferences.cacheBytes: Too small: expected number to be >=65536',
      'pf.yaml:9: preferences.timeout: unknown key; did you mean timeoutMs?',
    ],
  ],
  [
    'a secret for the XCAP server that can not be had',
    'preferences:\n  driver: xcap\n  root: http://127.0.0.1/x\n  auth: {type: bearer, token: "env:CPM_TEST_NO_SUCH"}\n',
    ['pf.yaml:4: preferences.auth: environment variable CPM_TEST_NO_SUCH is not set'],
  ],
  ['no mapping at all', 'hello\n', ['pf.yaml:1: Invalid input: expected object, received string']],
  [
    'what is no YAML: a bracket that is not closed',
    'sip:\n  listen: ["udp:127.0.0.1:5060"\npolicy: {}\n',
    ['pf.yaml:3: Flow sequence in block collection must be sufficiently indented and end with a ]'],
  ],
  ['what is no YAML: a tab', 'sip:\n\tlisten: 3\n', ['pf.yaml:2: Tabs are not allowed as indentation']],
  [
    'a key that is there twice',
    'domain: a.example\nnode: x\ndomain: b.example\n',
    ['pf.yaml:3: Map keys must be unique'],
  ],
  [
    'a users file that is not there',
    'users:\n  driver: file\n  path: nowhere.yaml\n',
    ['pf.yaml:3: users.path: nowhere.yaml: no such file'],
  ],
];

describe('mistakes in the configuration file', () => {
  it.each(TABLE)('are told with line, key and what was expected: %s', (_what, config, said) => {
    expect(mistakes(config)).toEqual(said);
  });

  it('are told with line and key for users.yaml too, in its own name', () => {
    const users = [
      'users:',
      '  "alice":',
      '    aliases: ["tel:+15550100"]',
      '  "sip:bob@home.example":',
      '    servics: [session]',
      '    preferences: {doNotDisturb: 3}',
      '    blacklist: ["nobody"]',
      '    clients: [{contact: "sip:b@127.0.0.1", features: session}]',
    ].join('\n');
    expect(mistakes('users: {driver: file, path: "{folder}/users.yaml"}\n', { 'users.yaml': users })).toEqual([
      'users.yaml:2: users.alice: expected an address such as sip:alice@home.example or tel:+15550100',
      'users.yaml:5: users.sip:bob@home.example.servics: unknown key; did you mean services?',
      'users.yaml:6: users.sip:bob@home.example.preferences.doNotDisturb: expected true, false, or a list of rules',
      'users.yaml:7: users.sip:bob@home.example.blacklist.0: expected an address such as sip:alice@home.example or tel:+15550100',
      'users.yaml:8: users.sip:bob@home.example.clients.0.features: Invalid input: expected array, received string',
    ]);
    expect(mistakes('users: {driver: file, path: "{folder}/users.yaml"}\n', { 'users.yaml': 'users: [' })[0]).toMatch(
      /^users\.yaml:1: Flow sequence/,
    );
  });

  it('A-14: a contact key that is too short to protect anything is refused', () => {
    expect(mistakes('sip: {contactKey: "file:{folder}/key"}\n', { key: 'short\n' })).toEqual([
      'pf.yaml:1: sip.contactKey: expected at least 16 characters, found 5',
    ]);
    expect(mistakes('sip: {contactKey: "file:{folder}/key"}\n', { key: '0123456789abcdef\n' })).toEqual([]);
  });

  it('certificates that are no PEM are refused', () => {
    const config = 'sip: {listen: ["tls:127.0.0.1:0"], tls: {cert: "{folder}/pem", key: "{folder}/pem"}}\n';
    expect(mistakes(config, { pem: 'nonsense' })[0]).toMatch(
      /^pf\.yaml:1: sip\.tls: tls: cert, key or ca can't be used/,
    );
  });
});

describe('the command line', () => {
  it.each(['check-config', 'serve'])('%s prints every mistake on standard error and exits 2', (command) => {
    const file = join(scene.folder, 'pf.yaml');
    const run = (): ReturnType<typeof runCommand> =>
      command === 'serve' ? runCommand(PROJECT, 'serve', '--config', file) : runCommand(PROJECT, command, file);
    expect(run()).toEqual({ code: 2, out: '', err: `${file}: no such file\n` });
    writeFileSync(file, 'polcy: {}\nadmin:\n  token: hunter2\n');
    expect(run()).toEqual({
      code: 2,
      out: '',
      err: `${file}:1: polcy: unknown key; did you mean policy?\n${file}:3: admin.token: expected env:NAME or file:PATH: secrets never stand in the file itself\n`,
    });
    writeFileSync(file, 'admin:\n  token: "env:CPM_TEST_NO_SUCH"\n');
    expect(run()).toEqual({
      code: 2,
      out: '',
      err: `${file}:2: admin.token: environment variable CPM_TEST_NO_SUCH is not set\n`,
    });
  });

  it('check-config prints the effective configuration, defaults and all, as YAML or as JSON', () => {
    const file = scene.file('pf.yaml', 'sip: {core: "sip:127.0.0.1:5070;lr"}\ntimers: {t1: 250}\n');
    const effective = configSchema.parse({ sip: { core: 'sip:127.0.0.1:5070;lr' }, timers: { t1: 250 } });
    const yaml = runCommand(PROJECT, 'check-config', file);
    expect({ ...yaml, out: parse(yaml.out) }).toEqual({ code: 0, out: effective, err: '' });
    const json = runCommand(PROJECT, 'check-config', file, '--json');
    expect({ ...json, out: JSON.parse(json.out) }).toEqual({ code: 0, out: effective, err: '' });
  });

  it('what is not wrong and still worth knowing is a warning', () => {
    const file = scene.file('pf.yaml', 'policy: {mediaPath: always}\n');
    const { code, err } = runCommand(PROJECT, 'check-config', file);
    expect({ code, warnings: err.match(/^warning: \w+/gm) }).toEqual({
      code: 0,
      warnings: ['warning: media', 'warning: sip'],
    });
  });
});

it('an empty file is the defaults', () => {
  const file = scene.file('pf.yaml', '');
  expect(checkedConfig(file)).toEqual(checkedConfig(undefined));
});
