/** `kill -9` of the real server under a hundred sessions: the next one takes them all up, and each ends properly. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AnyMessage } from '../../src/sip/message/message.ts';
import type { Call } from '../../src/testing/index.ts';
import { freePort, Scene } from '../support/processes.ts';
import { attach, type RunningServer, serve, until } from '../support/server.ts';
import { type Conduct, keyOf, UdpPhone } from '../support/udp-phone.ts';

const SESSIONS = 100;
const ALICE = 'sip:alice@home.example';
/** Where a session is at the kill, by its number. */
type Moment = 'established' | 'ringing' | 'answering' | 'unacknowledged';

const isReinvite = (message: AnyMessage): boolean =>
  message.kind === 'request' && message.method === 'INVITE' && message.toTag !== undefined;

/** Dialogs in which a phone has heard the ACK for its answer to a re-INVITE. */
function acknowledged({ peer: { received } }: UdpPhone): number {
  const offers = new Set(received.filter(isReinvite).map(({ callId, cseq }) => `${callId} ${cseq?.number}`));
  const acks = received.filter((message) => message.kind === 'request' && message.method === 'ACK');
  return new Set(acks.map(({ callId, cseq }) => `${callId} ${cseq?.number}`).filter((name) => offers.has(name))).size;
}

interface Pair {
  readonly number: number;
  readonly moment: Moment;
  readonly near: Call;
  far?: Call;
}

describe.each(['always', 'never'] as const)('policy.mediaPath: %s', (mediaPath) => {
  const b2bua = mediaPath === 'always';
  let scene: Scene;
  let alice: UdpPhone;
  let bob: UdpPhone;
  let server: RunningServer;

  beforeEach(async () => {
    scene = new Scene();
    const port = await freePort();
    alice = await UdpPhone.open('alice', `127.0.0.1:${port}`);
    bob = await UdpPhone.open('bob', `127.0.0.1:${port}`);
    server = await serve(scene, {
      sip: { listen: [`udp:127.0.0.1:${port}`], core: `sip:127.0.0.1:${bob.port};lr` },
      policy: { mediaPath, defaultAllowOfflineStorage: true },
      // a 200 to whoever said BYE is the answer of the other side, and not the end of the wait for it.
      timers: { t1: 80, byeJoinMs: 30_000 },
    });
  });

  afterEach(async () => {
    alice.close();
    bob.close();
    await scene.close();
  });

  async function restart(): Promise<void> {
    const gone = new Promise((resolve) => server.program.child.once('exit', resolve));
    server.program.child.kill('SIGKILL');
    await gone;
    server = await attach(scene, server.configFile);
  }

  function call(number: number, moment: Moment): Pair {
    const headers = [
      ['Contribution-ID', `contribution-${number}`],
      ['Conversation-ID', `conversation-${number}`],
    ] as const;
    return { number, moment, near: alice.invite({ from: `<${ALICE}>`, headers }) };
  }

  /** Bob's side of each call, found by what a B2BUA and a proxy both keep. */
  function findFar(pairs: readonly Pair[]): void {
    const byContribution = new Map([...bob.calls.values()].map((far) => [far.invite.header('contribution-id'), far]));
    for (const pair of pairs) pair.far = byContribution.get(`contribution-${pair.number}`) as Call;
  }

  /** Half by the caller, half by the callee. */
  async function endAll(pairs: readonly Pair[]): Promise<void> {
    await Promise.all(
      pairs.map(async ({ number, near, far }) => {
        const answer = number % 2 === 0 ? await alice.bye(near) : await bob.bye(far as Call);
        expect(answer.status).toBe(200);
      }),
    );
  }

  /** Each side of each session saw its BYE or the answer to it. */
  function expectProperEnds(pairs: readonly Pair[]): void {
    for (const { number, near, far } of pairs) {
      const [ender, other] =
        number % 2 === 0 ? [alice.heard(near), bob.heard(far as Call)] : [bob.heard(far as Call), alice.heard(near)];
      expect(ender).toContain('200 BYE');
      expect(other).toContain('BYE');
    }
  }

  async function expectNothingHeld(): Promise<void> {
    await until('no session lives', async () => (await server.metric('sessions')) === 0);
    await until('nothing is held', async () => (await server.metric('sip_held')) === 0);
    await until('the outbox is empty', async () => (await server.metric('outbox_depth')) === 0);
  }

  /** One Session Info Object, one Group State Object, both pointed to, in one folder for each session of a B2BUA. */
  async function expectOneHistoryEach(pairs: readonly Pair[]): Promise<void> {
    // O-200P-1: a proxy forwards the 200 and records nothing.
    const recorded = b2bua ? pairs : [];
    const user = encodeURIComponent(ALICE);
    const { folders } = await server.get<{ folders: { contributionId: string; objects: number }[] }>(
      `/api/history/${user}`,
    );
    expect(new Map(folders.map(({ contributionId, objects }) => [contributionId, objects]))).toEqual(
      new Map(recorded.map(({ number }) => [`contribution-${number}`, 2])),
    );
    expect(folders).toHaveLength(recorded.length);
    for (const { number } of recorded) {
      const folder = `/api/history/${user}/conversation-${number}/contribution-${number}`;
      const { pointers } = await server.get<{ pointers: Record<string, number> }>(folder);
      expect(pointers).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 2 });
    }
  }

  it('kill -9 amid a hundred established sessions: all live on, and end by BYE from either side', async () => {
    const pairs = Array.from({ length: SESSIONS }, (_, number) => call(number, 'established'));
    await Promise.all(pairs.map(({ near }) => alice.outcome(near)));
    await until('each is acknowledged', async () =>
      [...bob.calls.values()].every((far) => bob.heard(far).includes('ACK')),
    );
    findFar(pairs);
    await restart();
    expect(await server.metric('sessions_restored_total')).toBe(SESSIONS);
    await endAll(pairs);
    expectProperEnds(pairs);
    await expectNothingHeld();
    await expectOneHistoryEach(pairs);
  }, 60_000);

  // A proxy keeps no transaction that a restart could take up: its peers say and answer their requests themselves.
  if (b2bua) {
    it('kill -9 amid a hundred re-INVITEs: each is answered and acknowledged, though behind a 100 none is said again', async () => {
      const pairs = Array.from({ length: SESSIONS }, (_, number) => call(number, 'established'));
      await Promise.all(pairs.map(({ near }) => alice.outcome(near)));
      await until('each is acknowledged', async () =>
        [...bob.calls.values()].every((far) => bob.heard(far).includes('ACK')),
      );
      findFar(pairs);
      const offers = (phone: UdpPhone): number =>
        new Set(phone.peer.received.filter(isReinvite).map(({ callId }) => callId)).size;
      for (const phone of [alice, bob]) phone.answers = ({ method }) => method !== 'INVITE';
      const answers = pairs.map(({ number, near, far }) =>
        number % 2 === 0 ? alice.request(near, 'INVITE', {}) : bob.request(far as Call, 'INVITE', {}),
      );
      await until('every offer is with the other side', async () => offers(alice) + offers(bob) === SESSIONS);
      await until('each has a 100, and is not said again', async () =>
        pairs.every(({ number, near, far }) =>
          (number % 2 === 0 ? alice.heard(near) : bob.heard(far as Call)).includes('100 INVITE'),
        ),
      );
      await restart();
      for (const phone of [alice, bob]) phone.answers = () => true;
      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(pairs.map(() => 200));
      await until('every 200 is acknowledged', async () => acknowledged(alice) + acknowledged(bob) === SESSIONS);
      await endAll(pairs);
      expectProperEnds(pairs);
      await expectNothingHeld();
      await expectOneHistoryEach(pairs);
    }, 60_000);
  }

  it('a BYE that comes while it starts is heard late, and never gets a 481', async () => {
    const pair = call(0, 'established');
    await alice.outcome(pair.near);
    await until('it is acknowledged', async () =>
      [...bob.calls.values()].some((far) => bob.heard(far).includes('ACK')),
    );
    const restarting = restart();
    const bye = pair.near.bye();
    const hurry = setInterval(() => alice.peer.sendRaw(bye), 2);
    await restarting;
    const { status } = await alice.answerTo(keyOf(bye));
    clearInterval(hurry);
    expect(status).toBe(200);
  }, 30_000);

  it('kill -9 amid a hundred that ring, are being answered or live: each is answered, and ends by BYE', async () => {
    const conducts: Record<Moment, Conduct> = {
      established: 'answer',
      unacknowledged: 'answer',
      ringing: 'ring',
      answering: 'ring',
    };
    const moments = Object.keys(conducts) as Moment[];
    const momentOf = (number: number): Moment => moments[Math.floor(number / 2) % moments.length] as Moment;
    bob.conduct = ({ headers }) => {
      const contribution = headers.find(({ name }) => name === 'contribution-id')?.value ?? '';
      return conducts[momentOf(Number(contribution.split('-')[1]))];
    };
    alice.acknowledges = ({ callId }) => pairs.find(({ near }) => near.callId === callId)?.moment !== 'unacknowledged';
    const pairs: Pair[] = [];
    for (let number = 0; number < SESSIONS; number++) pairs.push(call(number, momentOf(number)));
    const at = (moment: Moment): Pair[] => pairs.filter((pair) => pair.moment === moment);
    await Promise.all([...at('established'), ...at('unacknowledged')].map(({ near }) => alice.outcome(near)));
    await until('the others ring', async () =>
      pairs.every(({ near }) => alice.heard(near).some((line) => /^(180|200) INVITE/.test(line))),
    );
    findFar(pairs);
    await until('who can be is acknowledged', async () =>
      at('established').every(({ far }) => bob.heard(far as Call).includes('ACK')),
    );
    // These 200s meet the kill: some arrive before it, some after.
    for (const { far } of at('answering')) bob.answer(far as Call);
    const restarting = restart();
    alice.acknowledges = () => true;
    await restarting;
    for (const { far } of at('ringing')) bob.answer(far as Call);
    await Promise.all(pairs.map(async ({ near }) => expect((await alice.outcome(near)).status).toBe(200)));
    await until('each is acknowledged', async () => pairs.every(({ far }) => bob.heard(far as Call).includes('ACK')));
    await endAll(pairs);
    expectProperEnds(pairs);
    await expectNothingHeld();
    await expectOneHistoryEach(pairs);
  }, 60_000);
});
