/**
 * The MSRP relay beside a plain TCP forwarder in Node, and beside Kamailio's msrp module where it is installed: CPU of
 * the process in the middle for each message of 1 KB. `npm run --silent build && node bench/msrp.mjs [messages]`, with
 * `--load chat`, `--only forwarder --only relay`, `--rounds 5`, `--profile FOLDER` for less of it, or more.
 *
 * Two loads. `chat`: 100 sessions, each with one message under way at a time. `stream`: 10 sessions, each with 32. Both
 * ends are in this process; each system in the middle is a process of its own, and its CPU is read from /proc.
 */
import { fork, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const SELF = fileURLToPath(import.meta.url);
const BODY = 'x'.repeat(1024);
const LOADS = { chat: { sessions: 100, window: 1 }, stream: { sessions: 10, window: 32 } };
const HOST = '127.0.0.1';
/** The flags of the program's first line; both Node processes have them. */
const FLAGS = ['--min-semi-space-size=16', '--max-semi-space-size=16'];

// --- the systems in the middle --------------------------------------------------------------------------------------

/** Pipes each connection to the receiver. */
function forwarder() {
  process.once('message', ({ receiver }) => {
    const server = createServer({ noDelay: true }, (near) => {
      const far = connect({ port: receiver, host: HOST, noDelay: true });
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) socket.on('error', () => {});
    });
    server.listen(0, HOST, () => process.send({ ports: [server.address().port] }));
  });
}

/** The relay, with its sessions described as the engine does it; `observe` records what passes. */
async function relay(observe) {
  const load = (path) => import(new URL(`../dist/src/${path}`, import.meta.url).href);
  const [{ MsrpRelay }, { MsrpNetwork }, { NodeClock }, { DEFAULT_MSRP_LIMITS }, host] = await Promise.all([
    load('msrp/relay/relay.js'),
    load('msrp/transport/network.js'),
    load('host/node-clock.js'),
    load('msrp/limits.js'),
    load('host/node-msrp-identifiers.js'),
  ]);
  const clock = new NodeClock();
  const limits = DEFAULT_MSRP_LIMITS;
  const network = await MsrpNetwork.listen({ clock, limits, address: HOST, ports: [0, 0] });
  const sessionIdOf = host.sessionIds('0123456789abcdef');
  const options = { clock, limits, identifiers: host.nodeMsrpIdentifiers(), network, sessionIdOf };
  const made = new MsrpRelay({ ...options, ...(observe === undefined ? {} : { observe }) });
  network.counters = made.counters;
  process.on('message', ({ receiver, sessions }) => {
    const paths = sessions.map(({ id, sender, far }) => {
      const offer = description(1, sender, 'active');
      const answer = description(receiver, far, 'passive');
      made.adapt(id, 'b', offer, { a: { received: offer, streams: null } });
      const legs = { a: { received: offer, streams: null }, b: { received: answer, streams: null } };
      return /a=path:(\S+)/.exec(made.adapt(id, 'a', answer, legs))[1];
    });
    process.send({ paths });
  });
}

/**
 * The relay with the recorder behind it: each message into the outbox in SQLite before its sender hears, and from there
 * into the history in SQLite, as the engine does it.
 */
async function recordingRelay() {
  const load = (path) => import(new URL(`../dist/src/${path}`, import.meta.url).href);
  const [{ Recorder }, { Spool }, { sqliteSessions }, { sqliteHistory }, { Outbox }, { NodeClock }, compose] =
    await Promise.all([
      load('recorder/recorder.js'),
      load('recorder/spool.js'),
      load('store/sqlite.js'),
      load('history/sqlite.js'),
      load('history/outbox.js'),
      load('host/node-clock.js'),
      load('engine/compose/history.js'),
    ]);
  const folder = mkdtempSync(join(tmpdir(), 'cpm-recording-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const store = sqliteSessions({ path: join(folder, 'sessions.sqlite') });
  const outbox = new Outbox({
    driver: sqliteHistory({ path: join(folder, 'history.sqlite') }),
    rules: { metadata: true, keepOldGroupState: true },
    clock: new NodeClock(),
    forget: (ids) => store.forgetIntents(ids),
    onOutcome: () => {},
  });
  const naming = { folderName: ['contributionId'], groupState: 'always' };
  const papersOf = (id) => ({
    context: { id, role: 'orig', legs: { a: { peer: 'client' } }, profile: null },
    dossier: {
      served: 'sip:alice@home.example',
      spoke: null,
      books: {},
      papers: {
        from: '<sip:alice@home.example>',
        to: '<sip:bob@home.example>',
        conversationId: id,
        contributionId: id,
        inReplyToContributionId: null,
        service: 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.session',
        subject: null,
        callId: id,
        date: Date.now(),
        invited: [],
      },
    },
  });
  const opened = new Set();
  let number = 0;
  let waiting = [];
  const flush = () => {
    const turn = waiting;
    waiting = [];
    const intents = turn.flatMap(({ orders }) => orders);
    store.commit({ puts: [], deletes: [], policies: [], intents }, () => {
      outbox.submit(intents);
      for (const { done } of turn) done();
    });
  };
  const recorder = new Recorder({
    rules: { acknowledge: 'stored', notifications: true, memoryBytes: 65_536 },
    spool: new Spool(join(folder, 'spool'), false),
    wanted: () => true,
    lost: (_session, why) => console.error(why),
    record(id, from, message, done) {
      const { context, dossier } = papersOf(id);
      const orders = opened.has(id) ? [] : [compose.openIntent(context, dossier, naming)];
      opened.add(id);
      // Senders begin to count anew with each run.
      const own = { ...message, messageId: `${message.messageId}.${++number}` };
      orders.push(compose.messageIntent(from, own, context, dossier, Date.now(), naming));
      if (waiting.push({ orders, done }) === 1) setImmediate(flush);
    },
  });
  await relay(recorder.observe);
}

const description = (port, uri, setup) =>
  [
    'v=0',
    `o=- 1 1 IN IP4 ${HOST}`,
    's=-',
    `c=IN IP4 ${HOST}`,
    't=0 0',
    `m=message ${port} TCP/MSRP *`,
    `a=path:${uri}`,
    `a=setup:${setup}`,
    '',
  ].join('\r\n');

// --- the ends -------------------------------------------------------------------------------------------------------

/** Answers each request; counts them by their end-lines. */
function receiver(answers) {
  return new Promise((resolve) => {
    const server = createServer({ noDelay: true }, (socket) => {
      let rest = '';
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        const parts = (rest + bytes.latin1Slice()).split('$\r\n');
        rest = parts.pop();
        let text = '';
        for (const part of parts) if (answers) text += answerTo(part);
        if (text !== '') socket.write(text, 'latin1');
      });
    });
    server.listen(0, HOST, () => resolve(server));
  });
}

function answerTo(request) {
  const [, id] = /^MSRP (\S+) SEND/.exec(request) ?? [];
  if (id === undefined) return '';
  const [, to] = /To-Path: (\S+)/.exec(request);
  const [, from] = /From-Path: (\S+)/.exec(request);
  return `MSRP ${id} 200 OK\r\nTo-Path: ${from}\r\nFrom-Path: ${to}\r\n-------${id}$\r\n`;
}

/** Sends `count` messages over one connection, so many at a time; resolves when all are answered. */
function sender({ port, to, from, window, count }) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: HOST, noDelay: true });
    const limit = setTimeout(() => reject(new Error(`${answered} of ${count} answered`)), 120_000);
    let sent = 0;
    let answered = 0;
    let rest = '';
    const say = (number) => {
      let text = '';
      for (let at = 0; at < number && sent < count; at++) {
        const id = `s${(sent++).toString(36).padStart(7, '0')}`;
        text += `MSRP ${id} SEND\r\nTo-Path: ${to}\r\nFrom-Path: ${from}\r\nMessage-ID: ${id}\r\nByte-Range: 1-1024/1024\r\nContent-Type: text/plain\r\n\r\n${BODY}\r\n-------${id}$\r\n`;
      }
      if (text !== '') socket.write(text, 'latin1');
    };
    socket.on('connect', () => say(window));
    socket.on('error', reject);
    socket.on('data', (bytes) => {
      const parts = (rest + bytes.latin1Slice()).split('$\r\n');
      rest = parts.pop();
      for (const part of parts) if (!part.includes(' 200 ')) reject(new Error(part));
      answered += parts.length;
      if (answered < count) return say(parts.length);
      clearTimeout(limit);
      socket.destroy();
      resolve();
    });
  });
}

// --- measuring ------------------------------------------------------------------------------------------------------

/** CPU of these processes so far with all their threads, microseconds. */
function cpuOf(pids) {
  let nanoseconds = 0;
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
    }
  }
  return nanoseconds / 1000;
}

async function measure(system, name, { sessions, window }, messages) {
  const far = await receiver(true);
  const port = far.address().port;
  const all = Array.from({ length: sessions }, (_, at) => ({
    id: `${name}${at}`,
    sender: `msrp://${HOST}:1/sender${name}${at};tcp`,
    far: `msrp://${HOST}:${port}/receiver${at};tcp`,
  }));
  const middle = await system.start(port, all);
  const run = (count) =>
    Promise.all(all.map((session, at) => sender({ ...middle.way(session, at), from: session.sender, window, count })));
  await run(Math.ceil(messages / sessions / 5));
  const count = Math.ceil(messages / sessions);
  const [cpu, began] = [cpuOf(middle.pids), performance.now()];
  await run(count);
  const seconds = (performance.now() - began) / 1000;
  const used = cpuOf(middle.pids) - cpu;
  await middle.stop();
  far.close();
  return { perMessage: used / (count * sessions), rate: (count * sessions) / seconds };
}

function child(kind) {
  const folder = process.env.MSRP_PROFILE;
  const profiling = folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(folder, kind)}`];
  return fork(SELF, ['--child', kind], { execArgv: [...FLAGS, ...profiling] });
}

const ask = (process, message) =>
  new Promise((resolve) => {
    process.once('message', resolve);
    process.send(message);
  });

const relaying = (kind) => ({
  async start(port, sessions) {
    const process = child(kind);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const { paths } = await ask(process, { receiver: port, sessions });
    const own = Number(/:(\d+)\//.exec(paths[0])[1]);
    return { pids: [process.pid], stop: () => process.kill(), way: (_, at) => ({ port: own, to: paths[at] }) };
  },
});

const SYSTEMS = {
  'node net forwarder': {
    async start(port) {
      const process = child('forwarder');
      const { ports } = await ask(process, { receiver: port });
      return { pids: [process.pid], stop: () => process.kill(), way: ({ far }) => ({ port: ports[0], to: far }) };
    },
  },
  'cpm-engine relay': relaying('relay'),
  'the same, recording': relaying('recording'),
  'kamailio msrp': {
    async start() {
      const folder = mkdtempSync(join(tmpdir(), 'cpm-msrp-'));
      const own = 15_000 + Math.floor(Math.random() * 5000);
      writeFileSync(join(folder, 'kamailio.cfg'), kamailio(own));
      const process = spawn(
        'kamailio',
        ['-DD', '-E', '-m', '256', '-M', '16', '-f', join(folder, 'kamailio.cfg'), '-Y', folder],
        { stdio: 'ignore' },
      );
      await new Promise((resolve) => setTimeout(resolve, 2000));
      const children = spawnSync('ps', ['-o', 'pid=', '--ppid', String(process.pid)], { encoding: 'utf8' });
      const pids = [process.pid, ...children.stdout.split('\n').map(Number).filter(Boolean)];
      const stop = async () => {
        process.kill();
        await new Promise((resolve) => process.once('exit', resolve));
        rmSync(folder, { recursive: true, force: true });
      };
      return { pids, stop, way: ({ far }) => ({ port: own, to: `msrp://${HOST}:${own}/bench;tcp ${far}` }) };
    },
  },
};

/** It answers by itself and passes the request on, as its manual has it. */
const kamailio = (port) => `#!KAMAILIO
debug=0
children=1
tcp_children=2
listen=tcp:${HOST}:${port}
dns=no
rev_dns=no
tcp_accept_no_cl=yes
loadmodule "msrp.so"
modparam("msrp", "sipmsg", 0)
request_route { exit; }
event_route[msrp:frame-in] {
  if (msrp_is_reply()) exit;
  msrp_reply("200", "OK");
  msrp_relay();
}
`;

// --- the run --------------------------------------------------------------------------------------------------------

async function main({ positionals, values }) {
  const messages = Number(positionals[0] ?? 50_000);
  const rounds = Number(values.rounds);
  if (values.profile !== undefined) process.env.MSRP_PROFILE = values.profile;
  const hasKamailio =
    spawnSync('kamailio', ['-v']).status === 0 &&
    ['x86_64', 'aarch64'].some((machine) => existsSync(`/usr/lib/${machine}-linux-gnu/kamailio/modules/msrp.so`));
  const names = Object.keys(SYSTEMS)
    .filter((name) => hasKamailio || !name.startsWith('kamailio'))
    .filter((name) => values.only?.some((word) => name.includes(word)) ?? true);
  console.log(`${messages} messages of ${BODY.length} bytes, each answered; CPU of the process in the middle`);
  for (const [load, of] of Object.entries(LOADS)) {
    if (values.load?.includes(load) === false) continue;
    const results = Object.fromEntries(names.map((name) => [name, []]));
    // In turn, so that a noisy moment meets all of them.
    for (let round = 0; round < rounds; round++) {
      for (const name of names) results[name].push(await measure(SYSTEMS[name], `r${round}`, of, messages));
    }
    console.log(`\n${load}: ${of.sessions} sessions, ${of.window} under way in each`);
    const base = median(results[names[0]]).perMessage;
    for (const name of names) {
      const { perMessage, rate } = median(results[name]);
      console.log(
        `  ${name.padEnd(20)} ${perMessage.toFixed(1).padStart(6)} us a message, ${(perMessage / base).toFixed(2)} x (${spread(results[name], results[names[0]])}), ${rate.toFixed(0).padStart(6)} messages/s`,
      );
    }
  }
}

/** The least and the most, each round against the first system in the same round. */
function spread(runs, base) {
  const ratios = runs.map(({ perMessage }, round) => perMessage / base[round].perMessage);
  return `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
}

/** The run in the middle by its CPU. */
function median(runs) {
  return [...runs].sort((a, b) => a.perMessage - b.perMessage)[Math.floor(runs.length / 2)];
}

if (process.argv[2] === '--child') {
  // An ordinary end, so that a profile is written.
  process.once('SIGTERM', () => process.exit(0));
  await { forwarder, relay, recording: recordingRelay }[process.argv[3]]();
} else {
  await main(
    parseArgs({
      allowPositionals: true,
      options: {
        load: { type: 'string', multiple: true },
        only: { type: 'string', multiple: true },
        rounds: { type: 'string', default: '3' },
        profile: { type: 'string' },
      },
    }),
  );
}
