/**
 * Later triggers: whatever else comes to a session that is ending or over, whether its peers, its store or its deadlines
 * would ever say it or not. Invariant 2: the ending stays as it is. Invariant 4: in `closed` nothing is done any more.
 */
import type { LegName } from '../../../machines/session/context.ts';
import type { Profile } from '../../../machines/session/policy.ts';
import type { ChartEvent, ChartGraph, ChartState } from './chart-graph.ts';

const TIMER = { supported: true, se: 1800, minSE: null, refresher: 'uas' } as const;
const STEP = 98;

export interface Stray {
  readonly state: ChartState;
  readonly law: string;
}

/** The first of the given states that does not let strays pass by. */
export function brokenByStray(graph: ChartGraph, states: readonly ChartState[], profile: Profile): Stray | null {
  for (const state of states) {
    const ending = state.call.startsWith('tearingDown');
    if (!ending && state.call !== 'closed') continue;
    for (const event of strays(Object.keys(state.context.legs), profile)) {
      const { state: after, after: context, effects } = graph.take(state, event, STEP);
      const told = `${event.type} in ${state.call}`;
      const stays = after.call === 'closed' || (ending && after.call.startsWith('tearingDown'));
      if (!stays || context.entered !== 1) return { state, law: `invariant 2: ${told} starts the end again` };
      const { reason, by } = state.context.ending ?? {};
      if (context.ending?.reason !== reason || context.ending?.by !== by) {
        return { state, law: `invariant 2: ${told} changes the reason of the ending` };
      }
      if (!ending && effects.length > 0) return { state, law: `invariant 4: ${told} leads to ${effects[0]?.type}` };
    }
  }
  return null;
}

function strays(legs: readonly LegName[], profile: Profile): ChartEvent[] {
  return [
    { type: 'preferencesKnown', profile },
    { type: 'preferencesOverdue' },
    { type: 'ringingOver' },
    { type: 'secondaryOver' },
    { type: 'reofferDue' },
    { type: 'byeJoinOver' },
    { type: 'storeBudgetOver' },
    { type: 'teardownOver' },
    { type: 'historyOpened', sessionInfoUid: 7 },
    { type: 'historySealed', sessionInfoUid: 7, groupStateUid: 8 },
    { type: 'historyFailed' },
    { type: 'endOrdered', by: 'operator' },
    ...legs.flatMap(onLeg),
  ];
}

function onLeg(leg: LegName): ChartEvent[] {
  const answer = { fork: 0, accepted: [true], offered: null, timer: TIMER, allowsUpdate: true };
  const asked = { fork: 0, offer: 'changed', timer: TIMER } as const;
  return [
    { type: 'provisional', leg, status: 180, fork: 0, reliable: false },
    { type: 'answered', leg, status: 200, ...answer },
    { type: 'failed', leg, status: 404, redirects: ['sip:elsewhere@home.example'], minSE: null, silent: false },
    { type: 'cancelled', leg },
    { type: 'acknowledged', leg },
    { type: 'unacknowledged', leg },
    { type: 'bye', leg, exchange: 'bye-98' },
    ...['INVITE', 'UPDATE', 'OPTIONS', 'INFO'].map(
      (method) => ({ type: 'request', leg, exchange: `${method}-98`, method, ...asked }) as const,
    ),
    ...['bye', 'offer-98', 'reoffer-98', 'refreshUpdate-98'].map(
      (exchange) => ({ type: 'response', leg, exchange, status: 481, timer: TIMER, minSE: null }) as const,
    ),
    { type: 'exchangeCancelled', leg, exchange: 'invite-98' },
    { type: 'refreshDue', leg },
    { type: 'sessionExpired', leg },
    { type: 'mediaFailed', leg },
  ];
}
