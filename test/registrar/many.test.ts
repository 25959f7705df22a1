/** A provider's registrations: held within bounds of memory, found as fast as few are, taken up after a restart. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Registrations } from '../../src/registrar/registrations.ts';
import { sqliteSessions } from '../../src/store/sqlite.ts';
import { VirtualClock } from '../../src/testing/index.ts';
import { Scene } from '../support/processes.ts';

const USERS = 100_000;
/** Two addresses and one device of each; the figures printed below are what was seen. */
const MOST_BYTES_EACH = 4000;
/** More memory is touched, and machines are noisy; a look-up that walks through the users takes a hundred times as long. */
const MOST_TIMES_SLOWER = 15;

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.close());

function registerAll(registrations: Registrations, users: number): void {
  for (let user = 0; user < users; user++) {
    const client = { instance: `<urn:uuid:${user}>`, services: ['session', 'session.group'], media: ['message'] };
    registrations.register({
      addresses: [`sip:user${user}@home.example`, `tel:+1555${user}`],
      clients: [client],
      expiresSeconds: 3600 + (user % 600),
    });
  }
}

/** ns for one look-up, the best of some rounds. */
function lookUpNs(registrations: Registrations, users: number): number {
  const rounds = Array.from({ length: 7 }, (_, round) => {
    const began = performance.now();
    for (let number = 0; number < 20_000; number++) {
      if (registrations.clientsOf(`sip:user${(number * 7919 + round) % users}@home.example`).length !== 1)
        throw new Error('lost');
    }
    return ((performance.now() - began) * 1e6) / 20_000;
  });
  return Math.min(...rounds);
}

it('100 000 registrations are held, found in flat time and restored after a restart', () => {
  const clock = new VirtualClock();
  const path = `${scene.folder}/sessions.sqlite`;
  const few = new Registrations({ clock, maxUsers: 1_000_000 });
  registerAll(few, 1000);
  const ofFew = lookUpNs(few, 1000);
  const before = sqliteSessions({ path });
  const beganAt = performance.now();
  registerAll(new Registrations({ clock, maxUsers: 1_000_000, keeper: before.registrations }), USERS);
  const registering = performance.now() - beganAt;
  before.close();

  const after = sqliteSessions({ path });
  const heap = process.memoryUsage().heapUsed;
  const restoredAt = performance.now();
  const restored = new Registrations({ clock, maxUsers: 1_000_000, keeper: after.registrations });
  const restoring = performance.now() - restoredAt;
  const bytesEach = (process.memoryUsage().heapUsed - heap) / USERS;
  const ofMany = lookUpNs(restored, USERS);
  process.stderr.write(
    `${USERS} registrations: kept in ${Math.round(registering)} ms, restored in ${Math.round(restoring)} ms, ` +
      `${Math.round(bytesEach)} bytes each; a look-up takes ${Math.round(ofMany)} ns, ${Math.round(ofFew)} ns among 1000\n`,
  );
  expect(restored.size).toBe(2 * USERS);
  expect(restored.clientsOf('tel:+15554711')).toMatchObject([{ instance: '<urn:uuid:4711>' }]);
  expect(bytesEach).toBeLessThan(MOST_BYTES_EACH);
  expect(ofMany / ofFew).toBeLessThan(MOST_TIMES_SLOWER);
  after.close();
}, 120_000);
