/** Registrations: by every address of a user, for as long as they last, over a restart, and never without bound. */
import { describe, expect, it } from '@jest/globals';
import { type Registration, Registrations } from '../../src/registrar/registrations.ts';
import { sqliteSessions } from '../../src/store/sqlite.ts';
import { VirtualClock } from '../../src/testing/index.ts';

const CLIENT = { instance: '<urn:uuid:1>', services: ['session'], media: ['message'] };

function registration(addresses: readonly string[], expiresSeconds = 60): Registration {
  return { addresses, clients: [CLIENT], expiresSeconds };
}

describe('a registration', () => {
  it('is found by each of its addresses, in any spelling, until its time is over', () => {
    const clock = new VirtualClock();
    const registrations = new Registrations({ clock, maxUsers: 10 });
    expect(registrations.register(registration(['sip:bob@home.example', 'tel:+1-555-0177']))).toBe(true);
    for (const address of ['sip:bob@HOME.example', 'tel:+15550177', 'sip:+15550177@any.example;user=phone']) {
      expect(registrations.clientsOf(address)).toEqual([CLIENT]);
    }
    expect(registrations.clientsOf('sip:carol@home.example')).toEqual([]);
    clock.advance(59_999);
    expect(registrations.size).toBe(2);
    clock.advance(1);
    expect({ size: registrations.size, timers: clock.size }).toEqual({ size: 0, timers: 0 });
  });

  it('is told of under all its addresses, also when it is renewed; its end is not, nor what was refused', () => {
    const registrations = new Registrations({ clock: new VirtualClock(), maxUsers: 2 });
    const told: (readonly string[])[] = [];
    registrations.onRegistered = (addresses) => told.push(addresses);
    const both = ['sip:bob@home.example', 'tel:+15550177'];
    for (const seconds of [60, 60, 0]) registrations.register(registration(both, seconds));
    registrations.register(registration(['sip:a@home.example', 'sip:b@home.example', 'sip:c@home.example']));
    expect(told).toEqual([both, both]);
  });

  it('takes the place of the one before, with its own addresses and time; zero seconds end it', () => {
    const clock = new VirtualClock();
    const registrations = new Registrations({ clock, maxUsers: 10 });
    registrations.register(registration(['sip:bob@home.example', 'tel:+15550177'], 10));
    registrations.register(registration(['sip:bob@home.example'], 100));
    expect(registrations.clientsOf('tel:+15550177')).toEqual([]);
    clock.advance(50_000);
    expect(registrations.clientsOf('sip:bob@home.example')).toEqual([CLIENT]);
    expect(registrations.register(registration(['sip:bob@home.example'], 0))).toBe(true);
    expect({ size: registrations.size, timers: clock.size }).toEqual({ size: 0, timers: 0 });
  });

  it('is refused beyond the bound; one that is there may still be renewed', () => {
    const registrations = new Registrations({ clock: new VirtualClock(), maxUsers: 1 });
    expect(registrations.register(registration(['sip:bob@home.example']))).toBe(true);
    expect(registrations.register(registration(['sip:carol@home.example']))).toBe(false);
    expect(registrations.register(registration(['sip:bob@home.example']))).toBe(true);
  });
});

describe('after a restart', () => {
  it('those that were kept are known, with the time they had left; the others are forgotten', () => {
    const clock = new VirtualClock();
    const store = sqliteSessions({ path: ':memory:' });
    const keeper = store.registrations;
    const before = new Registrations({ clock, maxUsers: 10, keeper });
    before.register(registration(['sip:bob@home.example', 'tel:+15550177'], 100));
    before.register(registration(['sip:carol@home.example'], 20));
    before.register(registration(['sip:dave@home.example'], 100));
    before.register(registration(['sip:dave@home.example'], 0));
    const later = new VirtualClock();
    later.advance(50_000);
    const after = new Registrations({ clock: later, maxUsers: 10, keeper });
    expect(after.size).toBe(2);
    expect(after.clientsOf('tel:+15550177')).toEqual([CLIENT]);
    expect([...keeper.kept()]).toHaveLength(1);
    later.advance(50_000);
    expect({ size: after.size, kept: [...keeper.kept()] }).toEqual({ size: 0, kept: [] });
    store.close();
  });
});
