/** How many users are subscribed to at a time, and what becomes of those the core does not tell of. */
import { expect, it } from '@jest/globals';
import { RegEvents } from '../../src/registrar/reg-event.ts';
import { Registrations } from '../../src/registrar/registrations.ts';
import type { SubscriptionOptions, SubscriptionUser } from '../../src/sip/user-agent/subscription.ts';
import { SeededRandom, VirtualClock } from '../../src/testing/index.ts';
import { contact, reginfo, registration } from '../support/reg-notifier.ts';

function scene(options: { readonly atOnce: number; readonly maxUsers: number }) {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const begun: { readonly options: SubscriptionOptions; readonly user: SubscriptionUser }[] = [];
  const registrations = new Registrations({ clock, maxUsers: 100 });
  const events = new RegEvents({
    ...options,
    clock,
    registrations,
    token: () => random.token(),
    from: 'sip:pf.home.example',
    contact: 'sip:pf.home.example',
    routes: [],
    expiresSeconds: 3600,
    sip: {
      subscribe(of, user) {
        begun.push({ options: of, user });
        return { subscribe: () => {} };
      },
      unsubscribe: () => {},
    },
  });
  return { clock, begun, events };
}

const user = (number: number): string => `sip:user${number}@home.example`;

it('registrar.regEvent.atOnce: so many wait for their first NOTIFY; one that gets none gives its turn up after 64*T1', () => {
  const { clock, begun, events } = scene({ atOnce: 2, maxUsers: 100 });
  for (let number = 0; number < 6; number++) events.watch(user(number));
  expect(begun).toHaveLength(2);
  const told = reginfo(0, 'full', registration(user(0), contact('1')));
  expect(begun[0]?.user.onNotify(new TextEncoder().encode(told))).toBe(true);
  expect(begun).toHaveLength(3);
  begun[1]?.user.onEnd('it answers 404', null);
  expect(begun).toHaveLength(4);
  clock.advance(32_000);
  expect(begun.map(({ options }) => options.uri)).toEqual([0, 1, 2, 3, 4, 5].map(user));
  events.close();
});

it('registrar.maxUsers: further ones are left to the core', () => {
  const { begun, events } = scene({ atOnce: 10, maxUsers: 2 });
  for (let number = 0; number < 4; number++) expect(events.clientsOf(user(number))).toBe('unknown');
  expect({ begun: begun.length, watched: events.size }).toEqual({ begun: 2, watched: 2 });
  events.close();
});

it('RFC 6665 4.1.3: after retry-after it is asked anew; where there is no use in it, at the next call', () => {
  const { clock, begun, events } = scene({ atOnce: 10, maxUsers: 10 });
  events.watch(user(0));
  events.watch(user(1));
  begun[0]?.user.onEnd('ended: probation', 30);
  begun[1]?.user.onEnd('ended: noresource', null);
  clock.advance(29_999);
  expect(begun).toHaveLength(2);
  clock.advance(1);
  expect(begun).toHaveLength(3);
  expect(begun[2]?.options.id).not.toBe(begun[0]?.options.id);
  expect(events.clientsOf(user(1))).toBe('unknown');
  expect(begun).toHaveLength(4);
  events.close();
  expect(clock.size).toBe(0);
});
