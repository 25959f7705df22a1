/**
 * What live inspection costs each call: compiled in with nobody attached, and with one viewer on one session.
 *
 *   node bench/inspect.mjs [ROUNDS]        [40]
 *
 * Three engines in one process take turns, a batch of calls each, in an order that rotates: one without inspection, one
 * with it, one whose viewer watches one call of each hundred from its INVITE to its end. Prints one JSON line: the medians over all rounds of the
 * CPU of a batch against that of the engine without. Needs a build (`npm run build`).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_POLICY } from 'cpm-engine';
import { Inspector } from '../dist/src/inspect/inspector.js';
import { Scene } from './scene.mjs';

const ROUNDS = Number(process.argv[2] ?? 40);
const CALLS = 300;
const HELD = 100;

const folders = [];

async function engine(options) {
  const folder = mkdtempSync(join(tmpdir(), 'cpm-inspect-'));
  folders.push(folder);
  // Held sessions are not refreshed while time passes between batches.
  const policy = { mediaPath: 'always', timers: { ...DEFAULT_POLICY.timers, se: 86_400 } };
  const scene = new Scene(folder, { ...options, policy });
  for (let call = 0; call < HELD; call++) await scene.establish();
  return scene;
}

function inspected(inspector) {
  return engine({
    observe: (session, event) => inspector.observe(session, event),
    ended: (session) => inspector.ended(session),
  });
}

/** CPU microseconds of a batch. What it left behind is let go outside the measure. */
async function batch(scene) {
  const before = process.cpuUsage();
  for (let call = 0; call < CALLS; call++) await (await scene.establish())();
  const { user, system } = process.cpuUsage(before);
  scene.linger();
  return user + system;
}

function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)];
}

const inspector = new Inspector((text) => text);
const scenes = [await engine({}), await inspected(new Inspector((text) => text)), await inspected(inspector)];
let frames = 0;
const sink = {
  waiting: 0,
  send(_frame, sent) {
    frames++;
    setImmediate(sent);
  },
};
inspector.attach(sink, { sessions: [], sample: 0.01, limit: 1 }, []);

try {
  const times = scenes.map(() => []);
  for (let round = -5; round < ROUNDS; round++) {
    for (let turn = 0; turn < scenes.length; turn++) {
      const at = (turn + round + 5) % scenes.length;
      const time = await batch(scenes[at]);
      // The first rounds are for the compiler.
      if (round >= 0) times[at].push(time);
    }
  }
  const [without, nobody, one] = times;
  const against = (list) => Number(median(list.map((time, at) => time / without[at])).toFixed(3));
  const line = {
    rounds: ROUNDS,
    calls: CALLS,
    cpu_us_per_call_without: Math.round(median(without) / CALLS),
    nobody_attached: against(nobody),
    one_viewer_on_one_session: against(one),
    frames,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  for (const scene of scenes) scene.cpm.close();
} finally {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
