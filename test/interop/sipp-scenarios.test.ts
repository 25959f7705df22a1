/** What goes wrong between two ends, in a run of calls through `cpm-engine serve`: no call fails, nothing is left. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { freePort, Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { nothingLeft, type RunningServer, serve } from '../support/server.ts';
import { keep, pause, recv, type SippOptions, type SippRun, type Step, scenario, startSipp } from '../support/sipp.ts';
import { answer, answerKept, callee, caller, forLater, maybe, type Role } from './steps.ts';

type Mode = 'always' | 'never';

const ROLES: readonly Role[] = ['orig', 'term'];
/** Calls of each role. */
const CALLS = 20;
const RATE = 20;

interface Script {
  caller(role: Role): readonly Step[];
  readonly callee: readonly Step[];
}

interface Outcome {
  /** What the callers of both roles and the callee received. */
  readonly heard: { readonly caller: string[]; readonly callee: string[] };
  /** How many sessions ended for what reason. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** Long enough to answer what is sent once more. */
const timewait = '<timewait milliseconds="300"/>';

/** The callee rings and answers. */
const answered = [callee.respond(180, 'Ringing'), callee.respond(200, 'OK'), callee.perhapsAgain()];

/** SIPp does nothing else while it repeats a message by itself, so the callee that will act says it thrice. */
function repeatedly(): Step[] {
  const ok = callee.respond(200, 'OK', { once: true });
  return [ok, pause(300), ok, pause(300), ok, pause(300)];
}

/** The caller's side of it. */
function established(role: Role, more: readonly string[] = []): Step[] {
  return [caller.invite(role, more), ...maybe(100, 180), recv(200, 'rrs="true"'), caller.ack()];
}

/** One of the two hangs up in every call: in one role it is the served client, in the other the other entity. */
const EITHER_BYE = { byeFromClient: CALLS, byeFromEntity: CALLS };

/** What happens to the side that hangs up when the other does so before it has seen that BYE. */
function hungUpFirst(mode: Mode): Step[] {
  // A B2BUA answers the second BYE itself; a proxy forwards both.
  return mode === 'always' ? [recv(200), timewait] : [recv('BYE'), answer(), recv(200), timewait];
}

/** Method or status of each message and its To tag as far as that is a word, counted: `ACK one`. Copies count once. */
function counted(messages: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of new Set(messages)) {
    const name = `${text.split(' ', 1)[0]} ${/^To:.*;tag=([a-z]*)/m.exec(text)?.[1] ?? ''}`.trim();
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

// Real programs in real time: a machine that stalls for half a second makes one give up. A defect fails every time.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

describeWith(['sipp'], 'SIPp through cpm-engine serve', () => {
  describe.each(['always', 'never'] as const)('mediaPath %s', (mode) => {
    let scene: Scene;
    let server: RunningServer;
    let ports: Record<Role | 'callee', number>;

    beforeEach(async () => {
      scene = new Scene();
      ports = { orig: await freePort(), term: await freePort(), callee: await freePort() };
      const config = {
        sip: { core: `sip:127.0.0.1:${ports.callee};lr` },
        policy: { mediaPath: mode },
        timers: { se: 90 },
      };
      server = await serve(scene, config, { timeLapse: true });
    });
    afterEach(() => scene.close());

    function start(name: Role | 'callee', steps: readonly Step[], options: Partial<SippOptions>): SippRun {
      scene.file(`${name}.xml`, scenario(name, steps));
      return startSipp(scene, `${name}.xml`, { port: ports[name], seconds: 25, trace: true, ...options });
    }

    /** Calls of both roles at the same time; afterwards nothing may be left. */
    async function run(script: Script): Promise<Outcome> {
      const bob = start('callee', script.callee, { calls: ROLES.length * CALLS });
      const options = { calls: CALLS, rate: RATE, target: server.ports.udp ?? 0 };
      const alices = ROLES.map((role) => start(role, script.caller(role), options));
      await allSucceed([...alices, bob]);
      await nothingLeft(server);
      return {
        heard: { caller: alices.flatMap((alice) => alice.received()), callee: bob.received() },
        reasons: await server.counts('sessions_ended_total'),
      };
    }

    it('CANCEL before 180: the callee hears of it once it has answered 100', async () => {
      const { reasons } = await run({
        caller: (role) => [
          caller.invite(role),
          recv(100),
          pause(20),
          caller.cancel(),
          recv(200),
          recv(487),
          caller.ackRefusal(),
        ],
        callee: [
          forLater('INVITE'),
          callee.respond(100, 'Trying'),
          callee.perhapsAgain(),
          recv('CANCEL'),
          answer(),
          callee.refuseKept(487, 'Request Terminated'),
          recv('ACK'),
        ],
      });
      expect(reasons).toEqual({ cancelled: 2 * CALLS });
    });

    it('CANCEL after 180', async () => {
      const { reasons } = await run({
        caller: (role) => [
          caller.invite(role),
          ...maybe(100),
          recv(180),
          caller.cancel(),
          recv(200),
          recv(487),
          caller.ackRefusal(),
        ],
        callee: [
          forLater('INVITE'),
          callee.respond(180, 'Ringing'),
          callee.perhapsAgain(),
          recv('CANCEL'),
          answer(),
          callee.refuseKept(487, 'Request Terminated'),
          recv('ACK'),
        ],
      });
      expect(reasons).toEqual({ cancelled: 2 * CALLS });
    });

    it('BYE glare: the callee hangs up before it sees the BYE of the caller, and each has its 200', async () => {
      const { reasons } = await run({
        caller: (role) => [...established(role), caller.bye(), ...hungUpFirst(mode)],
        callee: [callee.invitedToAct(), ...answered, recv('ACK'), ...callee.byeAcross(), timewait],
      });
      expect(reasons).toEqual(EITHER_BYE);
    });

    it('BYE glare: the caller hangs up before it sees the BYE of the callee, and each has its 200', async () => {
      const { reasons } = await run({
        caller: (role) => [...established(role), ...caller.byeAcross(), timewait],
        callee: [callee.invitedToAct(), ...answered, recv('ACK'), callee.bye(), ...hungUpFirst(mode)],
      });
      expect(reasons).toEqual(EITHER_BYE);
    });

    it('a missing ACK: the 200 comes again and again, then BYE ends the session', async () => {
      const { reasons, heard } = await run({
        caller: (role) => [caller.invite(role), ...maybe(100, 180), recv(200), recv('BYE'), answer(), timewait],
        callee:
          mode === 'always'
            ? [callee.invited(), ...answered, recv('ACK'), recv('BYE'), answer(), timewait]
            : // A proxy sends no BYE; the callee that waits in vain for the ACK does (RFC 3261 13.3.1.4).
              [callee.invitedToAct(), callee.respond(180, 'Ringing'), ...repeatedly(), callee.bye(), recv(200)],
      });
      const accepted = heard.caller.filter((text) => text.startsWith('SIP/2.0 200'));
      expect(accepted.length).toBeGreaterThanOrEqual(3 * 2 * CALLS);
      expect(reasons).toEqual(mode === 'always' ? { noAck: 2 * CALLS } : EITHER_BYE);
    });

    it('a re-INVITE of the caller crosses the BYE of the callee', async () => {
      // A B2BUA refuses the re-INVITE itself when the BYE comes (RFC 3261 15.1.2); a proxy has nothing to say.
      const ending =
        mode === 'always'
          ? [recv(487), caller.ackReinvite(), recv('BYE'), answer()]
          : [recv('BYE'), answer(), recv(481), caller.ackReinvite()];
      const { reasons } = await run({
        caller: (role) => [...established(role), caller.reinvite(), ...maybe(100), ...ending, timewait],
        callee: [
          callee.invitedToAct(),
          ...answered,
          recv('ACK'),
          forLater('INVITE'),
          callee.bye(),
          recv(200),
          answerKept(481, 'Call/Transaction Does Not Exist'),
          recv('ACK'),
          timewait,
        ],
      });
      expect(reasons).toEqual(EITHER_BYE);
    });

    it('a fork with two 2xx: both are acknowledged, and the surplus one ends by BYE', async () => {
      const twice = ['one', 'two'].map((tag) => callee.respond(200, 'OK', { tag: `;tag=${tag}`, once: true }));
      const bye = [recv('BYE'), answer()];
      const { reasons, heard } = await run(
        mode === 'always'
          ? {
              // The function itself takes care of the second; the caller never hears of it (RFC 3261 13.2.2.4).
              caller: (role) => [
                caller.invite(role),
                ...maybe(100),
                recv(200, 'rrs="true"'),
                pause(100),
                caller.ack(),
                pause(100),
                caller.bye(),
                recv(200),
              ],
              callee: [
                callee.invited(),
                ...twice,
                callee.perhapsAgain(),
                recv('ACK'),
                ...bye,
                recv('ACK'),
                ...bye,
                timewait,
              ],
            }
          : {
              caller: (role) => [
                caller.invite(role),
                ...maybe(100),
                recv(200, 'rrs="true"', [keep('To', 'one')]),
                recv(200, '', [keep('To', 'two')]),
                caller.ack('[$one]'),
                caller.ack('[$two]'),
                caller.bye('[$two]'),
                recv(200),
                caller.bye('[$one]'),
                recv(200),
              ],
              callee: [
                callee.invited(),
                ...twice,
                callee.perhapsAgain(),
                recv('ACK'),
                recv('ACK'),
                ...bye,
                ...bye,
                timewait,
              ],
            },
      );
      const each = 2 * CALLS;
      expect(counted(heard.callee)).toEqual({
        INVITE: each,
        'ACK one': each,
        'ACK two': each,
        'BYE one': each,
        'BYE two': each,
      });
      expect(reasons).toEqual(EITHER_BYE);
    });

    it('a session timer that nobody refreshes: a B2BUA ends the session by BYE, a proxy forgets it', async () => {
      const interval = (refresher: string): string => `Session-Expires: 90;refresher=${refresher}`;
      const ended = mode === 'always' ? [recv('BYE'), answer(), timewait] : [];
      const more = ['Require: timer', interval(mode === 'always' ? 'uas' : 'uac')];
      const { reasons } = await run({
        caller: (role) => [...established(role, [interval('uac')]), ...ended],
        callee: [callee.invited(), callee.respond(200, 'OK', { more }), callee.perhapsAgain(), recv('ACK'), ...ended],
      });
      expect(reasons).toEqual({ sessionTimer: 2 * CALLS });
    });
  });
});

/** Where one side has failed, there is nothing the others could wait for. */
async function allSucceed(runs: readonly SippRun[]): Promise<void> {
  try {
    await Promise.all(runs.map((run) => run.succeeds()));
  } finally {
    await Promise.all(runs.map((run) => run.program.end()));
  }
}
