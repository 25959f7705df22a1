/** Pager-mode messages on their way while their senders wait: judged, forwarded, interworked, recorded. */
import { describe, expect, it } from '@jest/globals';
import { World } from '../../src/testing/index.ts';
import { objects } from '../support/history.ts';
import {
  cpim,
  deferring,
  incoming,
  MSG,
  messageRequest,
  respond,
  Sent,
  send,
  textOf,
  waitingAt,
} from '../support/message.ts';
import { FOLDER, ISF, leftovers, STORING, TERM_FOLDER } from '../support/session.ts';

const ROLES = ['orig', 'term'] as const;

describe('a message for somebody who is there', () => {
  it.each(ROLES)('%s: goes on as it came, and the answer comes back as it came', (role) => {
    const world = new World();
    const sent = send(world, role, { headers: [['Subject', 'boats']] });
    world.settle();
    const arrived = incoming(world.core);
    expect(arrived.uri).toBe('sip:bob@home.example');
    expect(arrived.callId).toBe(sent.request.callId);
    expect(arrived.header('from')).toBe(sent.request.header('from'));
    expect(arrived.header('cseq')).toBe('1 MESSAGE');
    expect(arrived.header('max-forwards')).toBe('69');
    expect(arrived.header('subject')).toBe('boats');
    expect(arrived.header('p-asserted-service')).toBe(MSG);
    expect(arrived.has('p-served-user')).toBe(false);
    expect(arrived.has('record-route')).toBe(false);
    expect(textOf(arrived)).toBe(textOf(sent.request));
    respond(world.core, arrived, 200, [['X-From-Afar', 'yes']]);
    world.settle();
    expect(sent.answers).toEqual([200]);
    expect(sent.responses[0]?.header('x-from-afar')).toBe('yes');
    expect(sent.responses[0]?.list('via')).toHaveLength(1);
    expect(world.pf.engine.messages.counters.byOutcome).toEqual({ passed: 1 });
    expect(leftovers(world)).toEqual([]);
  });

  it.each([202, 404, 486, 603])('%d of the far side reaches the sender', (status) => {
    const world = new World();
    const sent = send(world, 'term');
    world.settle();
    respond(world.core, incoming(world.core), status);
    world.settle();
    expect(sent.answers).toEqual([status]);
    expect(leftovers(world)).toEqual([]);
  });
});
