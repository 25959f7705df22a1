/** Live inspection in the virtual world: what a viewer is told, and that none can cost the engine more than its share. */
import { describe, expect, it } from '@jest/globals';
import { Inspector } from '../../src/inspect/inspector.ts';
import { allowed, CONTEXT } from '../../src/inspect/redaction.ts';
import type { Choice, Sink } from '../../src/inspect/viewer.ts';
import { maskNumbers } from '../../src/server/log.ts';
import { World } from '../../src/testing/index.ts';
import { establish, invite } from '../support/session.ts';

interface Frame {
  readonly type: string;
  readonly sessionId: string;
  readonly event?: { readonly type: string };
  readonly snapshot: { readonly status: string; readonly value: unknown };
}

/** A connection that takes frames off only when it is told to. */
class SlowSink implements Sink {
  waiting = 0;
  /** The most that ever waited. */
  most = 0;
  readonly frames: Frame[] = [];
  readonly #queue: { readonly frame: string; readonly sent: () => void }[] = [];

  send(frame: string, sent: () => void): void {
    this.waiting += frame.length;
    this.most = Math.max(this.most, this.waiting);
    this.#queue.push({ frame, sent });
  }

  read(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.waiting -= next.frame.length;
      this.frames.push(JSON.parse(next.frame));
      next.sent();
    }
  }

  /** Where each session is, by the last that was told of it. */
  get states(): Record<string, unknown> {
    const told = this.frames.filter(({ snapshot }) => snapshot !== undefined);
    return Object.fromEntries(told.map(({ sessionId, snapshot }) => [sessionId, snapshot.value]));
  }
}

const ALL: Choice = { sessions: [], sample: 1, limit: 1000 };
const MEGABYTE = 1_048_576;

function inspected(): { world: World; inspector: Inspector } {
  const inspector = new Inspector(maskNumbers);
  const world = new World({
    policy: { mediaPath: 'always' },
    profile: { allowOfflineStorage: true },
    observe: (session, event) => inspector.observe(session, event),
    ended: (session) => inspector.ended(session),
  });
  return { world, inspector };
}

function values(world: World): Record<string, unknown> {
  const sessions = [...world.pf.engine.sessions.values()];
  return Object.fromEntries(sessions.map(({ id, actor }) => [id, actor.getSnapshot().value]));
}

describe('a viewer', () => {
  it('that comes late is told of each session once, then of every event with the state it led to', () => {
    const { world, inspector } = inspected();
    const { near, far } = establish(world, 'orig');
    const sink = new SlowSink();
    inspector.attach(sink, ALL, world.pf.engine.sessions.values());
    near.bye();
    world.settle();
    far.respond(200, { to: far.expect('BYE') });
    world.settle();
    sink.read();
    expect(sink.frames.map(({ type, event }) => `${type} ${event?.type ?? ''}`.trim())).toEqual([
      '@xstate.actor',
      ...['bye', 'historySealed', 'response', 'xstate.stop'].flatMap((event) => [
        `@xstate.event ${event}`,
        `@xstate.snapshot ${event}`,
      ]),
    ]);
    expect(sink.frames.at(-1)?.snapshot.status).toBe('stopped');
  });

  it('that stopped is told no more', () => {
    const { world, inspector } = inspected();
    const sink = new SlowSink();
    inspector.attach(sink, ALL, []).stop();
    establish(world, 'orig');
    sink.read();
    expect(sink.frames).toEqual([]);
    expect(inspector.viewers).toBe(0);
  });

  it('that reads nothing lets a bounded number of bytes wait, and reading again learns where every session is', () => {
    const { world, inspector } = inspected();
    const sink = new SlowSink();
    const { viewer } = inspector.attach(sink, ALL, []);
    const { near } = establish(world, 'orig');
    for (let number = 0; number < 1000; number++) {
      near.request('OPTIONS');
      world.settle();
    }
    const others = Array.from({ length: 50 }, () => establish(world, 'orig'));
    expect(sink.most).toBeLessThan(MEGABYTE + 20_000);
    expect(viewer.dropped).toBeGreaterThan(500);
    expect(inspector.dropped).toBe(viewer.dropped);
    sink.read();
    expect(sink.states).toEqual(values(world));
    // It is up to date: from here on nothing is dropped.
    const { dropped } = viewer;
    others[0]?.near.bye();
    world.settle();
    sink.read();
    expect(viewer.dropped).toBe(dropped);
    expect(sink.states).toEqual(values(world));
  });

  it('that was behind when a session ended is told that it has', () => {
    const { world, inspector } = inspected();
    const sink = new SlowSink();
    inspector.attach(sink, ALL, []);
    const { near, far } = establish(world, 'orig');
    sink.waiting += 2 * MEGABYTE;
    near.bye();
    world.settle();
    far.respond(200, { to: far.expect('BYE') });
    world.settle();
    expect(world.pf.engine.sessions.size).toBe(0);
    sink.waiting -= 2 * MEGABYTE;
    sink.read();
    expect(sink.frames.at(-1)?.snapshot).toMatchObject({ status: 'stopped', value: { call: 'closed' } });
  });
});

describe('with 10 000 sessions', () => {
  it('a viewer gets those it asked for, an even share by sample, or as many as its limit; the others cost it nothing', () => {
    const { world, inspector } = inspected();
    for (let number = 0; number < 10_000; number++) {
      invite(world, 'orig', { from: `<sip:user${number}@home.example>` });
      if (number % 500 === 0) world.settle();
    }
    world.settle();
    const { sessions } = world.pf.engine;
    expect(sessions.size).toBe(10_000);
    const watch = (choice: Partial<Choice>): SlowSink => {
      const sink = new SlowSink();
      inspector.attach(sink, { ...ALL, ...choice }, sessions.values());
      sink.read();
      return sink;
    };
    const [one = ''] = [...sessions.keys()].slice(7777);
    const byId = watch({ sessions: [one] });
    expect(byId.frames.map(({ sessionId }) => sessionId)).toEqual([one]);
    expect(watch({ user: 'user9999@' }).frames).toHaveLength(1);
    expect(watch({ state: 'inviting.ringing' }).frames).toHaveLength(1000);
    expect(watch({ limit: 25 }).frames).toHaveLength(25);
    const sampled = watch({ sample: 0.05 }).frames.length;
    expect(sampled).toBeGreaterThan(400);
    expect(sampled).toBeLessThan(600);
    for (const session of sessions.values())
      if (session.id !== one) session.deliver({ type: 'endOrdered', by: 'operator' });
    byId.read();
    expect(byId.frames).toHaveLength(1);
  });
});

describe('redaction', () => {
  it('lets nothing through that it does not know: a new key of the context stays here', () => {
    const { world } = inspected();
    establish(world, 'orig');
    const [session] = world.pf.engine.sessions.values();
    const context = { ...session?.context, note: 'tel:+15550123', nested: { deep: ['sip:bob@home.example'] } };
    const shown = allowed(context, CONTEXT, maskNumbers) as Record<string, unknown>;
    expect(Object.keys(context)).toEqual(expect.arrayContaining(['note', 'nested', 'profile', 'policy', 'lastKnown']));
    expect(Object.keys(shown)).not.toEqual(expect.arrayContaining(['note']));
    for (const key of ['note', 'nested', 'profile', 'policy', 'lastKnown']) expect(shown).not.toHaveProperty([key]);
    expect(shown).toMatchObject({
      role: 'orig',
      mode: 'b2bua',
      legs: { a: { phase: 'confirmed' }, b: { peer: 'entity' } },
    });
    expect(JSON.stringify(shown)).not.toContain('home.example');
  });

  it('a known key with another kind of value than expected stays here too', () => {
    const strange = { role: { address: 'sip:alice@home.example' }, legs: 'tel:+15550123', current: ['a'] };
    expect(allowed(strange, CONTEXT, maskNumbers)).toEqual({ role: undefined, legs: undefined, current: undefined });
  });
});
