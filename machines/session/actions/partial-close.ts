/** BYE 4a: one of several IWFs leaves and takes only its streams along. */
import type { EventOf } from '../events.ts';
import { glareWait } from '../glare.ts';
import { order } from '../order.ts';
import { stopTimer } from './session-timer.ts';

export const partialClose = {
  /** Answered at once; its streams wait for the next re-INVITE. */
  closeStreams: order<EventOf<'bye'>>((turn, event) => {
    turn.order({ type: 'answerBye', leg: event.leg, exchange: event.exchange });
    turn.order({ type: 'releaseMedia', legs: [event.leg] });
    turn.setLeg(event.leg, { phase: 'closed' });
    stopTimer(turn, event.leg);
    const carriers = turn.get('carriers');
    const lost = carriers.flatMap((carrier, at) => (carrier === event.leg ? [at] : []));
    turn.set(
      'carriers',
      carriers.map((carrier) => (carrier === event.leg ? null : carrier)),
    );
    turn.set('drops', [...turn.get('drops'), ...lost]);
    turn.checkpoint();
  }),

  /** O-BYE-4a, T-BYE-4a: toward the client, or on the terminating side the other entity: both are leg `a`. */
  reofferWithoutStreams: order((turn, event) => {
    turn.order({ type: 'reoffer', leg: 'a', exchange: `reoffer-${event.step}`, without: turn.get('drops') });
    turn.set('drops', []);
    turn.checkpoint();
  }),

  /** RFC 3261 14.1: the same re-INVITE again, a little later. */
  reofferAgainSoon: order((turn, event) => {
    turn.setDeadline('reofferDue', turn.at + glareWait(turn.get('id'), 'a', event.step));
  }),

  reofferAgain: order((turn, event) => {
    turn.clearDeadline('reofferDue');
    turn.order({ type: 'reoffer', leg: 'a', exchange: `reoffer-${event.step}`, without: [] });
    turn.checkpoint();
  }),

  acknowledgeReoffer: order<EventOf<'response'>>((turn, event) => {
    if (event.status < 300) turn.order({ type: 'acknowledge', leg: 'a' });
  }),
};
