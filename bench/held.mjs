/**
 * What a held session costs: heap for each, and CPU for a new one while so many are held.
 *
 *   node bench/held.mjs [HELD ...]        [1000 10000 50000]
 *
 * The real stack, engine, statechart and SQLite session store, fed with the bytes of two user agents; no sockets, so
 * that nothing but the engine is measured. Prints one JSON line for each number of held sessions. Needs a build
 * (`npm run build`) and `node --expose-gc`, which it starts itself with.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

if (globalThis.gc === undefined) {
  const again = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  process.exit(spawnSync(process.execPath, ['--expose-gc', ...again], { stdio: 'inherit' }).status ?? 1);
}

const { Scene } = await import('./scene.mjs');

/** Calls whose cost is measured while the others are held. */
const MEASURED = 2000;

function heap() {
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

/** CPU microseconds of one call, the best of several runs: the others had something else beside them. */
async function cpuOfOne(scene) {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3; run++) {
    const before = process.cpuUsage();
    for (let call = 0; call < MEASURED; call++) await (await scene.establish())();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / MEASURED);
    scene.linger();
  }
  return best;
}

const folder = mkdtempSync(join(tmpdir(), 'cpm-held-'));
try {
  const scene = new Scene(folder);
  for (let call = 0; call < 5000; call++) await (await scene.establish())();
  scene.linger();
  const empty = heap();
  let held = 0;
  const wanted = process.argv.slice(2).map(Number);
  for (const goal of wanted.length > 0 ? wanted : [1000, 10_000, 50_000]) {
    for (; held < goal; held++) await scene.establish();
    scene.linger();
    const bytes = (heap() - empty) / held;
    const cpu = await cpuOfOne(scene);
    if (scene.cpm.engine.sessions.size !== held) throw new Error(`${scene.cpm.engine.sessions.size} sessions are held`);
    const line = { held, heap_bytes_per_session: Math.round(bytes), cpu_us_per_new_session: Math.round(cpu) };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
  scene.cpm.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
