/**
 * Sessions nobody hears of, before the first real one: the compiler of the runtime has then seen the whole way from
 * socket to store, and the first callers do not wait for it. A whole server, put together by the same code as the real
 * one, since optimised code is for the classes it has seen: with a virtual network and clock, the first real calls made
 * it start over. It hears on a loopback port of its own, its sessions are in a folder for the time being, and nothing is
 * left of it: no file, metric or log line.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Role } from '../../machines/session/policy.ts';
import type { EngineCounters } from '../engine/engine.ts';
import { policyOf } from './config/policy.ts';
import { type Config, configSchema } from './config/schema.ts';
import { createLog } from './log.ts';
import { startServer } from './server.ts';
import { WarmUpPhones } from './warm-up-phones.ts';

export interface WarmUpOptions {
  /** Sessions at the most. */
  readonly sessions?: number;
  /** Milliseconds at the most; what has begun is finished. */
  readonly limitMs?: number;
}

/** What was run; for tests. */
export interface WarmedUp {
  /** Sessions that began and ended. */
  readonly sessions: number;
  /** The same, by how they ended. */
  readonly byEnding: EngineCounters['byReason'];
  readonly ms: number;
}

/** By then the hot functions are optimised; more gains little. */
const SESSIONS = 3_000;
/** A start shall not take noticeably longer for it. */
const LIMIT_MS = 4_000;
/** Two servers, one after the other: code that has only ever seen one is made for that one. */
const ROUNDS = 2;
/** Sessions that run side by side, as many as a busy turn of the event loop stores together. */
const BATCH = 10;
/** A batch takes some milliseconds; one that takes so long has lost a datagram, and that is enough. */
const BATCH_MS = 2_000;

/** Runs whole sessions in both roles, as B2BUA and as proxy, ended by either side. */
export async function warmUp(config: Config, options: WarmUpOptions = {}): Promise<WarmedUp> {
  const { sessions = SESSIONS, limitMs = LIMIT_MS } = options;
  const begun = performance.now();
  // First, since nothing is open yet where it can't be made.
  const folder = mkdtempSync(join(tmpdir(), 'cpm-warm-up-'));
  const phones = await WarmUpPhones.open().catch((error: Error) => {
    rmSync(folder, { recursive: true });
    throw error;
  });
  const byEnding: Record<string, number> = {};
  let done = 0;
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      const until = begun + (limitMs * round) / ROUNDS;
      const { ended, byReason } = await rehearse(config, { phones, folder }, sessions / ROUNDS, until);
      done += ended;
      for (const [reason, count] of Object.entries(byReason)) byEnding[reason] = (byEnding[reason] ?? 0) + count;
    }
  } finally {
    await phones.close();
    rmSync(folder, { recursive: true });
  }
  return { sessions: done, byEnding, ms: performance.now() - begun };
}

/** What a rehearsal is played with. */
interface Stage {
  readonly phones: WarmUpPhones;
  /** Holds the sessions. */
  readonly folder: string;
}

async function rehearse(config: Config, stage: Stage, sessions: number, until: number): Promise<EngineCounters> {
  // Made as the real one is, so that they have its shape.
  const always = policyOf(rehearsed(config, stage, 'always'));
  const never = policyOf(rehearsed(config, stage, 'never'));
  const server = await startServer(rehearsed(config, stage), silent(config));
  const { phones } = stage;
  phones.call((server.listening[0] ?? '').replace('udp:', ''));
  try {
    for (let batch = 0; batch * BATCH < sessions && performance.now() < until; batch++) {
      server.cpm.engine.policy = batch % 2 === 0 ? always : never;
      if (!(await run(phones, batch))) break;
    }
    return server.cpm.engine.counters;
  } finally {
    await server.stop();
  }
}

/** A batch of sessions from INVITE to the answer of the BYE, all in one role. */
function run(phones: WarmUpPhones, batch: number): Promise<boolean> {
  const role: Role = batch % 4 < 2 ? 'orig' : 'term';
  const calls = {
    role,
    ender: batch % 8 < 4 ? 'caller' : 'callee',
    count: BATCH,
    words: batch % 16 < 8 ? 'many' : 'few',
  } as const;
  return phones.run(calls, `${batch}`, BATCH_MS);
}

/** The server's own configuration, where it costs nothing outside; no network but loopback, no limit. */
function rehearsed(config: Config, stage: Stage, mediaPath: Config['policy']['mediaPath'] = 'auto'): Config {
  const { history, sessions } = config;
  const path = join(stage.folder, 'sessions.sqlite');
  return configSchema.parse({
    domain: config.domain,
    sip: { listen: ['udp:127.0.0.1:0'], core: `sip:${stage.phones.core};lr`, overload: { maxLagMs: 60_000 } },
    policy: { mediaPath, defaultAllowOfflineStorage: true },
    registrar: { driver: 'none' },
    sessions: sessions.driver === 'memory' ? sessions : { ...sessions, path },
    history:
      history.driver === 'none' ? history : { driver: 'sqlite', path: ':memory:', folderName: history.folderName },
    timers: config.timers,
    admin: { traces: config.admin.traces },
  });
}

/** Log lines are made as they would be, and go nowhere. */
function silent(config: Config) {
  return createLog(config.log, { write: () => {} });
}
