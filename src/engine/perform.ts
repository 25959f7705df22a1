/** Carries out a session's effects: each becomes a command to the SIP port, or work for a service. */
import type { LegName, SessionContext } from '../../machines/session/context.ts';
import type { Effect, EffectOf } from '../../machines/session/effects.ts';
import { type HeaderField, headerField } from '../sip/message/header.ts';
import type { LegId, Payload, SipCommand } from '../sip/port.ts';
import { composeAnswer, composeFailure, composeProgress, composeRefusal } from './compose/answers.ts';
import { type Describing, reducedOffer } from './compose/descriptions.ts';
import {
  composeAck,
  composeConfirmation,
  composeRefresh,
  composeRelayedRequest,
  composeRelayedResponse,
  composeReoffer,
} from './compose/in-dialog.ts';
import { composeForward, composeInvite, type Inviting } from './compose/invite.ts';
import {
  ackKey,
  answeredKey,
  type Dossier,
  failedKey,
  provisionalKey,
  requestKey,
  requestOf,
  responseKey,
  responseOf,
} from './dossier.ts';

/** What carrying out an effect may use. */
export interface Performing extends Inviting, Describing {
  readonly context: SessionContext;
  readonly dossier: Dossier;
  readonly legs: { legId(leg: LegName): LegId };
  /** After a restart: the peer has long had this answer, or this INVITE. */
  readonly stale: boolean;
  execute(command: SipCommand): void;
  /** Frees the media of these legs, as far as it was not freed before. */
  free(legs: readonly LegName[]): void;
}

export function perform(effect: Effect, by: Performing): void {
  switch (effect.type) {
    case 'fetchPreferences':
      // The engine asked when the INVITE came; the answer is an event.
      return;
    case 'trying':
      return by.execute({ type: 'trying', leg: legId(by, 'a') });
    case 'invite':
      return sendInvite(effect, by);
    case 'progress':
    case 'answer':
    case 'refuse':
    case 'forwardFailure':
      return answerInviter(effect, by);
    case 'acknowledge':
      return acknowledge(effect, by);
    case 'cancel':
      return cancel(effect, by);
    case 'bye':
      return by.execute({
        type: 'request',
        leg: legId(by, effect.leg),
        exchange: 'bye',
        method: 'BYE',
        headers: byeHeaders(effect, by),
      });
    case 'answerBye':
      return respond(by, effect.leg, effect.exchange, 200, { headers: uidHeader(effect.messageUid) });
    case 'releaseMedia':
      return by.free(effect.legs);
    case 'openHistory':
    case 'sealHistory':
      // The outbox has them since the session was stored.
      return;
    case 'forwardResponse':
    case 'forwardAck':
    case 'forwardRequest':
    case 'forwardReply':
      return forward(effect, by);
    default:
      return performInDialog(effect, by);
  }
}

const legId = (by: Performing, leg: LegName): LegId => by.legs.legId(leg);

function respond(by: Performing, leg: LegName, exchange: string, status: number, payload: Payload): void {
  const { headers, body } = payload;
  by.execute({ type: 'respond', leg: legId(by, leg), exchange, status, headers, body });
}

function sendInvite(effect: EffectOf<'invite'>, by: Performing): void {
  if (by.context.mode === 'proxy') {
    const received = by.dossier.invite;
    if (received === null) return;
    const leg = legId(by, 'a');
    by.execute({
      type: 'forwardInvite',
      leg,
      branch: legId(by, effect.leg),
      ...composeForward(effect, received, by.context, by),
    });
    return;
  }
  const invite = composeInvite(effect, by.context, by);
  if (invite !== undefined) by.execute({ type: 'invite', leg: legId(by, effect.leg), invite, known: by.stale });
}

function answerInviter(effect: EffectOf<'progress' | 'answer' | 'refuse' | 'forwardFailure'>, by: Performing): void {
  const leg = legId(by, 'a');
  switch (effect.type) {
    case 'progress': {
      const received = responseOf(by.dossier, provisionalKey(effect.leg, effect.fork, effect.rseq));
      if (received === undefined) return;
      const { fork, status, reliable } = effect;
      const { reason, headers, body } = composeProgress(received, by);
      return by.execute({ type: 'progress', leg, fork, status, reliable, reason, headers, body });
    }
    case 'answer': {
      const answer = composeAnswer(effect, by.context, by);
      if (answer === undefined) return by.execute({ type: 'refuse', leg, status: 500, headers: [] });
      const { headers, body } = answer;
      return by.execute({ type: 'answer', leg, fork: effect.fork, status: 200, known: by.stale, headers, body });
    }
    case 'refuse':
      return by.execute({
        type: 'refuse',
        leg,
        status: effect.status,
        ...composeRefusal(effect, by.context, by.identity),
      });
    case 'forwardFailure': {
      const received = responseOf(by.dossier, failedKey(effect.leg));
      return by.execute({ type: 'refuse', leg, ...composeFailure(effect.status, received) });
    }
  }
}

function acknowledge(effect: EffectOf<'acknowledge'>, by: Performing): void {
  const near = effect.withBodyOf === undefined ? undefined : requestOf(by.dossier, ackKey(effect.withBodyOf));
  const { headers, body } = composeAck(near, effect.leg, by.context, by);
  by.execute({ type: 'acknowledge', leg: legId(by, effect.leg), headers, body });
}

function cancel(effect: EffectOf<'cancel'>, by: Performing): void {
  if (by.context.mode === 'proxy') {
    // RFC 3326 2: a proxy copies the Reason of the CANCEL it received.
    by.execute({ type: 'cancelBranch', leg: legId(by, 'a'), branch: legId(by, effect.leg), headers: reasonHeader(by) });
  } else by.execute({ type: 'cancel', leg: legId(by, effect.leg), headers: reasonHeader(by) });
}

function byeHeaders(effect: EffectOf<'bye'>, by: Performing): HeaderField[] {
  return [...reasonHeader(by), ...uidHeader(effect.messageUid)];
}

/** RFC 3326: the reason the other side gave, or that of ours which a peer can't know. */
function reasonHeader(by: Performing): HeaderField[] {
  const given = by.dossier.reason ?? REASONS[by.context.ending?.reason ?? ''];
  return given === undefined ? [] : [headerField('Reason', given)];
}

const REASONS: Readonly<Record<string, string>> = {
  sessionTimer: 'SIP;cause=408;text="Session timer expired"',
  noAck: 'SIP;cause=408;text="ACK missing"',
  operator: 'SIP;cause=480;text="Ended by the operator"',
  shutdown: 'SIP;cause=503;text="Server shuts down"',
  mediaFailure: 'SIP;cause=500;text="Media failed"',
  ringingTimeout: 'SIP;cause=408;text="Rang too long"',
};

/** the header stands where a UID is known, and nowhere else. */
function uidHeader(uid: number | undefined): HeaderField[] {
  return uid === undefined ? [] : [headerField('Message-UID', String(uid))];
}

type ForwardEffect = EffectOf<'forwardResponse' | 'forwardAck' | 'forwardRequest' | 'forwardReply'>;

function forward(effect: ForwardEffect, by: Performing): void {
  const leg = legId(by, 'a');
  switch (effect.type) {
    case 'forwardResponse':
      return by.execute({
        type: 'forwardResponse',
        leg,
        branch: legId(by, effect.leg),
        stored: responseOf(by.dossier, answeredKey(effect.leg)),
      });
    case 'forwardAck':
      return by.execute({ type: 'forwardAck', leg });
    case 'forwardRequest':
      return by.execute({ type: 'forwardRequest', leg, exchange: effect.exchange });
    case 'forwardReply':
      return by.execute({ type: 'forwardReply', leg, exchange: effect.exchange });
  }
}

type InDialogEffect = EffectOf<
  'respond' | 'confirmUnchanged' | 'relayRequest' | 'relayResponse' | 'relayCancel' | 'refresh' | 'reoffer'
>;

function performInDialog(effect: InDialogEffect, by: Performing): void {
  switch (effect.type) {
    case 'respond':
      return respond(by, effect.leg, effect.exchange, effect.status, { headers: respondHeaders(effect, by) });
    case 'confirmUnchanged': {
      const request = requestOf(by.dossier, requestKey(effect.leg, effect.exchange));
      if (request === undefined) return;
      return respond(by, effect.leg, effect.exchange, 200, composeConfirmation(request, effect.leg, by.context, by));
    }
    case 'relayRequest': {
      const request = requestOf(by.dossier, requestKey(effect.from, effect.exchange));
      if (request === undefined) return;
      const payload = composeRelayedRequest(request, effect.to, by.context, by);
      const { as: exchange, fork } = effect;
      return by.execute({
        type: 'request',
        leg: legId(by, effect.to),
        exchange,
        fork,
        method: request.method,
        // Who asked gave up while the process was away.
        known: by.stale,
        ...payload,
      });
    }
    case 'relayResponse':
      return relayResponse(effect, by);
    case 'relayCancel':
      return by.execute({ type: 'cancelExchange', leg: legId(by, effect.leg), exchange: effect.exchange });
    case 'refresh': {
      const payload = composeRefresh(effect.leg, effect.method, by.context, by);
      const { exchange, method } = effect;
      return by.execute({ type: 'request', leg: legId(by, effect.leg), exchange, method, ...payload });
    }
    case 'reoffer': {
      const body = reducedOffer(effect.leg, effect.without, by);
      if (body === undefined) return;
      const payload = composeReoffer(effect.leg, body, by.context, by);
      return by.execute({
        type: 'request',
        leg: legId(by, effect.leg),
        exchange: effect.exchange,
        method: 'INVITE',
        ...payload,
      });
    }
  }
}

function respondHeaders(effect: EffectOf<'respond'>, by: Performing): HeaderField[] {
  return effect.status === 200 ? [headerField('Allow', by.identity.methods.join(', '))] : [];
}

function relayResponse(effect: EffectOf<'relayResponse'>, by: Performing): void {
  const received = responseOf(by.dossier, responseKey(effect.from, effect.exchange));
  // Nobody answered: the one who asked hears that (RFC 3261 16.7 step 6).
  if (received === undefined) return respond(by, effect.to, effect.as, 408, { headers: [] });
  const payload = composeRelayedResponse(received, effect.to, by.context, by);
  by.execute({
    type: 'respond',
    leg: legId(by, effect.to),
    exchange: effect.as,
    status: received.status,
    reason: received.reason,
    ...payload,
  });
}

/** Messages an effect was the last to need. */
export function forgetUsed(effect: Effect, dossier: Dossier): void {
  const { messages } = dossier;
  switch (effect.type) {
    case 'progress':
      messages.delete(provisionalKey(effect.leg, effect.fork, effect.rseq));
      return;
    case 'acknowledge':
      if (effect.withBodyOf !== undefined) messages.delete(ackKey(effect.withBodyOf));
      return;
    case 'relayRequest': {
      const key = requestKey(effect.from, effect.exchange);
      // The answer to a re-INVITE goes back by its Via, after a restart too: behind a 100 no copy of it comes.
      if (requestOf(dossier, key)?.method !== 'INVITE') messages.delete(key);
      return;
    }
    case 'relayResponse': {
      const request = requestKey(effect.to, effect.as);
      const response = responseKey(effect.from, effect.exchange);
      // An accepted one is said until its ACK.
      const status = responseOf(dossier, response)?.status ?? 408;
      if (status < 300 && messages.has(request)) return;
      messages.delete(request);
      messages.delete(response);
      return;
    }
    case 'forwardFailure':
      messages.delete(failedKey(effect.leg));
      return;
    case 'forwardResponse':
      messages.delete(answeredKey(effect.leg));
      messages.delete(failedKey(effect.leg));
      messages.delete(provisionalKey(effect.leg, 0));
      return;
    case 'forwardAck':
      messages.delete(ackKey(effect.leg));
      return;
    case 'forwardRequest':
    case 'confirmUnchanged':
    case 'respond':
      messages.delete(requestKey(effect.leg, effect.exchange));
      return;
    case 'forwardReply':
      messages.delete(responseKey(effect.leg, effect.exchange));
      return;
  }
}

/** What an established session no longer needs. `said`: our answer, which is said until its ACK, and what that takes. */
export function thin(dossier: Dossier, said: EffectOf<'answer'> | null): void {
  dossier.answer = said;
  dossier.invites = {};
  if (said === null) dossier.invite = null;
  const counts: readonly string[] = said?.from.map(answeredKey) ?? [];
  for (const key of dossier.messages.keys()) {
    if (/^(provisional|failed|answered) /.test(key) && !counts.includes(key)) dossier.messages.delete(key);
  }
}
