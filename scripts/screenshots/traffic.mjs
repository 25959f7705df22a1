/** What the pictures show: a function on real sockets, with people who call each other over UDP, and one who is blocked. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { stringify } from 'yaml';

const PEOPLE = [
  'carol',
  'dave',
  'erin',
  'frank',
  'grace',
  'heidi',
  'ivan',
  'judy',
  'niaj',
  'olivia',
  'peggy',
  'rupert',
];
const LIMIT_MS = 30_000;

/** A running function with its admin side, and the phones. `close` ends everything. */
export async function traffic(root) {
  const folder = mkdtempSync(join(tmpdir(), 'cpm-screenshots-'));
  const { UdpPhone } = await phones(root, folder);
  const bob = await UdpPhone.open('bob', '127.0.0.1:9');
  const mail = await UdpPhone.open('mail', '127.0.0.1:9');
  const { server, admin, app } = await startFunction(root, folder, { bob, mail });
  const pf = server.listening[0].replace(/^udp:/, '');
  const alice = await UdpPhone.open('alice', pf);
  for (const phone of [bob, mail]) phone.peer.pf = pf;
  return {
    server,
    admin,
    alice,
    bob,
    mail,
    async close() {
      for (const phone of [alice, bob, mail]) phone.close();
      await app.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The phones of the tests, which are TypeScript. */
async function phones(root, folder) {
  const outfile = join(folder, 'udp-phone.mjs');
  const entryPoints = [join(root, 'test/support/udp-phone.ts')];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'warning' });
  return import(pathToFileURL(outfile).href);
}

async function startFunction(root, folder, { bob, mail }) {
  const from = (path) => import(pathToFileURL(join(root, 'dist/src/server', path)).href);
  const [{ startServer }, { configSchema }, { createLog }, { adminServer }] = await Promise.all(
    ['server.js', 'config/schema.js', 'log.js', 'admin/http.js'].map(from),
  );
  const file = (name, text) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const keeps = { preferences: { allowOfflineStorage: true } };
  const users = Object.fromEntries(
    ['alice', 'bob', ...PEOPLE].map((name) => [`sip:${name}@home.example`, { ...keeps }]),
  );
  users['sip:bob@home.example'].blacklist = ['sip:mallory@evil.example'];
  const config = configSchema.parse({
    domain: 'home.example',
    sip: {
      listen: ['udp:127.0.0.1:0'],
      core: `sip:127.0.0.1:${bob.port};lr`,
      contactKey: `file:${file('contact.key', '00112233445566778899aabbccddeeff')}`,
      overload: { maxLagMs: 60_000 },
    },
    isf: { routes: [`sip:127.0.0.1:${mail.port};lr`] },
    policy: { mediaPath: 'always' },
    users: { driver: 'file', path: file('users.yaml', stringify({ users })) },
    registrar: { driver: 'none' },
    sessions: { driver: 'sqlite', path: join(folder, 'sessions.sqlite') },
    history: { driver: 'sqlite', path: join(folder, 'history.sqlite') },
    log: { level: 'silent' },
    warmUp: false,
  });
  const server = await startServer(config, createLog(config.log));
  const app = adminServer(server, { token: undefined, redact: config.log.redact });
  return { server, app, admin: await app.listen({ host: '127.0.0.1', port: 0 }) };
}

// --- sessions ------------------------------------------------------------------------------------------------

let contributions = 0;

/** Headers of an invitation: who sends it, whose function it reaches. */
function invitation(from, { to = 'bob@home.example', terminating = false, subject = 'Lunch on Friday?' } = {}) {
  const [who, uri] = [`<sip:${from}@home.example>`, to.includes(':') ? to : `sip:${to}`];
  const served = terminating ? `<${uri}>;sescase=term;regstate=reg` : `${who};sescase=orig;regstate=reg`;
  contributions++;
  // Spread, as real ones are.
  const id = (number, end) => `${((number * 0x9e3779b1) >>> 0).toString(16).padStart(8, '0')}-${end}`;
  const headers = [
    ['P-Served-User', served],
    // Two sessions make a conversation.
    ['Conversation-ID', id(1 + (contributions >> 1), '7dec-41d0-a765-00a0c91e6bf6')],
    ['Contribution-ID', id(1000 + contributions, '5f0a-4c1e-8b3d-2d0e61c7a914')],
    ['Subject', subject],
    ['Session-Expires', '1800'],
  ];
  return { from: who, uri, headers };
}

/** A session that stands; both sides of it. */
export async function session({ alice, bob, mail }, from, options) {
  const near = alice.invite(invitation(from, options));
  const { status } = await alice.outcome(near);
  if (status !== 200) throw new Error(`the invitation of ${from} got ${status}`);
  const contribution = near.invite.header('contribution-id');
  const callee = [bob, mail].find((phone) => callOf(phone, contribution) !== undefined);
  return { near, far: callOf(callee, contribution), callee };
}

const callOf = (phone, contribution) =>
  [...phone.calls.values()].find(({ invite }) => invite.header('contribution-id') === contribution);

/** Sessions of many people that stand, and some that have ended in several ways. */
export async function everydayLife(stage) {
  for (const name of PEOPLE) {
    const ending = await session(stage, name);
    await (PEOPLE.indexOf(name) % 3 === 0 ? ending.callee.bye(ending.far) : stage.alice.bye(ending.near));
  }
  for (const subject of ['Harbour or hill?', 'Harbour!', 'Keys', 'Lunch on Friday?']) {
    const { near } = await session(stage, 'alice', { subject });
    await stage.alice.bye(near);
  }
  const blocked = stage.alice.invite({
    ...invitation('mallory', { terminating: true }),
    from: '<sip:mallory@evil.example>',
  });
  await stage.alice.outcome(blocked);
  for (const [at, name] of [...PEOPLE, ...PEOPLE].entries()) {
    if (at % 4 === 1) await session(stage, name, { terminating: true });
    else if (at % 7 === 3) await session(stage, name, { to: 'mailto:bob@office.example' });
    else await session(stage, name);
  }
}

/** The session that is looked at: it rings for a while, and then something is asked inside it. */
export async function rungSession(stage, ringsMs) {
  const { alice, bob } = stage;
  bob.conduct = () => 'ring';
  const near = alice.invite(invitation('alice'));
  const contribution = near.invite.header('contribution-id');
  await until(() => callOf(bob, contribution) !== undefined);
  const far = callOf(bob, contribution);
  await new Promise((resolve) => setTimeout(resolve, ringsMs));
  bob.answer(far);
  await alice.outcome(near);
  await until(() => bob.heard(far).includes('ACK'));
  bob.conduct = () => 'answer';
  await alice.request(near, 'INFO');
  return { near, far, callee: bob };
}

export async function until(holds) {
  const end = Date.now() + LIMIT_MS;
  while (!holds()) {
    if (Date.now() > end) throw new Error('what should have come has not come');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
