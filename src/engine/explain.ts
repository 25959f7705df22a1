/**
 * What would happen to an INVITE, and why: the real statechart with its real guards, each answer noted with its
 * clauses, and the message that would leave. Nothing is sent, stored or remembered.
 */
import { createActor } from 'xstate';
import type { ClauseId } from '../../machines/session/clause-ids.ts';
import { clausesOf } from '../../machines/session/clauses.ts';
import type { SessionContext } from '../../machines/session/context.ts';
import type { Effect } from '../../machines/session/effects.ts';
import { type GuardName, guards } from '../../machines/session/guards.ts';
import { sessionMachine } from '../../machines/session/machine.ts';
import type { Policy, Profile } from '../../machines/session/policy.ts';
import type { SipRequest } from '../sip/message/message.ts';
import type { SipCommand, Source } from '../sip/port.ts';
import { openDossier, type Reading, readInvitation } from './invitation.ts';
import { type Performing, perform } from './perform.ts';
import type { ProfilePort } from './ports.ts';
import { isSession, serviceOf } from './service.ts';

export interface ExplainedStep {
  readonly guard: GuardName;
  /** True: the guard holds, and its way is taken. */
  readonly holds: boolean;
  readonly clauses: readonly ClauseId[];
}

export interface Explanation {
  /** Service the request asks for; undefined where it is no CPM request. */
  readonly service: string | undefined;
  readonly role: 'orig' | 'term' | null;
  readonly served: string | null;
  readonly mode: 'b2bua' | 'proxy' | null;
  readonly profile: Profile | null;
  readonly steps: readonly ExplainedStep[];
  /** State the session would be in afterwards. */
  readonly state: string;
  /** What would be done: refused, invited … */
  readonly effects: readonly Effect[];
  /** Commands to the SIP stack, the INVITE that would leave among them. */
  readonly commands: readonly SipCommand[];
}

export interface Explaining
  extends Omit<Performing, 'session' | 'context' | 'dossier' | 'stale' | 'execute' | 'free'>,
    Reading {
  readonly profiles: ProfilePort;
  readonly otherServices: 'forward' | 'reject';
}

export function explain(
  request: SipRequest,
  source: Source,
  policy: Policy,
  now: number,
  by: Explaining,
  done: (explanation: Explanation) => void,
): void {
  const service = serviceOf(request);
  if (!isSession(service)) {
    done({ ...NOTHING, service, state: by.otherServices === 'forward' ? 'forwarded untouched' : 'refused with 488' });
    return;
  }
  const invitation = readInvitation(request, source, service, by);
  by.profiles.lookUp({ ...invitation.query, at: now }, (profile) => {
    const steps: ExplainedStep[] = [];
    const actor = createActor(sessionMachine.provide({ guards: watched(steps) }), {
      input: { id: 'explained', role: invitation.role, policy, profile, invite: invitation.facts, at: now },
    });
    actor.start();
    const { context, value } = actor.getSnapshot();
    actor.stop();
    const dossier = openDossier(invitation, request, now);
    const commands: SipCommand[] = [];
    for (const effect of context.effects) {
      perform(effect, {
        ...by,
        session: 'explained',
        context,
        dossier,
        stale: false,
        execute: (command) => commands.push(command),
        free: () => {},
      });
    }
    // What was only explained holds no media.
    by.media.end?.('explained');
    done({
      service,
      role: invitation.role,
      served: invitation.served,
      mode: context.mode,
      profile,
      steps,
      state: stateOf(value.call),
      effects: context.effects,
      commands,
    });
  });
}

const NOTHING: Omit<Explanation, 'service' | 'state'> = {
  role: null,
  served: null,
  mode: null,
  profile: null,
  steps: [],
  effects: [],
  commands: [],
};

/** The guards, each noting its answer. One that is asked again in the same step is noted once. */
function watched(steps: ExplainedStep[]): typeof guards {
  const noting = Object.entries(guards).map(([name, guard]) => {
    const watching = (args: { context: SessionContext; event: never }): boolean => {
      const holds = (guard as (args: unknown) => boolean)(args);
      const last = steps.at(-1);
      if (last?.guard !== name || last.holds !== holds) {
        steps.push({ guard: name as GuardName, holds, clauses: clausesOf(name) });
      }
      return holds;
    };
    return [name, watching];
  });
  return Object.fromEntries(noting) as typeof guards;
}

function stateOf(value: unknown): string {
  return typeof value === 'string'
    ? value
    : Object.entries(value as object)
        .flat()
        .join('.');
}
