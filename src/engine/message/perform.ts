/** Carries out a message's effects: each becomes a command to the SIP port, or work for the registry. */
import type { MessageContext } from '../../../machines/message/context.ts';
import type { Effect } from '../../../machines/message/effects.ts';
import type { SipCommand } from '../../sip/port.ts';
import { loopToken } from '../../sip/proxy/rules.ts';
import type { Identity } from '../identity.ts';
import type { IsfPort } from '../ports.ts';
import { composeDelivery, composeMessageRefusal, composePass } from './compose.ts';
import { composeNotification } from './notification.ts';
import type { MessagePapers } from './papers.ts';

export interface MessagePerforming {
  readonly id: string;
  readonly context: MessageContext;
  readonly papers: MessagePapers;
  readonly now: number;
  readonly identity: Identity;
  readonly isf: IsfPort;
  readonly coreRouteSets: readonly (readonly string[])[];
  execute(command: SipCommand): void;
  /** Has it said in a session with its user; what became of it is told later. */
  deliverInSession(): void;
  /** One of those kept for its user may be due. */
  seeToTurn(): void;
}

export function performForMessage(effect: Effect, by: MessagePerforming): void {
  const { id, context, papers, identity, coreRouteSets, execute } = by;
  const exchange = id;
  switch (effect.type) {
    case 'fetchPreferences':
      // The engine asked when the message came; the answer is an event.
      return;
    case 'record':
      // The outbox has it since the message was stored.
      return;
    case 'pass':
      return execute({
        type: 'sendOutside',
        exchange,
        // RFC 3261 16.6 step 8: a request that comes back with it has looped.
        branch: `${papers.branch}.${effect.to}-l${loopToken(papers.request)}`,
        request: composePass(papers),
        routeSets: effect.to === 'isf' ? by.isf.routeSets() : routesOf(by),
      });
    case 'passAnswer': {
      const { response } = papers;
      papers.response = null;
      if (response !== null) return execute({ type: 'replyAs', exchange, response });
      return execute({ type: 'reply', exchange, status: 503, headers: [] });
    }
    case 'leaveUnanswered':
      return execute({ type: 'leaveUnanswered', exchange });
    case 'refuse':
      return execute({
        type: 'reply',
        exchange,
        status: effect.status,
        headers: composeMessageRefusal(effect, context, identity),
      });
    case 'accept':
      if (papers.facts.inSession) return;
      return execute({ type: 'reply', exchange, status: 202, headers: [] });
    case 'seeToTurn':
      return by.seeToTurn();
    case 'deliver': {
      const { number } = effect;
      if (papers.facts.inSession) return by.deliverInSession();
      const request = composeDelivery(papers, { id, number, seconds: secondsLeft(by) }, identity);
      return execute({ type: 'sendOutside', exchange, branch: `${id}.d${number}`, request, routeSets: coreRouteSets });
    }
    case 'notifySender': {
      const request = composeNotification(papers, id, by.now, identity);
      return execute({ type: 'sendOutside', exchange, branch: `${id}.n`, request, routeSets: coreRouteSets });
    }
  }
}

/** The routes it came with, else the core's. */
function routesOf({ papers, coreRouteSets }: MessagePerforming): readonly (readonly string[])[] {
  return papers.asked.routes.length > 0 ? [papers.asked.routes] : coreRouteSets;
}

function secondsLeft({ context, papers, now }: MessagePerforming): number | null {
  if (papers.facts.lifetimeSeconds === null) return null;
  return Math.max(1, Math.round(((context.deadlines.expired ?? now) - now) / 1000));
}
