/** The session in a leg's id, whoever asked before. */
import { expect, it } from '@jest/globals';
import { sessionOf } from '../../src/sip/leg-id.ts';

it('each leg has its own session, asked for in turn, again, and with other legs of it in between', () => {
  const asked = ['one.a', 'two.a', 'one.a', 'one.a', 'one.b2', 'two.b', 'one'.concat('.a')];
  expect(asked.map(sessionOf)).toEqual(['one', 'two', 'one', 'one', 'one', 'two', 'one']);
});
