/**
 * What would happen to an INVITE, and why: the real statechart with its real guards, each answer noted with its
 * clauses, and the message that would leave. Nothing is sent, stored or remembered.
 */
import { createActor } from 'xstate';
import type { Effect as MessageEffect } from '../../machines/message/effects.ts';
import type { Effect } from '../../machines/session/effects.ts';
import { sessionMachine } from '../../machines/session/machine.ts';
import type { OwnGuards } from '../../machines/session/own-guards.ts';
import type { Policy, Profile } from '../../machines/session/policy.ts';
import type { ChoiceExplained, RuledPolicy } from '../policy/ruled-policy.ts';
import type { SipRequest } from '../sip/message/message.ts';
import type { SipCommand, Source } from '../sip/port.ts';
import { openDossier, policyQuestion, type Reading, readInvitation } from './invitation.ts';
import { explainMessage } from './message/explain.ts';
import { MESSAGE_SERVICE } from './message/papers.ts';
import type { Queues } from './message/queues.ts';
import { type Performing, perform } from './perform.ts';
import type { ProfilePort } from './ports.ts';
import { isSession, serviceOf } from './service.ts';
import { statePath } from './state-path.ts';
import { choiceUnder } from './supposed-choice.ts';
import { type GuardAnswer, stepsNoted, watchedGuards } from './watched-guards.ts';

export interface Explanation {
  /** Service the request asks for; undefined where it is no CPM request. */
  readonly service: string | undefined;
  readonly role: 'orig' | 'term' | null;
  readonly served: string | null;
  readonly mode: 'b2bua' | 'proxy' | null;
  readonly profile: Profile | null;
  /** Policy of the session, and how it was chosen: the rules that were looked at, the keys they set. */
  readonly choice: ChoiceExplained | null;
  readonly steps: readonly GuardAnswer[];
  /** State the session would be in afterwards. */
  readonly state: string;
  /** What would be done: refused, invited, kept … */
  readonly effects: readonly (Effect | MessageEffect)[];
  /** Commands to the SIP stack, the INVITE that would leave among them. */
  readonly commands: readonly SipCommand[];
}

export interface Explaining
  extends Omit<Performing, 'session' | 'legs' | 'context' | 'dossier' | 'stale' | 'execute' | 'free'>,
    Reading {
  readonly profiles: ProfilePort;
  readonly otherServices: 'forward' | 'reject';
  readonly guards?: OwnGuards;
  /** Messages that are kept, which decide whether another one is. */
  readonly queues: Queues;
}

/** What is tried out in place of what is configured. */
export interface Supposed {
  readonly policy?: Partial<Policy>;
  readonly profile?: Partial<Profile>;
  /** Other rules altogether. */
  readonly policies?: RuledPolicy;
  /** Another time, ms since the epoch. */
  readonly at?: number;
}

export interface Question {
  readonly request: SipRequest;
  readonly source: Source;
  readonly policies: RuledPolicy;
  readonly now: number;
  readonly supposed?: Supposed;
}

export function explain(question: Question, by: Explaining, done: (explanation: Explanation) => void): void {
  const { request, source, now, supposed = {} } = question;
  const service = serviceOf(request);
  if (request.method === 'MESSAGE' && service === MESSAGE_SERVICE) return explainMessage(question, by, done);
  if (!isSession(service)) {
    done({ ...NOTHING, service, state: by.otherServices === 'forward' ? 'forwarded untouched' : 'refused with 488' });
    return;
  }
  const invitation = readInvitation(request, source, service, by);
  const choice = choiceUnder(question.policies.explain(policyQuestion(invitation, now)), supposed.policy);
  const { policy } = choice;
  const allowOfflineStorage = policy.defaultAllowOfflineStorage;
  by.profiles.lookUp({ ...invitation.query, at: now, allowOfflineStorage }, (known) => {
    const profile = { ...known, ...supposed.profile };
    const { steps, note } = stepsNoted();
    const actor = createActor(sessionMachine.provide({ guards: watchedGuards(note, by.guards) }), {
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
        legs: { legId: (leg) => `explained.${leg}` },
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
      choice,
      steps,
      state: statePath(value.call),
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
  choice: null,
  steps: [],
  effects: [],
  commands: [],
};
