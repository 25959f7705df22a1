/** Each key of the configuration that is about messages changes what they get. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfiguredWorld } from '../support/configured.ts';
import { incoming, respond, send, waitingAt } from '../support/message.ts';
import { Scene } from '../support/processes.ts';
import { PROJECT, runCommand } from '../support/server.ts';

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.close());

/** Nobody is registered, or, with `there`, everybody has a client. */
function world(policy: Record<string, unknown>, there = false): ConfiguredWorld {
  return new ConfiguredWorld(scene, {
    registrar: { driver: there ? 'none' : 'thirdParty' },
    policy: { mediaPath: 'auto', noClient: 'defer', ...policy },
  });
}

/** What a terminating message gets, and how many are kept then. */
function answersOf(on: ConfiguredWorld, ids: readonly string[] = ['m1'], text = 'Hello'): (number | undefined)[] {
  const sent = ids.map((id) => send(on, 'term', { id, text }));
  on.settle();
  return sent.map(({ answers }) => answers[0]);
}

const keptBy = ({ cpm }: ConfiguredWorld): number => cpm.engine.messages.queues.size;

/** Refused by the client; then what its sender hears. */
function refusedWith(on: ConfiguredWorld, status: number): readonly number[] {
  const sent = send(on, 'term');
  on.settle();
  respond(on.core, incoming(on.core), status);
  on.settle();
  return sent.answers;
}

describe('the configuration', () => {
  it('policy.noClient: defer keeps what reject refuses', () => {
    expect(answersOf(world({}))).toEqual([202]);
    expect(answersOf(world({ noClient: 'reject' }))).toEqual([480]);
    expect(answersOf(world({ noClient: 'interwork' }))).toEqual([480]);
  });

  it('policy.messages.maxBytes', () => {
    expect(answersOf(world({}), ['m1'], 'x'.repeat(1500))).toEqual([413]);
    expect(answersOf(world({ messages: { maxBytes: 2000 } }), ['m1'], 'x'.repeat(1500))).toEqual([202]);
  });

  it('policy.deferred.on', () => {
    expect(refusedWith(world({}, true), 480)).toEqual([202]);
    expect(refusedWith(world({ deferred: { on: [404] } }, true), 480)).toEqual([480]);
    expect(refusedWith(world({ deferred: { on: [404] } }, true), 404)).toEqual([202]);
  });

  it('policy.deferred.answerMs', () => {
    const on = world({ deferred: { answerMs: 1000 } }, true);
    const sent = send(on, 'term');
    on.advance(900);
    expect(sent.answers).toEqual([]);
    on.advance(200);
    expect(sent.answers).toEqual([202]);
  });

  it('policy.deferred.lifetimeSeconds', () => {
    const on = world({ deferred: { lifetimeSeconds: 60 } });
    answersOf(on);
    on.advance(59_000);
    expect(keptBy(on)).toBe(1);
    on.advance(2000);
    expect(keptBy(on)).toBe(0);
  });

  it('policy.deferred.retry.firstMs and policy.deferred.retry.longestMs', () => {
    const on = world({ deferred: { retry: { firstMs: 1000, longestMs: 1500 } } }, true);
    expect(refusedWith(on, 480)).toEqual([202]);
    for (const pause of [1000, 1000, 1500, 1500]) {
      on.advance(pause - 200);
      expect(waitingAt(on.core)).toBe(0);
      on.advance(300);
      respond(on.core, incoming(on.core), 480);
      on.settle();
    }
  });

  it('policy.deferred.perUser and policy.deferred.total', () => {
    expect(answersOf(world({ deferred: { perUser: 1 } }), ['m1', 'm2'])).toEqual([202, 480]);
    expect(answersOf(world({ deferred: { total: 2 } }), ['m1', 'm2', 'm3'])).toEqual([202, 202, 480]);
  });

  it('policy.deferred.atOnce', () => {
    for (const [atOnce, expected] of [
      [1, 1],
      [5, 3],
    ]) {
      const on = world({ deferred: { atOnce, retry: { firstMs: 1000 } } }, true);
      const users = ['a', 'b', 'c'].map((user) => `sip:${user}@home.example`);
      const sent = users.map((uri) =>
        send(on, 'term', { id: uri, uri, headers: [['P-Served-User', `<${uri}>;sescase=term`]] }),
      );
      on.settle();
      for (const _ of users) respond(on.core, incoming(on.core), 480);
      on.settle();
      expect(sent.map(({ answers }) => answers)).toEqual([[202], [202], [202]]);
      on.advance(1100);
      expect(waitingAt(on.core)).toBe(expected);
    }
  });

  it('policy.deferred.notify', () => {
    for (const [notify, expected] of [
      [true, 1],
      [false, 0],
    ] as const) {
      const on = world({ deferred: { notify, lifetimeSeconds: 60 } });
      answersOf(on);
      on.advance(60_200);
      expect(waitingAt(on.core)).toBe(expected);
    }
  });

  it('recording.notifications', () => {
    for (const [notifications, expected] of [
      [true, 1],
      [false, 0],
    ] as const) {
      const on = new ConfiguredWorld(scene, {
        policy: { defaultAllowOfflineStorage: true },
        recording: { notifications },
      });
      send(on, 'term', { type: 'message/imdn+xml', text: '<imdn/>' });
      on.settle();
      respond(on.core, incoming(on.core), 200);
      on.settle();
      expect(on.cpm.outbox?.done).toBe(expected);
    }
  });

  it('check-config warns of promises that can not be kept', () => {
    const file = scene.file(
      'pf.yaml',
      'policy: {noClient: defer}\nsessions: {driver: memory}\nregistrar: {driver: none}\n',
    );
    const { code, err } = runCommand(PROJECT, 'check-config', file);
    expect({ code, warnings: err.match(/^warning: \w+\.driver/gm) }).toEqual({
      code: 0,
      warnings: ['warning: sessions.driver', 'warning: registrar.driver'],
    });
  });
});
