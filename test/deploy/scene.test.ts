/**
 * The scene of `deploy/scene/compose.yaml`, played by this machine: its addresses become addresses of the loopback, its
 * folders the test's, and the same programs run on the same files. Only the containers around them are missing.
 */
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { configSchema } from '../../src/server/config/schema.ts';
import type { Call } from '../../src/testing/index.ts';
import { owner, runners } from '../support/dovecot.ts';
import { answersSip } from '../support/kamailio.ts';
import { Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { attach, PROJECT, type RunningServer, runCommand, until } from '../support/server.ts';
import { UdpPhone } from '../support/udp-phone.ts';
import { FOR_CPM, resourceLists, rule, ruleset, STORES } from '../support/xcap-documents.ts';

const DEPLOY = join(PROJECT, 'deploy');
const CORE = '127.28.0.10:5060';
const XCAP = 'http://127.28.0.30:8000/xcap-root';

/** The files of the scene in the test's folder, with what this machine has in place of containers. */
function place(scene: Scene): void {
  const { uid, gid } = owner();
  cpSync(join(DEPLOY, 'scene'), scene.folder, { recursive: true });
  for (const folder of ['run', 'mail', 'xcap-tables']) mkdirSync(join(scene.folder, folder));
  // A folder of the test is its owner's alone; mail processes must pass through it.
  chmodSync(scene.folder, 0o711);
  chownSync(join(scene.folder, 'mail'), uid, gid);
  cpSync(join(scene.folder, 'xcap', 'tables'), join(scene.folder, 'xcap-tables'), { recursive: true });
  const places: [RegExp, string][] = [
    [/172\.28\.0\./g, '127.28.0.'],
    [/\/run\/scene/g, join(scene.folder, 'xcap-tables')],
    [/\/run\/dovecot/g, join(scene.folder, 'run')],
    [/\/var\/mail/g, join(scene.folder, 'mail')],
    [/\/dev\/stderr/g, join(scene.folder, 'dovecot.log')],
    [/uid=mail gid=mail/g, `uid=${uid} gid=${gid}`],
  ];
  for (const file of filesBelow(scene.folder)) {
    // Each function has a disk of its own.
    const own: [RegExp, string] = [/path: data\//g, `path: ${basename(file, '.yaml')}-`];
    const text = [...places, own].reduce((was, [from, to]) => was.replace(from, to), readFileSync(file, 'utf8'));
    writeFileSync(file, file.endsWith('dovecot.conf') ? `${text}\n${runners()}\n` : text);
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}

/** Registers a phone at the core, which asks nobody who he is. */
async function register(phone: UdpPhone): Promise<void> {
  const { name, address } = phone.peer;
  const user = `<sip:${name}@home.example>`;
  const lines = [
    'REGISTER sip:home.example SIP/2.0',
    `Via: SIP/2.0/UDP ${address};branch=z9hG4bK-register-${name}`,
    'Max-Forwards: 70',
    `From: ${user};tag=register`,
    `To: ${user}`,
    `Call-ID: register-${name}`,
    'CSeq: 1 REGISTER',
    `Contact: <sip:${name}@${address}>`,
    'Expires: 3600',
    'Content-Length: 0',
  ];
  const answered = phone.answerTo(`register-${name} 1 REGISTER`);
  phone.peer.sendRaw(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`));
  expect((await answered).status).toBe(200);
}

/** A document of a user, as a client writes it. */
async function put(path: string, document: string): Promise<void> {
  expect((await fetch(`${XCAP}/${path}`, { method: 'PUT', body: document })).ok).toBe(true);
}

interface Folder {
  readonly objects: readonly { readonly type: string }[];
  readonly pointers: Readonly<Record<string, number>>;
}

describeWith(['kamailio', 'kamailio/xcap_server', 'dovecot'], 'the scene of the compose file', () => {
  const scene = new Scene();
  let alice: UdpPhone;
  let bob: UdpPhone;
  let functions: Readonly<Record<'alice' | 'bob', RunningServer>>;

  beforeAll(async () => {
    process.env.CPM_IMAP_PASSWORD = 'scene';
    process.env.CPM_ADMIN_TOKEN = 'scene';
    place(scene);
    const kamailio = ['-DD', '-E', '-m', '64', '-M', '8', '-Y'];
    const core = scene.start('kamailio', [...kamailio, scene.folder, '-f', 'core/kamailio.cfg']);
    scene.start('kamailio', [...kamailio, join(scene.folder, 'xcap'), '-f', 'xcap/kamailio.cfg']);
    scene.start('dovecot', ['-F', '-c', join(scene.folder, 'imap', 'dovecot.conf')]);
    await answersSip(CORE, core);
    const there = (): Promise<boolean> =>
      fetch(XCAP).then(
        () => true,
        () => false,
      );
    await until('the XCAP server answers', there, 30_000);
    const run = (file: string): Promise<RunningServer> => attach(scene, join(scene.folder, file), [], 'scene');
    functions = { alice: await run('pf-alice.yaml'), bob: await run('pf-bob.yaml') };
    alice = await UdpPhone.open('alice', CORE);
    bob = await UdpPhone.open('bob', CORE);
    await register(alice);
    await register(bob);
  }, 90_000);
  afterAll(async () => {
    alice?.close();
    bob?.close();
    await scene.close();
  });

  function invite(conversation: string): Call {
    // Who calls and for whom the function acts is for the core to say.
    const headers = [
      ['P-Asserted-Identity', null],
      ['P-Served-User', null],
      ['Conversation-ID', conversation],
      ['Contribution-ID', 'contribution-1'],
    ] as const;
    return alice.invite({ headers });
  }

  it('a session of Alice, who wants her conversations kept, crosses core and both functions and is in her folder', async () => {
    await put(
      'org.openmobilealliance.pres-rules/users/sip:alice@home.example/pres-rules',
      ruleset(rule(FOR_CPM, STORES)),
    );
    const call = invite('conversation-1');
    expect((await alice.outcome(call)).status).toBe(200);
    const ended = await alice.bye(call);
    expect(ended.status).toBe(200);
    // Where the store is slow to begin with, the answer goes without it.
    expect([undefined, '1']).toContain(ended.header('message-uid'));
    await until('it is stored', async () => (await functions.alice.metric('outbox_depth')) === 0, 30_000);
    const path = '/api/history/sip%3Aalice%40home.example/conversation-1/contribution-1';
    const { objects, pointers } = await functions.alice.get<Folder>(path);
    expect(objects.map(({ type }) => type)).toEqual([
      'Application/X-CPM-Session',
      'Application/group-state-object+xml',
    ]);
    expect(pointers).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 2 });
    expect(await functions.bob.metric('sessions_started_total')).toBe(1);
  }, 60_000);

  it('whom Bob has blocked in his list does not reach his phone', async () => {
    const blocked = `<list name="oma_blockedcontacts"><entry uri="sip:alice@home.example"/></list>`;
    await put('resource-lists/users/sip:bob@home.example/index', resourceLists(blocked));
    // What his function knows of him counts for a minute; a new one asks anew.
    functions.bob.program.child.kill('SIGTERM');
    expect(await functions.bob.program.exit(30_000)).toBe(0);
    functions = { ...functions, bob: await attach(scene, join(scene.folder, 'pf-bob.yaml'), [], 'scene') };
    const taken = bob.calls.size;
    expect((await alice.outcome(invite('conversation-2'))).status).toBeGreaterThanOrEqual(400);
    expect(bob.calls.size).toBe(taken);
    // It was his function that refused.
    const refused = async (): Promise<boolean> => (await functions.bob.counts('sessions_ended_total')).refused === 1;
    await until('the refusal is counted', refused, 30_000);
  }, 60_000);

  it('each number the functions show is explained to operators, and each rule for alerts asks for one they show', async () => {
    const headers = { authorization: 'Bearer scene' };
    const text = await (await fetch(`${functions.alice.admin}/metrics`, { headers })).text();
    const shown = new Set([...text.matchAll(/^# TYPE (cpm_\w+)/gm)].map(([, name = '']) => name));
    const explained = namesIn(join(PROJECT, 'docs', 'operate.md'));
    expect([...shown].filter((name) => !explained.has(name))).toEqual([]);
    expect([...namesIn(join(DEPLOY, 'alerts.yaml'))].filter((name) => !shown.has(name))).toEqual([]);
  });

  it('the reference ISF takes its file', () => {
    const { code, err } = runCommand(PROJECT, 'isf', '--check', '--config', join(scene.folder, 'isf.yaml'));
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });
});

function namesIn(file: string): Set<string> {
  return new Set([...readFileSync(file, 'utf8').matchAll(/\bcpm_[a-z_]+/g)].map(([name]) => name));
}

describe('what containers and units are told', () => {
  it('each file a service mounts is there, and each command is one of the program', () => {
    const { services } = parse(readFileSync(join(DEPLOY, 'scene', 'compose.yaml'), 'utf8'), { merge: true }) as {
      services: Record<string, { volumes: string[]; networks: { scene: { ipv4_address: string } } }>;
    };
    const mounted = Object.values(services).flatMap(({ volumes }) => volumes.filter((text) => text.startsWith('./')));
    for (const text of mounted) expect(existsSync(join(DEPLOY, 'scene', text.split(':')[0] ?? ''))).toBe(true);
    const addresses = Object.values(services).map(({ networks }) => networks.scene.ipv4_address);
    expect(new Set(addresses).size).toBe(addresses.length);
    expect(Object.keys(services).sort()).toEqual(['core', 'imap', 'isf', 'pf-alice', 'pf-bob', 'xcap']);
  });

  it('the unit gives live sessions longer than shutdown.graceMs, and stays down on a bad configuration', () => {
    const unit = readFileSync(join(DEPLOY, 'cpm-engine.service'), 'utf8');
    const { graceMs } = configSchema.parse({}).shutdown;
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]) * 1000).toBeGreaterThan(2 * graceMs);
    expect(unit).toMatch(/^RestartPreventExitStatus=2$/m);
    const { bin } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { bin: Record<string, string> };
    expect(unit).toContain(`/node_modules/.bin/${Object.keys(bin)[0]} serve --config /etc/cpm-engine/pf.yaml`);
  });
});
