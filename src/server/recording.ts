/** The recorder that the configuration asks for, between the relay and the engine. */
import type { Engine } from '../engine/engine.ts';
import type { HistoryIntent } from '../history/intent.ts';
import { Recorder } from '../recorder/recorder.ts';
import { Spool } from '../recorder/spool.ts';
import type { Config } from './config/schema.ts';

export interface Recording {
  readonly recorder: Recorder;
  readonly spool: Spool;
}

/** Undefined where nothing passes through us, or nothing is kept. `engine` is asked only when something passes. */
export function recordingFor(config: Config, engine: () => Engine): Recording | undefined {
  if (config.media === undefined || config.history.driver === 'none') return undefined;
  const { acknowledge, notifications, memoryBytes } = config.recording;
  const spool = new Spool(
    config.recording.spool,
    config.sessions.driver === 'sqlite' && config.sessions.synchronous === 'full',
  );
  const recorder = new Recorder({
    rules: { acknowledge, notifications, memoryBytes },
    spool,
    wanted: (session) => engine().records(session),
    record: (session, from, message, done) => engine().record(session, from, message, done),
    lost: (session, why) => engine().recordingFailed(session, why),
  });
  return { recorder, spool };
}

/** What a killed process had begun to write, and no intent names. */
export function sweepSpool({ spool }: Recording, sessions: { intents?(): readonly HistoryIntent[] }): void {
  const named = (sessions.intents?.() ?? []).flatMap((intent) =>
    intent.kind === 'message' && intent.spooled !== null ? [intent.spooled] : [],
  );
  spool.keepOnly(new Set(named));
}
