/** What a store that fails for a while must not leave behind. */
import { expect, it } from '@jest/globals';
import { World } from '../../src/testing/index.ts';
import { establish, leftovers } from '../support/session.ts';

it('a session that was stored, could not be stored again, and ended, is not in the store any more', () => {
  const world = new World({ policy: { mediaPath: 'always' } });
  const { near, far } = establish(world, 'orig');
  world.pf.store.failure = 'disk full';
  near.request('INFO');
  world.settle();
  far.respond(200, { to: far.expect('INFO') });
  world.settle();
  near.bye();
  world.settle();
  world.pf.store.failure = null;
  far.respond(200, { to: far.expect('BYE') });
  world.settle();
  near.response(200, 'BYE');
  expect(world.pf.engine.counters.storeFailures).toBeGreaterThan(0);
  expect(leftovers(world)).toEqual([]);
});

it('a deletion that could not be written is tried again by itself', () => {
  const world = new World({ policy: { mediaPath: 'always' } });
  const { near, far } = establish(world, 'orig');
  near.bye();
  world.settle();
  world.pf.store.failure = 'disk full';
  far.respond(200, { to: far.expect('BYE') });
  world.advance(500);
  near.response(200, 'BYE');
  expect(world.pf.engine.sessions.size).toBe(0);
  expect(world.held.join()).toContain('stored session');
  world.pf.store.failure = null;
  expect(leftovers(world)).toEqual([]);
});
