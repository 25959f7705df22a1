/** What would happen to a MESSAGE, and why: its own chart, asked as it is by `explain.ts` for an INVITE. */
import { createActor } from 'xstate';
import { guards } from '../../../machines/message/guards.ts';
import { messageMachine } from '../../../machines/message/machine.ts';
import type { SipCommand } from '../../sip/port.ts';
import type { Explaining, Explanation, Question } from '../explain.ts';
import { statePath } from '../state-path.ts';
import { choiceUnder } from '../supposed-choice.ts';
import { stepsNoted, watchedBy } from '../watched-guards.ts';
import { messageQuestion, readMessage } from './papers.ts';
import { performForMessage } from './perform.ts';

export function explainMessage(question: Question, by: Explaining, done: (explanation: Explanation) => void): void {
  const { request, source, now, supposed = {} } = question;
  const papers = readMessage(request, source.trusted, false, now, by);
  const { asked, facts } = papers;
  const choice = choiceUnder(question.policies.explain(messageQuestion(papers, now)), supposed.policy);
  const { policy } = choice;
  const allowOfflineStorage = policy.defaultAllowOfflineStorage;
  by.profiles.lookUp({ ...asked.query, at: now, allowOfflineStorage }, (known) => {
    const profile = { ...known, ...supposed.profile };
    const { steps, note } = stepsNoted();
    const kept = by.queues.about(papers, profile.user ?? asked.served, policy.messages.deferred);
    const input = {
      id: 'explained',
      role: asked.role,
      policy,
      profile,
      lastKnown: null,
      message: facts,
      kept,
      at: now,
    };
    const actor = createActor(messageMachine.provide({ guards: watchedBy(note, guards) }), { input });
    actor.start();
    const { context, value } = actor.getSnapshot();
    actor.stop();
    const commands: SipCommand[] = [];
    for (const effect of context.effects) {
      performForMessage(effect, {
        ...by,
        id: 'explained',
        context,
        papers,
        now,
        execute: (command) => commands.push(command),
        deliverInSession: () => {},
        seeToTurn: () => {},
      });
    }
    done({
      service: asked.service,
      role: asked.role,
      served: asked.served,
      mode: null,
      profile,
      choice,
      steps,
      state: statePath(value),
      effects: context.effects,
      commands,
    });
  });
}
