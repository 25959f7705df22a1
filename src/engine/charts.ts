/** The statecharts an engine runs its sessions on, with its own guards in them. */
import { compiled } from '../../machines/compiled.ts';
import { copyOf } from '../../machines/session/context.ts';
import { type SessionMachine, sessionMachine, unrecordedMachine } from '../../machines/session/machine.ts';
import { type GuardFailed, type OwnGuards, provided } from '../../machines/session/own-guards.ts';
import type { Clock } from '../time/clock.ts';
import type { EngineLog } from './ports.ts';

export interface Charts {
  /** For a session that may be recorded. */
  readonly recorded: SessionMachine;
  readonly unrecorded: SessionMachine;
}

export interface ChartOptions {
  readonly machine?: SessionMachine;
  readonly guards?: OwnGuards;
  readonly clock: Clock;
  readonly log: EngineLog;
}

/** One guard's failures are logged no more often than this: it may fail for each session. */
const LOG_MS = 60_000;

/** Made once for an engine: what is provided and compiled costs more than a session. Failures are counted by guard. */
export function charts(options: ChartOptions, failures: Record<string, number>): Charts {
  const { machine, guards } = options;
  const own = guards === undefined ? undefined : provided(guards, noteFailures(options, failures));
  const chart = (standard: SessionMachine): SessionMachine =>
    compiled(own === undefined ? standard : (standard.provide({ guards: own as never }) as SessionMachine), copyOf);
  return { recorded: chart(machine ?? sessionMachine), unrecorded: chart(machine ?? unrecordedMachine) };
}

function noteFailures({ clock, log }: ChartOptions, failures: Record<string, number>): GuardFailed {
  const logged = new Map<string, number>();
  return (guard, error, session) => {
    failures[guard] = (failures[guard] ?? 0) + 1;
    const now = clock.now();
    if (now - (logged.get(guard) ?? Number.NEGATIVE_INFINITY) < LOG_MS) return;
    logged.set(guard, now);
    const details = { guard, error, session, failures: failures[guard] };
    log.problem('an own guard gave no answer; the standard one stands', details);
  };
}
