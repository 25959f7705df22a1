/**
 * Builds of this project side by side: all their servers run at once, each under its own SIPp at the same rate, so that
 * whatever else the machine does falls on all of them. What two builds differ by shows within two hundredths, where runs
 * one after the other differ by a quarter.
 *
 *   node bench/together.mjs [--rate 100] [--calls 800] [--warm 3000] [--rounds 6] [--history] [--turns] NAME=FOLDER ...
 *
 * With --turns they run all the while, and have their calls one after the other: the caches are then one server's, as in
 * a run of its own, and a round is over before the machine has changed.
 *
 * FOLDER is a checkout with its packages and its build; the same one may stand twice, which shows the spread. Behind it,
 * after commas, may stand flags of Node: `x=.,--max-semi-space-size=4`. The rate is that of each server. Prints a line for
 * each round and one JSON line at the end: CPU of all threads for a call, and the ratio to the first, medians. Needs
 * `sipp`, and Linux.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rate: { type: 'string', default: '100' },
    calls: { type: 'string', default: '800' },
    warm: { type: 'string', default: '3000' },
    rounds: { type: 'string', default: '6' },
    history: { type: 'boolean', default: false },
    turns: { type: 'boolean', default: false },
  },
});
if (positionals.length === 0) throw new Error('give NAME=FOLDER for each build');

const IP = '127.0.0.1';
const UAS = 26020;
const work = mkdtempSync(join(tmpdir(), 'cpm-together.'));
const peer = fileURLToPath(new URL('peers/cpm-engine.sh', import.meta.url));
const scenario = (name) => fileURLToPath(new URL(`scenarios/${name}.xml`, import.meta.url));
const running = [];

function start(command, args, cwd, env = process.env) {
  const child = spawn(command, args, { cwd, env, stdio: 'ignore' });
  running.push(child);
  return child;
}

function sipp(port, args) {
  const own = [
    '-i',
    IP,
    '-bind_local',
    '-nostdin',
    '-p',
    String(port),
    '-cp',
    String(port + 1),
    '-mp',
    String(port + 2),
  ];
  return start('sipp', [...args, ...own], work);
}

/** The server of the other benches, out of the checkout that is named. */
function startServer(text, at) {
  const equals = text.indexOf('=');
  const [root, ...flags] = text.slice(equals + 1).split(',');
  const port = 26100 + 10 * at;
  const ends = { PEER_IP: IP, PEER_PORT: String(port), UAS_IP: IP, UAS_PORT: String(UAS) };
  const wanted = { ROOT: resolve(root), NODE_FLAGS: flags.join(' '), HISTORY: values.history ? '1' : '0' };
  const child = start(peer, [], work, { ...process.env, ...ends, ...wanted });
  return { name: text.slice(0, equals), port, child, cpu: [] };
}

/** Milliseconds of all threads of the server, which is the script's only child, to the nanosecond. */
function cpuOf({ child: { pid } }) {
  const server = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  const tasks = `/proc/${server}/task`;
  const times = readdirSync(tasks).map((task) =>
    Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]),
  );
  return times.reduce((sum, time) => sum + time, 0) / 1e6;
}

async function bound(port) {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  for (let wait = 0; wait < 150; wait++) {
    if (readFileSync('/proc/net/udp', 'utf8').includes(wanted)) return;
    await sleep(100);
  }
  throw new Error(`nothing listens on udp ${port}`);
}

/** Each round begins one server further on, so that a slow drift of the machine falls on all of them. */
async function inTurn(servers, calls, number) {
  const costs = [];
  for (let step = 0; step < servers.length; step++) {
    const which = (number + step) % servers.length;
    [costs[which]] = await together([servers[which]], calls);
  }
  return costs;
}

async function together(servers, calls) {
  const before = servers.map(cpuOf);
  const callers = servers.map(({ port }) =>
    sipp(port + 200, [
      `${IP}:${port}`,
      ...['-sf', scenario('uac'), '-r', values.rate, '-m', String(calls), '-l', String(calls), '-d', '0'],
      ...['-recv_timeout', '32000', '-key', 'served_user', '<sip:alice@home.example>;sescase=orig;regstate=reg'],
    ]),
  );
  const codes = await Promise.all(callers.map((caller) => new Promise((done) => caller.once('exit', done))));
  if (codes.some((code) => code !== 0)) throw new Error(`calls failed: SIPp ended with ${codes.join(', ')}`);
  await sleep(1000);
  return servers.map((server, at) => (cpuOf(server) - before[at]) / calls);
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const shown = (number) => Number(number.toFixed(3));

try {
  sipp(UAS, ['-sf', scenario('uas')]);
  const servers = positionals.map(startServer);
  for (const { port } of servers) await bound(port);
  await sleep(1000);
  const round = values.turns ? inTurn : together;
  await round(servers, Number(values.warm), 0);
  for (let at = 0; at < Number(values.rounds); at++) {
    const costs = await round(servers, Number(values.calls), at);
    servers.forEach((server, which) => void server.cpu.push(costs[which]));
    console.error(servers.map(({ name }, which) => `${name} ${shown(costs[which])} ms`).join('   '));
  }
  const [first] = servers;
  const results = servers.map(({ name, cpu }) => {
    const ratios = cpu.map((cost, at) => cost / first.cpu[at]);
    const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
    return { name, cpu_ms: shown(median(cpu)), ratio: shown(median(ratios)), least: shown(least), most: shown(most) };
  });
  console.log(JSON.stringify({ rate: Number(values.rate), rounds: Number(values.rounds), results }));
} finally {
  for (const child of running)
    if (child.exitCode === null) child.kill(child.spawnfile === 'sipp' ? 'SIGKILL' : 'SIGTERM');
  await sleep(1500);
  rmSync(work, { recursive: true, force: true });
}
