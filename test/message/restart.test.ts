/** Killed at any instant and started again: a message arrives, once, and its sender is told once what became of it. */
import { describe, expect, it } from '@jest/globals';
import { parseCpimHead } from '../../src/cpim/cpim.ts';
import type { SipRequest } from '../../src/sip/message/message.ts';
import { World } from '../../src/testing/index.ts';
import { objects } from '../support/history.ts';
import {
  CLIENT,
  deferring,
  incoming,
  register,
  respond,
  restart,
  type Sent,
  send,
  textOf,
  waitingAt,
} from '../support/message.ts';
import { ISF, leftovers, STORING, TERM_FOLDER } from '../support/session.ts';

/** The core as a user agent server: one answer for each transaction, and the same for each copy. */
function answering(world: World, status: number): () => SipRequest[] {
  const transactions = new Map<string, SipRequest>();
  world.core.onMessage = (message) => {
    if (message.kind !== 'request' || message.method !== 'MESSAGE') return false;
    transactions.set(message.branch ?? '', message);
    respond(world.core, message, status);
    return true;
  };
  return () => [...transactions.values()];
}

/** Crashes at the n-th commit, at the instant at which it is on the disk and nobody has heard of it. */
function crashAtCommit(world: World, number: number): { readonly happened: boolean } {
  let commits = 0;
  let happened = false;
  world.pf.store.written = () => {
    if (++commits !== number) return;
    happened = true;
    world.pf.crash();
  };
  return {
    get happened() {
      return happened;
    },
  };
}

/** UDP: whoever has had no answer says it again. */
function repeatUntilAnswered(world: World, sent: Sent): void {
  for (let copies = 0; copies < 10 && sent.answers.length === 0; copies++) {
    sent.repeat();
    world.advance(500);
  }
}

describe('while the sender waits', () => {
  it.each([1, 2])('killed at commit %d: it arrives as one transaction, is answered, and is recorded once', (number) => {
    const world = new World({ profile: STORING });
    const arrived = answering(world, 200);
    const crash = crashAtCommit(world, number);
    const sent = send(world, 'term');
    world.settle();
    expect(crash.happened).toBe(true);
    restart(world);
    repeatUntilAnswered(world, sent);
    expect(new Set(sent.answers)).toEqual(new Set([200]));
    expect(arrived()).toHaveLength(1);
    world.settle();
    expect(objects(world, TERM_FOLDER)).toHaveLength(1);
    expect(leftovers(world)).toEqual([]);
  });

  it('killed while the client thinks: its answer reaches the sender through the new process', () => {
    const world = new World({ profile: STORING });
    const sent = send(world, 'term');
    world.settle();
    const first = incoming(world.core);
    restart(world);
    const copy = incoming(world.core);
    expect(copy.branch).toBe(first.branch);
    respond(world.core, copy, 200);
    world.settle();
    expect(sent.answers).toEqual([200]);
    sent.repeat();
    world.settle();
    expect(sent.answers).toEqual([200, 200]);
    expect(objects(world, TERM_FOLDER)).toHaveLength(1);
    expect(leftovers(world)).toEqual([]);
  });

  it('killed at the ISF: the same', () => {
    const world = new World({ isf: [ISF] });
    const sent = send(world, 'orig', { uri: 'mailto:carol@mail.example' });
    world.settle();
    const first = incoming(world.isf);
    restart(world);
    const copy = incoming(world.isf);
    expect(copy.branch).toBe(first.branch);
    respond(world.isf, copy, 202);
    world.settle();
    expect(sent.answers).toEqual([202]);
    expect(leftovers(world)).toEqual([]);
  });

  it('down for longer than a sender waits: nothing more is sent on its behalf', () => {
    const world = new World();
    send(world, 'term');
    world.settle();
    incoming(world.core);
    restart(world, 60_000);
    expect(waitingAt(world.core)).toBe(0);
    expect(world.pf.engine.messages.counters.byOutcome).toEqual({ abandoned: 1 });
    expect(leftovers(world)).toEqual([]);
  });
});

describe('kept', () => {
  it.each([1, 2, 3])('killed at commit %d: accepted, delivered as one transaction, recorded once', (number) => {
    const world = deferring({ profile: STORING });
    const arrived = answering(world, 200);
    const crash = crashAtCommit(world, number);
    const sent = send(world, 'term');
    world.settle();
    if (world.pf.up) register(world);
    expect(crash.happened).toBe(true);
    world.pf.profile = { ...STORING, clients: [CLIENT] };
    restart(world);
    repeatUntilAnswered(world, sent);
    world.advance(1000);
    expect(new Set(sent.answers)).toEqual(new Set([202]));
    expect(arrived()).toHaveLength(1);
    expect(objects(world, TERM_FOLDER)).toHaveLength(1);
    expect(leftovers(world)).toEqual([]);
  });

  it('killed between the 202 and the delivery: what was promised is delivered, in order, after any time', () => {
    for (const downMs of [10, 5000, 200_000]) {
      const world = deferring();
      const sent = ['one', 'two', 'three'].map((text) => send(world, 'term', { id: text, text }));
      world.settle();
      expect(sent.map(({ answers }) => answers)).toEqual([[202], [202], [202]]);
      restart(world, downMs);
      expect(world.pf.engine.messages.queues.size).toBe(3);
      const arrived = answering(world, 200);
      register(world);
      world.advance(1000);
      expect(arrived().map((message) => parseCpimHead(textOf(message))?.imdnMessageId)).toEqual([
        'one',
        'two',
        'three',
      ]);
      expect(world.pf.engine.messages.counters.byOutcome).toEqual({ delivered: 3 });
      expect(leftovers(world)).toEqual([]);
    }
  });

  it('a client that registered while the function was down is found at once', () => {
    const world = deferring();
    send(world, 'term');
    world.settle();
    world.pf.crash();
    world.pf.profile = { clients: [CLIENT] };
    world.advance(10_000);
    world.pf.start();
    world.settle();
    expect(waitingAt(world.core)).toBe(1);
  });

  it('killed while it is delivered: the client sees a copy of the same request', () => {
    for (const downMs of [10, 60_000]) {
      const world = deferring();
      send(world, 'term');
      world.settle();
      register(world);
      const first = incoming(world.core);
      restart(world, downMs);
      const copy = incoming(world.core);
      expect([copy.branch, copy.callId, copy.header('cseq')]).toEqual([
        first.branch,
        first.callId,
        first.header('cseq'),
      ]);
      respond(world.core, copy, 200);
      world.settle();
      expect(world.pf.engine.messages.counters.byOutcome).toEqual({ delivered: 1 });
      expect(leftovers(world)).toEqual([]);
    }
  });

  it('what expired while the function was down is given up when it is back, and its sender told once', () => {
    const world = deferring();
    send(world, 'term', { headers: [['Expires', '30']] });
    world.settle();
    restart(world, 60_000);
    const told = incoming(world.core);
    expect(told.callId).toMatch(/\.n$/);
    restart(world);
    const copy = incoming(world.core);
    expect(copy.branch).toBe(told.branch);
    respond(world.core, copy, 200);
    world.settle();
    expect(world.pf.engine.messages.counters.byOutcome).toEqual({ expired: 1 });
    expect(leftovers(world)).toEqual([]);
  });

  it('killed while silent clients are still waited for: they get a copy, and their answer counts', () => {
    const world = deferring({ profile: { clients: [CLIENT] } });
    const sent = send(world, 'term');
    world.settle();
    const first = incoming(world.core);
    world.advance(9000);
    expect(sent.answers).toEqual([202]);
    world.core.inbox.length = 0;
    restart(world);
    const copy = incoming(world.core);
    expect(copy.branch).toBe(first.branch);
    respond(world.core, copy, 200);
    world.settle();
    expect(world.pf.engine.messages.counters).toEqual({ deferred: 0, notified: 0, byOutcome: { delivered: 1 } });
    expect(leftovers(world)).toEqual([]);
  });

  it('does not wait out a pause for a client that is there when it is back', () => {
    const world = deferring({ profile: { clients: [CLIENT] } });
    send(world, 'term');
    world.settle();
    respond(world.core, incoming(world.core), 480);
    world.settle();
    restart(world);
    expect(waitingAt(world.core)).toBe(1);
  });

  it('keeps the policy and the pauses it had', () => {
    const world = deferring({ profile: { clients: [CLIENT] } });
    send(world, 'term');
    world.settle();
    respond(world.core, incoming(world.core), 480);
    world.settle();
    world.pf.policy = { ...world.pf.policy, noClient: 'reject' };
    world.pf.profile = { clients: [] };
    restart(world);
    expect(waitingAt(world.core)).toBe(0);
    world.pf.profile = { clients: [CLIENT] };
    world.advance(61_000);
    expect(waitingAt(world.core)).toBeGreaterThan(0);
  });

  it('a record nobody can read is left aside, and the others are taken up', () => {
    const world = deferring();
    send(world, 'term');
    world.settle();
    world.pf.disk.sessions.set('message:broken', { origin: 'x', state: 'y' });
    restart(world);
    expect(world.pf.engine.messages.queues.size).toBe(1);
  });

  it('a store that fails is no reason to lose what this process can still do', () => {
    const world = deferring();
    world.pf.store.failure = 'disk full';
    const sent = send(world, 'term');
    world.settle();
    expect(sent.answers).toEqual([202]);
    world.pf.store.failure = null;
    register(world);
    respond(world.core, incoming(world.core), 200);
    world.settle();
    expect(leftovers(world)).toEqual([]);
  });
});
