/** Tests of the tests: for each invariant a fault put in on purpose, which the generated scenes must find. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sessionMachine } from '../../machines/index.ts';
import { order } from '../../machines/session/order.ts';
import type { SipCommand } from '../../src/sip/port.ts';
import { play, type Stage, type StageOptions, violationsOf } from '../../src/testing/index.ts';
import { scenes } from './scenes.ts';

/** The faults must be found within what one file of the suite plays. */
const RUNS = 3000;
const DRAWN = fc.sample(scenes(), { numRuns: RUNS, seed: 3 });

/** Plays scenes until this invariant is broken; the number of scenes it took. */
function caughtAfter(invariant: number, fault: StageOptions): number {
  const at = DRAWN.findIndex((scene) =>
    violationsOf(play(scene, fault)).some((found) => found.invariant === invariant),
  );
  return at + 1;
}

function expectCaught(invariant: number, fault: StageOptions): void {
  expect(caughtAfter(invariant, fault)).toBeGreaterThan(0);
}

/** Commands of the engine to the stack, changed on their way. */
function commands(change: (command: SipCommand, pass: (command: SipCommand) => void) => void): StageOptions {
  return {
    rig: ({ pf: { stack } }) => {
      const execute = stack.execute.bind(stack);
      stack.execute = (command) => change(command, execute);
    },
  };
}

/** Messages of the function, changed on the wire. */
function messages(change: (message: string) => readonly string[]): StageOptions {
  const rigged = new WeakSet<Stage>();
  return {
    rig: (stage) => {
      if (rigged.has(stage)) return;
      rigged.add(stage);
      const { network, pf } = stage.world;
      const transmit = network.transmit.bind(network);
      network.transmit = (from, to, transport, bytes, failure) => {
        const sent = from === pf.address ? change(Buffer.from(bytes).toString('latin1')) : undefined;
        if (sent === undefined) transmit(from, to, transport, bytes, failure);
        else for (const text of sent) transmit(from, to, transport, Buffer.from(text, 'latin1'), failure);
      };
    },
  };
}

const isBye = (command: SipCommand): boolean => command.type === 'request' && command.method === 'BYE';

describe('a fault on purpose is found', () => {
  it('invariant 1: the BYE to the far leg is dropped', () => {
    expectCaught(
      1,
      commands((command, pass) =>
        isBye(command) && 'leg' in command && command.leg.endsWith('.b') ? undefined : pass(command),
      ),
    );
  });

  it('invariant 2: an end claims no reason', () => {
    expectCaught(2, { machine: sessionMachine.provide({ actions: { endByServedClient: () => {} } }) });
  });

  it('invariant 3: the 200 to a BYE is followed by a 500', () => {
    expectCaught(
      3,
      messages((text) =>
        text.startsWith('SIP/2.0 200') && /^CSeq: *\d+ BYE/m.test(text)
          ? [text, text.replace(' 200 ', ' 500 ')]
          : [text],
      ),
    );
  });

  it('invariant 4: an INFO follows the BYE', () => {
    expectCaught(
      4,
      commands((command, pass) => {
        pass(command);
        if (isBye(command) && 'leg' in command) {
          pass({ type: 'request', leg: command.leg, exchange: 'late', method: 'INFO', headers: [] });
        }
      }),
    );
  });

  it('invariant 5: a Message-UID is put into a BYE that is only forwarded', () => {
    expectCaught(
      5,
      messages((text) =>
        /^BYE /.test(text) && text.split(/^Via:/m).length > 2
          ? [text.replace('\r\n', '\r\nMessage-UID: 9\r\n')]
          : [text],
      ),
    );
  });

  it('invariant 6: the mode changes when the ACK comes', () => {
    const changed = order((turn) => turn.set('mode', 'proxy'));
    expectCaught(6, { machine: sessionMachine.provide({ actions: { acknowledgeFarLegs: changed } }) });
  });

  it('invariant 7: media are not freed', () => {
    expectCaught(7, {
      rig: ({ media }) => {
        media.release = () => {};
      },
    });
  });

  it('invariant 8: the store says that the Group State is stored before it is', () => {
    expectCaught(8, {
      rig: ({ history, world }) => {
        if (Object.hasOwn(history, 'append')) return;
        const append = history.append.bind(history);
        history.append = (folder, key, object, done) => {
          if (!object.includes('group-state')) return append(folder, key, object, done);
          done(null, 2);
          world.clock.schedule(3000, { onTimer: () => append(folder, key, object, () => {}) }, 'late');
        };
      },
    });
  });

  it('invariant 9: the Message-UID is one too high', () => {
    expectCaught(
      9,
      messages((text) => [text.replace(/^Message-UID: *(\d+)/m, (_, uid) => `Message-UID: ${Number(uid) + 1}`)]),
    );
  });

  it('invariant 10: the store does not know a repeated object again', () => {
    let count = 0;
    expectCaught(10, {
      rig: ({ history }) => {
        if (Object.hasOwn(history, 'append')) return;
        const append = history.append.bind(history);
        history.append = (folder, key, object, done) => append(folder, `${key}-${count++}`, object, done);
      },
    });
  });

  it('invariant 11: the second IWF is not told', () => {
    expectCaught(
      11,
      commands((command, pass) =>
        isBye(command) && 'leg' in command && command.leg.endsWith('.b2') ? undefined : pass(command),
      ),
    );
  });

  it('invariant 12: the 2xx of another fork has no ACK', () => {
    expectCaught(12, {
      rig: ({ pf: { stack } }) => {
        const sendAck = stack.sendAck.bind(stack);
        stack.sendAck = (routed, branch) => (/\.b\d*-s/.test(branch) ? { repeat() {} } : sendAck(routed, branch));
      },
    });
  });

  it('invariant 13: the join limit is not kept', () => {
    expectCaught(13, { machine: sessionMachine.provide({ actions: { noteJoinOver: () => {} } }) });
  });

  it('invariant 14: records of ended sessions are not deleted', () => {
    expectCaught(14, {
      rig: ({ pf: { store } }) => {
        const commit = store.commit.bind(store);
        store.commit = (batch, done) => commit({ ...batch, deletes: [] }, done);
      },
    });
  });

  it('invariant 15: only the first state of a session is stored', () => {
    expectCaught(15, {
      rig: ({ pf: { store } }) => {
        const commit = store.commit.bind(store);
        store.commit = (batch, done) => {
          commit({ ...batch, puts: batch.puts.filter(({ origin }) => origin !== undefined) }, done);
        };
      },
    });
  });

  it('and without a fault none of these scenes is at fault', () => {
    for (const scene of DRAWN.slice(0, 300)) expect(violationsOf(play(scene))).toEqual([]);
  });
});
