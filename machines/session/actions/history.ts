/** The recording region's orders: 8.5, and the pointers of 8.2.2 and 8.3.2. */
import type { SessionContext } from '../context.ts';
import type { EventOf } from '../events.ts';
import { order } from '../order.ts';

/** What sealing this session's history writes; asked again where a restart has to order it anew. */
export function sealOrder(session: Pick<SessionContext, 'role' | 'ending' | 'policy'>) {
  const { termTimerMetadata } = session.policy.compat;
  const termTimer = session.role === 'term' && session.ending?.reason === 'sessionTimer';
  return {
    type: 'sealHistory',
    reassertSessionInfo: termTimer && termTimerMetadata !== 'symmetric',
    groupStatePointer: !termTimer || termTimerMetadata !== 'literal',
  } as const;
}

export const history = {
  /** O-200B-7a, T-200B-4a: folder, Session Info Object, pointer. */
  openHistoryFolder: order((turn) => {
    turn.order({ type: 'openHistory' });
  }),

  /** Not worth a write of its own: a restart that has not heard of it asks again, and gets the same UID. */
  noteSessionInfo: order<EventOf<'historyOpened'>>((turn, event) => {
    turn.set('history', { ...turn.get('history'), sessionInfoUid: event.sessionInfoUid });
  }),

  noteStoreFailure: order((turn) => {
    const facts = turn.get('history');
    turn.set('history', { ...facts, failures: facts.failures + 1 });
  }),

  /** Group State Object and its pointer; on a terminating timer expiry also the other pointer. */
  sealHistory: order((turn) => {
    turn.order(sealOrder({ role: turn.get('role'), ending: turn.get('ending'), policy: turn.get('policy') }));
    turn.checkpoint();
  }),

  noteSealed: order<EventOf<'historySealed'>>((turn, event) => {
    const facts = turn.get('history');
    turn.clearDeadline('storeBudgetOver');
    turn.set('history', {
      ...facts,
      sessionInfoUid: event.sessionInfoUid ?? facts.sessionInfoUid,
      groupStateUid: event.groupStateUid,
      sealed: true,
      settled: true,
    });
  }),
};
