/** Store and forward: messages for users who are not there (RFC 3428 7). */
import { describe, expect, it } from '@jest/globals';
import type { DeferredPolicy } from '../../machines/session/policy.ts';
import { DEFAULT_POLICY, DEFAULT_PROFILE } from '../../src/policy/defaults.ts';
import type { World } from '../../src/testing/index.ts';
import { CLIENT, deferring, incoming, MSG, register, respond, send, textOf, waitingAt } from '../support/message.ts';
import { ISF, leftovers } from '../support/session.ts';

/** Policy with other bounds. */
function deferred(bounds: Partial<DeferredPolicy>) {
  const { messages } = DEFAULT_POLICY;
  return { messages: { ...messages, deferred: { ...messages.deferred, ...bounds } } };
}

/** Takes everything that is delivered, in the order in which it comes, and says what it was. */
function takeAll(world: World, status = 200): string[] {
  const texts: string[] = [];
  while (waitingAt(world.core) > 0) {
    const arrived = incoming(world.core);
    texts.push(textOf(arrived).split('\r\n').at(-1) ?? '');
    respond(world.core, arrived, status);
    world.settle();
  }
  return texts;
}

const outcomes = (world: World) => world.pf.engine.messages.counters.byOutcome;

describe('a message for a user without a client', () => {
  it('is kept with a 202, delivered when a client registers, and gone then', () => {
    const world = deferring();
    const sent = send(world, 'term');
    world.settle();
    expect(sent.answers).toEqual([202]);
    expect(waitingAt(world.core)).toBe(0);
    expect(world.held).toContainEqual(expect.stringContaining('stored session message:'));
    world.advance(3_600_000);
    expect(waitingAt(world.core)).toBe(0);
    register(world);
    const arrived = incoming(world.core);
    expect(arrived.uri).toBe('sip:bob@home.example');
    expect(arrived.header('from')).toMatch(/^<sip:alice@away\.example>;tag=/);
    expect(arrived.header('from')).not.toBe(sent.request.header('from'));
    expect(arrived.header('to')).toBe('<sip:bob@home.example>');
    expect(arrived.callId).not.toBe(sent.request.callId);
    expect(arrived.header('p-asserted-identity')).toBe('<sip:alice@away.example>');
    expect(arrived.header('p-asserted-service')).toBe(MSG);
    expect(arrived.header('contribution-id')).toBe(sent.request.header('contribution-id'));
    expect(arrived.header('user-agent')).toMatch(/^CPM-serv\S+ .*CPM-client\/OMA2\.0/);
    expect(arrived.has('p-served-user')).toBe(false);
    expect(arrived.has('contact')).toBe(false);
    expect(textOf(arrived)).toBe(textOf(sent.request));
    respond(world.core, arrived, 200);
    world.settle();
    expect(outcomes(world)).toEqual({ delivered: 1 });
    expect(sent.answers).toEqual([202]);
    expect(leftovers(world)).toEqual([]);
  });

  it('is found by any address the user registers under', () => {
    const world = deferring({ profile: { user: 'sip:bob@home.example' } });
    send(world, 'term', { uri: 'tel:+15550101', headers: [['P-Served-User', '<tel:+15550101>;sescase=term']] });
    world.settle();
    register(world, 'sip:carol@home.example');
    expect(waitingAt(world.core)).toBe(0);
    register(world, 'sip:bob@home.example;user=phone');
    world.pf.engine.messages.registered(['tel:+15550101', 'sip:bob@home.example']);
    world.settle();
    expect(waitingAt(world.core)).toBe(1);
  });

  it('is not delivered to a client that takes no messages', () => {
    const world = deferring();
    send(world, 'term');
    world.settle();
    world.pf.profile = { clients: [{ ...CLIENT, services: ['session'] }] };
    world.pf.engine.messages.registered(['sip:bob@home.example']);
    world.settle();
    expect(waitingAt(world.core)).toBe(0);
    register(world);
    expect(waitingAt(world.core)).toBe(1);
  });

  it('several are delivered in order, one after the other; one that comes meanwhile is the last', () => {
    const world = deferring();
    for (const text of ['one', 'two', 'three']) send(world, 'term', { id: text, text });
    world.settle();
    register(world);
    expect(waitingAt(world.core)).toBe(1);
    const late = send(world, 'term', { id: 'four', text: 'four' });
    world.settle();
    expect(late.answers).toEqual([202]);
    expect(takeAll(world)).toEqual(['one', 'two', 'three', 'four']);
    const next = send(world, 'term', { id: 'five', text: 'five' });
    world.settle();
    expect(next.answers).toEqual([]);
    expect(takeAll(world)).toEqual(['five']);
    expect(next.answers).toEqual([200]);
    expect(outcomes(world)).toEqual({ delivered: 4, passed: 1 });
    expect(leftovers(world)).toEqual([]);
  });

  it('the same message sent again is accepted again, and kept once', () => {
    const world = deferring();
    const first = send(world, 'term');
    world.settle();
    const again = send(world, 'term');
    world.settle();
    first.repeat();
    world.settle();
    expect([first.answers, again.answers]).toEqual([[202, 202], [202]]);
    register(world);
    expect(takeAll(world)).toHaveLength(1);
    expect(outcomes(world)).toEqual({ delivered: 1, duplicate: 1 });
    expect(leftovers(world)).toEqual([]);
  });

  it('a client that registers while the message is being stored is not missed', () => {
    const world = deferring();
    world.pf.store.delayMs = 100;
    const sent = send(world, 'term');
    world.advance(50);
    expect(sent.answers).toEqual([]);
    // Nobody tells of it once more: the message is not durable yet, and its sender has had no answer.
    world.pf.profile = { clients: [CLIENT] };
    world.advance(300);
    expect(sent.answers).toEqual([202]);
    expect(takeAll(world)).toHaveLength(1);
  });

  it.each([
    ['interwork', { isf: [ISF] }, {}, 'isf'],
    ['defer, and the user wants interworking', { isf: [ISF] }, { interworking: true }, 'isf'],
  ] as const)('is not kept with noClient %s', (name, options, profile, where) => {
    const noClient = name.startsWith('defer') ? 'defer' : 'interwork';
    const world = deferring({ ...options, policy: { noClient }, profile });
    send(world, 'term');
    world.settle();
    expect(waitingAt(world[where])).toBe(1);
    expect(world.pf.engine.messages.queues.size).toBe(0);
  });

  it('a session is refused as before', () => {
    const world = deferring();
    const call = world.peer('entity').invite({
      headers: [['P-Served-User', '<sip:bob@home.example>;sescase=term;regstate=unreg']],
    });
    world.settle();
    call.response(100);
    expect(call.response(480).status).toBe(480);
  });
});

describe('clients that are registered and do not take it', () => {
  const present = { profile: { clients: [CLIENT] } } as const;

  it('a status of policy.deferred.on keeps it; it is tried again after a pause, twice as long each time', () => {
    const world = deferring(present);
    const sent = send(world, 'term');
    world.settle();
    respond(world.core, incoming(world.core), 480);
    world.settle();
    expect(sent.answers).toEqual([202]);
    const pauses: number[] = [];
    for (let tries = 0; tries < 3; tries++) {
      const before = world.clock.elapsed;
      while (waitingAt(world.core) === 0) world.advance(1000);
      pauses.push(Math.round((world.clock.elapsed - before) / 60_000));
      const arrived = incoming(world.core);
      expect(arrived.cseq?.number).toBe(tries + 1);
      respond(world.core, arrived, 480);
      world.settle();
    }
    expect(pauses).toEqual([1, 1, 2]);
    register(world);
    expect(takeAll(world)).toHaveLength(1);
    expect(leftovers(world)).toEqual([]);
  });

  it('silence keeps it after answerMs, while the sender still waits; a late answer of the client counts', () => {
    const world = deferring(present);
    const sent = send(world, 'term');
    world.advance(7900);
    const arrived = incoming(world.core);
    expect(sent.answers).toEqual([]);
    world.advance(200);
    expect(sent.answers).toEqual([202]);
    respond(world.core, arrived, 200);
    world.settle();
    expect(outcomes(world)).toEqual({ delivered: 1 });
    expect(sent.answers).toEqual([202]);
    expect(leftovers(world)).toEqual([]);
  });

  it('silence for good: it waits like any other', () => {
    const world = deferring(present);
    const sent = send(world, 'term');
    world.advance(33_000);
    world.core.inbox.length = 0;
    expect(sent.answers).toEqual([202]);
    register(world);
    expect(takeAll(world)).toHaveLength(1);
  });

  it.each([486, 603, 415])('%d is the answer of the user, and reaches the sender', (status) => {
    const world = deferring(present);
    const sent = send(world, 'term');
    world.settle();
    respond(world.core, incoming(world.core), status);
    world.settle();
    expect(sent.answers).toEqual([status]);
    expect(leftovers(world)).toEqual([]);
  });

  it('a kept message that a client refuses for good makes way for the next', () => {
    const world = deferring();
    send(world, 'term', { id: 'one', text: 'one', asks: null });
    send(world, 'term', { id: 'two', text: 'two', asks: null });
    world.settle();
    register(world);
    respond(world.core, incoming(world.core), 415);
    world.settle();
    expect(takeAll(world)).toEqual(['two']);
    expect(outcomes(world)).toEqual({ rejected: 1, delivered: 1 });
    expect(leftovers(world)).toEqual([]);
  });

  it('the first holds the others while it is tried again, so that they arrive in order', () => {
    const world = deferring();
    for (const text of ['one', 'two']) send(world, 'term', { id: text, text });
    world.settle();
    register(world);
    respond(world.core, incoming(world.core), 503);
    world.settle();
    expect(waitingAt(world.core)).toBe(0);
    register(world);
    expect(takeAll(world)).toEqual(['one', 'two']);
  });
});

describe('a delivery that passes here once more on its way from the core', () => {
  it('goes on untouched: it is neither judged nor kept nor recorded a second time', () => {
    const world = deferring({ profile: { allowOfflineStorage: true } });
    send(world, 'term');
    world.settle();
    register(world);
    const delivery = incoming(world.core);
    const back = delivery.copy();
    back.headers.unshift(...delivery.lines('route'));
    back.remove('route');
    back.set('Max-Forwards', '68');
    back.prepend('Route', `<sip:${world.pf.address};lr>, <sip:session-5@10.0.0.20:5060;lr>`);
    world.core.send(back, { to: world.pf.address });
    world.settle();
    const again = incoming(world.core);
    expect(again.callId).toBe(delivery.callId);
    expect(again.list('route')).toEqual(['<sip:session-5@10.0.0.20:5060;lr>']);
    respond(world.core, again, 200);
    world.settle();
    respond(world.core, delivery, 200);
    world.settle();
    expect(world.pf.outbox.done).toBe(1);
    expect(outcomes(world)).toEqual({ passed: 1, delivered: 1 });
    expect(leftovers(world)).toEqual([]);
  });
});

describe('bounds', () => {
  it('what nobody vouches for takes no room', () => {
    const world = deferring();
    const sent = send(world, 'term', { headers: [['P-Asserted-Identity', null]] });
    world.settle();
    expect(sent.answers).toEqual([480]);
  });

  it('of one user and of all: beyond, a message is refused, and there is room again once some are gone', () => {
    const world = deferring({ policy: deferred({ perUser: 2, total: 3 }) });
    const to = (user: string, id: string) =>
      send(world, 'term', {
        id,
        uri: `sip:${user}@home.example`,
        headers: [['P-Served-User', `<sip:${user}@home.example>;sescase=term`]],
      });
    const bobs = ['1', '2', '3'].map((id) => to('bob', id));
    world.settle();
    expect(bobs.map(({ answers }) => answers)).toEqual([[202], [202], [480]]);
    const dora = ['4', '5'].map((id) => to('dora', id));
    world.settle();
    expect(dora.map(({ answers }) => answers)).toEqual([[202], [480]]);
    register(world);
    expect(takeAll(world)).toHaveLength(2);
    world.pf.profile = { clients: [] };
    const again = to('bob', '6');
    world.settle();
    expect(again.answers).toEqual([202]);
    expect(world.pf.engine.messages.queues.size).toBe(2);
  });

  it('so many are delivered at a time; the others have their turn when one is done', () => {
    const world = deferring({ policy: deferred({ atOnce: 2 }) });
    for (const user of ['a', 'b', 'c', 'd']) {
      send(world, 'term', {
        id: user,
        text: user,
        uri: `sip:${user}@home.example`,
        headers: [['P-Served-User', `<sip:${user}@home.example>;sescase=term`]],
      });
    }
    world.settle();
    world.pf.profile = { clients: [CLIENT] };
    world.pf.engine.messages.registered(['a', 'b', 'c', 'd'].map((user) => `sip:${user}@home.example`));
    world.settle();
    expect(waitingAt(world.core)).toBe(2);
    expect(takeAll(world).sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(leftovers(world)).toEqual([]);
  });
});

describe('those who wait for a place', () => {
  it('one that expires meanwhile does not keep the place from the next', () => {
    const world = deferring({ policy: deferred({ atOnce: 1 }) });
    for (const user of ['a', 'b', 'c']) {
      send(world, 'term', {
        id: user,
        text: user,
        asks: null,
        uri: `sip:${user}@home.example`,
        headers: [
          ['P-Served-User', `<sip:${user}@home.example>;sescase=term`],
          ...(user === 'b' ? ([['Expires', '5']] as const) : []),
        ],
      });
    }
    world.settle();
    world.pf.profile = { clients: [CLIENT] };
    world.pf.engine.messages.registered(['a', 'b', 'c'].map((user) => `sip:${user}@home.example`));
    world.advance(6000);
    const first = incoming(world.core);
    world.core.inbox.length = 0;
    respond(world.core, first, 200);
    world.settle();
    expect(takeAll(world)).toEqual(['c']);
    expect(outcomes(world)).toEqual({ expired: 1, delivered: 2 });
  });

  it('look-ups that take their time do not lead to more deliveries than there are places', () => {
    const world = deferring({ policy: deferred({ atOnce: 1 }) });
    for (const user of ['a', 'b']) {
      send(world, 'term', {
        id: user,
        text: user,
        uri: `sip:${user}@home.example`,
        headers: [['P-Served-User', `<sip:${user}@home.example>;sescase=term`]],
      });
    }
    world.settle();
    const slow: (() => void)[] = [];
    world.pf.profile = (_query, done) => slow.push(() => done({ ...DEFAULT_PROFILE, clients: [CLIENT] }));
    world.pf.engine.messages.registered(['sip:a@home.example', 'sip:b@home.example']);
    for (const answer of slow.splice(0)) answer();
    world.settle();
    expect(waitingAt(world.core)).toBe(1);
    respond(world.core, incoming(world.core), 200);
    world.settle();
    for (const answer of slow.splice(0)) answer();
    world.settle();
    expect(takeAll(world)).toEqual(['b']);
  });
});

describe('expiry', () => {
  it('after the lifetime of the policy it is gone, and never delivered', () => {
    const world = deferring({ policy: deferred({ lifetimeMs: 60_000 }) });
    send(world, 'term', { asks: null });
    world.advance(59_000);
    expect(world.pf.engine.messages.queues.size).toBe(1);
    world.advance(2000);
    expect(world.pf.engine.messages.queues.size).toBe(0);
    expect(outcomes(world)).toEqual({ expired: 1 });
    register(world);
    expect(waitingAt(world.core)).toBe(0);
    expect(leftovers(world)).toEqual([]);
  });

  it('the sender’s own Expires counts where it is shorter, and what is left of it goes along', () => {
    const world = deferring();
    send(world, 'term', { id: 'short', text: 'short', asks: null, headers: [['Expires', '10']] });
    send(world, 'term', { id: 'long', text: 'long', headers: [['Expires', '100']] });
    world.advance(30_000);
    register(world);
    const arrived = incoming(world.core);
    expect(textOf(arrived)).toMatch(/long$/);
    expect(Number(arrived.header('expires'))).toBe(70);
  });

  it('one that is worth nothing later is not kept', () => {
    const world = deferring();
    const sent = send(world, 'term', { headers: [['Expires', '0']] });
    world.settle();
    expect(sent.answers).toEqual([480]);
  });

  it('an attempt that is under way is waited for, and is the last', () => {
    for (const [status, outcome] of [
      [200, 'delivered'],
      [480, 'expired'],
    ] as const) {
      const world = deferring({ policy: deferred({ lifetimeMs: 60_000 }) });
      send(world, 'term', { asks: null });
      world.advance(59_000);
      register(world);
      world.advance(5000);
      const arrived = incoming(world.core);
      respond(world.core, arrived, status);
      world.settle();
      expect(outcomes(world)).toEqual({ [outcome]: 1 });
      expect(leftovers(world)).toEqual([]);
    }
  });
});

describe('an operator', () => {
  it('removes one that is kept; the next has its turn', () => {
    const world = deferring();
    for (const text of ['one', 'two']) send(world, 'term', { id: text, text, asks: null });
    world.settle();
    const { messages } = world.pf.engine;
    const [first] = messages.queues.all();
    expect(messages.drop(first?.id ?? '')).toBe(true);
    expect(messages.drop(first?.id ?? '')).toBe(false);
    expect(messages.drop('nothing')).toBe(false);
    world.settle();
    register(world);
    expect(takeAll(world)).toEqual(['two']);
    expect(outcomes(world)).toEqual({ dropped: 1, delivered: 1 });
    expect(leftovers(world)).toEqual([]);
  });
});
