/**
 * History work that only its session's record tells of (docs/architecture.md, "Restart"; invariants 8, 10 and 15): none of
 * it is lost or changed, whenever the process dies, and the session store holds no row of it while the message store works.
 */
import { describe, expect, it } from '@jest/globals';
import type { ChatMessage } from '../../src/engine/ports.ts';
import { chatSdp, World } from '../../src/testing/index.ts';
import { established, KEPT, ROLES, Scene } from '../races/scene.ts';
import { objects } from '../support/history.ts';
import { answer, invite } from '../support/session.ts';
import { forgetStalled, resume, stall } from '../support/store.ts';

const MESSAGE: ChatMessage = {
  messageId: 'm1',
  contentType: 'text/plain',
  cpim: undefined,
  content: 'hello',
  spooled: null,
};

/** What each stored object is, in the order of the folder. */
function kinds(scene: Scene): string[] {
  return objects(scene.world, scene.folder).map(({ content }) => {
    if (content.includes('<session.')) return content.includes('m=message') ? 'session info with SDP' : 'session info';
    return content.includes('<group-state.') ? 'group state' : 'message';
  });
}

const WHOLE = ['session info with SDP', 'group state'];

/** The process dies, and with it what it was asking the message store. */
function killed(scene: Scene): void {
  scene.world.pf.crash();
  forgetStalled(scene.world);
  scene.restart();
}

/** By the client, and the other entity agrees. */
function hungUp(scene: Scene): void {
  scene.client.bye();
  scene.settle();
  scene.answer(scene.entity, 'BYE');
}

/** Nothing is held of it, and its history is whole. */
function endsWhole(scene: Scene): void {
  scene.world.advance(70_000);
  expect(kinds(scene)).toEqual(WHOLE);
  expect(scene.world.held).toEqual([]);
}

describe('history work that only the record of its session tells of', () => {
  it.each(ROLES)('%s: is no row of the session store, while the message store works', (role) => {
    const scene = new Scene(role, 'b2bua', KEPT);
    const { disk, store } = scene.world.pf;
    const rows: number[] = [];
    store.written = () => void rows.push(disk.intents.size);
    scene.answered();
    hungUp(scene);
    scene.over('byeFromClient');
    expect(rows.length).toBeGreaterThan(1);
    expect(new Set(rows)).toEqual(new Set([0]));
    expect(kinds(scene)).toEqual(WHOLE);
  });

  it.each(ROLES)('%s: is done by the next process, where the folder was being opened', (role) => {
    const scene = new Scene(role, 'b2bua', KEPT);
    stall(scene.world);
    scene.answered();
    expect(scene.world.pf.disk.intents.size).toBe(0);
    killed(scene);
    resume(scene.world);
    scene.settle();
    expect(kinds(scene)).toEqual(['session info with SDP']);
    // The new process has not heard the ACK, and says the 200 again.
    scene.near.response(200);
    scene.near.ack();
    scene.settle();
    hungUp(scene);
    scene.over('byeFromClient');
    expect(kinds(scene)).toEqual(WHOLE);
  });

  it.each(ROLES)('%s: is all done by the next process, in its order, where the session had begun to end', (role) => {
    const scene = new Scene(role, 'b2bua', KEPT);
    stall(scene.world);
    scene.answered();
    scene.world.pf.engine.record([...scene.world.pf.engine.sessions.keys()][0] ?? '', 'a', MESSAGE, () => {});
    scene.settle();
    scene.client.bye();
    scene.settle();
    killed(scene);
    resume(scene.world);
    scene.answer(scene.entity, 'BYE');
    scene.world.advance(70_000);
    expect(scene.world.held).toEqual([]);
    expect(kinds(scene)).toEqual(['session info with SDP', 'message', 'group state']);
  });

  it.each(ROLES)('%s: is written down as it was ordered where the message store fails', (role) => {
    const scene = new Scene(role, 'b2bua', KEPT);
    const { history } = scene.world.pf;
    const append = history.append;
    history.append = (_folder, _key, _object, done) => done(new Error('broken'));
    scene.answered();
    scene.settle();
    expect(scene.world.pf.disk.intents.size).toBe(1);
    // What is agreed later is not what the invitation said.
    const { cseq } = scene.near.request('INVITE', { sdp: chatSdp('alice', [2999]) });
    scene.settle();
    scene.far.respond(200, { to: scene.far.expect('INVITE'), sdp: chatSdp('bob', [2998]) });
    scene.settle();
    scene.near.ack({ cseq: cseq?.number ?? 0 });
    scene.settle();
    scene.world.pf.crash();
    scene.restart();
    history.append = append;
    scene.world.advance(120_000);
    const [info] = objects(scene.world, scene.folder);
    expect(info?.content).toContain('m=message 2855');
    expect(info?.content).not.toContain('2999');
    expect(scene.world.pf.disk.intents.size).toBe(0);
  });

  it.each(ROLES)('%s: is written down where the record of its session goes first', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    stall(scene.world);
    hungUp(scene);
    // The budget of 1.5 s is over, and so is the session.
    scene.world.advance(10_000);
    const { disk } = scene.world.pf;
    expect({ sessions: disk.sessions.size, rows: disk.intents.size }).toEqual({ sessions: 0, rows: 1 });
    killed(scene);
    resume(scene.world);
    scene.world.advance(1000);
    expect(kinds(scene)).toEqual(WHOLE);
    expect(scene.world.held).toEqual([]);
  });

  it.each(ROLES)('%s: is not lost with a second process either', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    stall(scene.world);
    const bye = scene.client.bye();
    scene.settle();
    scene.answer(scene.entity, 'BYE');
    killed(scene);
    scene.client.peer.sendRaw(bye);
    scene.settle();
    scene.world.advance(60_000);
    expect(scene.world.pf.disk.sessions.size).toBe(0);
    killed(scene);
    resume(scene.world);
    endsWhole(scene);
  });

  it.each(ROLES)('%s: is written down later where the session store is full when it has to be', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    stall(scene.world);
    hungUp(scene);
    const { disk, store } = scene.world.pf;
    store.failure = 'database or disk is full';
    scene.world.advance(10_000);
    expect(disk.intents.size).toBe(0);
    store.failure = null;
    scene.world.advance(2_000);
    expect({ sessions: disk.sessions.size, rows: disk.intents.size }).toEqual({ sessions: 0, rows: 1 });
    killed(scene);
    resume(scene.world);
    endsWhole(scene);
  });

  it('is written down by itself where the session never was, once there is room', () => {
    const world = new World({ ...KEPT, policy: { mediaPath: 'always' } });
    const { disk, store, engine } = world.pf;
    stall(world);
    store.failure = 'database or disk is full';
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    answer(world, near, far, chatSdp('bob'));
    near.bye();
    world.settle();
    far.respond(200, { to: far.expect('BYE') });
    world.advance(10_000);
    expect({ live: engine.sessions.size, written: disk.commits }).toEqual({ live: 0, written: 0 });
    store.failure = null;
    world.advance(2_000);
    expect(disk.intents.size).toBe(2);
    resume(world);
    world.advance(70_000);
    expect(world.held).toEqual([]);
  });

  it.each(ROLES)('%s: leaves no row where it is done while that is being written', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    stall(scene.world);
    hungUp(scene);
    // The commit that writes the row is on its way when the message store answers.
    scene.world.pf.store.delayMs = 400;
    scene.world.advance(1600);
    expect(scene.world.pf.disk.intents.size).toBe(0);
    resume(scene.world);
    endsWhole(scene);
  });
});
