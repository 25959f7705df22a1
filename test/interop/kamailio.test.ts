/**
 * Alice and Bob, sip.js phones, each with a Participating Function of their own, and Kamailio as SIP/IP core between
 * all four: phone, core, originating function, core, terminating function, core, phone; TCP to phones, UDP to functions.
 */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createSipJsPhone, type PhoneCall, type SipJsPhone } from '../../src/sip-js/index.ts';
import { chatSdp, SESSION_SERVICE } from '../../src/testing/index.ts';
import { startKamailio } from '../support/kamailio.ts';
import { freePort, Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { nothingLeft, type RunningServer, serve } from '../support/server.ts';

const CONVERSATION = 'f00dfeed-1111-4d3e-9f4a-000000000001';
const CONTRIBUTION = 'c0ffee00-1111-4a1b-8c2d-000000000001';

type Name = 'alice' | 'bob';

const NAMES: readonly Name[] = ['alice', 'bob'];

// Real programs in real time: a machine that stalls for half a second makes one give up. A defect fails every time.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

describeWith(['kamailio'], 'Kamailio as SIP/IP core', () => {
  describe.each(['always', 'never'] as const)('mediaPath %s', (mediaPath) => {
    let scene: Scene;
    let core: number;
    let functions: Record<Name, RunningServer>;
    let phones: Record<Name, SipJsPhone>;

    function startFunction(name: Name): Promise<RunningServer> {
      const config = {
        sip: { core: `sip:127.0.0.1:${core};lr` },
        policy: { mediaPath, defaultAllowOfflineStorage: true },
      };
      return serve(scene, config, { name, timeLapse: true });
    }

    async function startPhone(name: Name, port: number): Promise<SipJsPhone> {
      const listen = { host: '127.0.0.1', port };
      const phone = await createSipJsPhone({ name, domain: 'home.example', listen, proxy: `127.0.0.1:${core}` });
      scene.atEnd(() => phone.close());
      return phone;
    }

    beforeEach(async () => {
      scene = new Scene();
      core = await freePort();
      const [ofAlice, ofBob] = await Promise.all(NAMES.map(startFunction));
      functions = { alice: ofAlice!, bob: ofBob! };
      const clients = { alice: await freePort(), bob: await freePort() };
      const users = NAMES.map((name) => ({
        name,
        functionPort: functions[name].ports.udp ?? 0,
        client: `127.0.0.1:${clients[name]}`,
      }));
      await startKamailio(scene, core, users);
      phones = { alice: await startPhone('alice', clients.alice), bob: await startPhone('bob', clients.bob) };
    });

    afterEach(() => scene.close());

    function call(from: Name, to: Name): PhoneCall {
      return phones[from].invite(`sip:${to}@home.example`, {
        sdp: chatSdp(from),
        headers: [
          ['P-Asserted-Service', SESSION_SERVICE],
          ['Contribution-ID', CONTRIBUTION],
          ['Conversation-ID', CONVERSATION],
        ],
      });
    }

    /** Rung, answered, acknowledged, end to end. */
    async function establish(from: Name, to: Name): Promise<{ near: PhoneCall; far: PhoneCall }> {
      const near = call(from, to);
      const far = await phones[to].incoming();
      far.ring();
      expect((await near.next('progress')).response.status).toBe(180);
      far.accept(chatSdp(to));
      expect((await near.next('answered')).response.status).toBe(200);
      await far.next('acknowledged');
      return { near, far };
    }

    /** Only a B2BUA sees what is said, and records it (O-200B-7, T-200B-4). */
    async function historyOf(name: Name): Promise<readonly { contributionId: string }[]> {
      const user = encodeURIComponent(`sip:${name}@home.example`);
      const answer = await functions[name].get<{ folders: { contributionId: string }[] }>(`/api/history/${user}`);
      return answer.folders.map(({ contributionId }) => ({ contributionId }));
    }

    async function expectAllOver(): Promise<void> {
      const recorded = mediaPath === 'always' ? [{ contributionId: CONTRIBUTION }] : [];
      for (const name of NAMES) {
        await nothingLeft(functions[name]);
        expect(await functions[name].metric('sessions_started_total')).toBe(1);
        expect(await historyOf(name)).toEqual(recorded);
      }
    }

    it('Alice calls Bob: 180, 200 and ACK pass, an INFO goes each way, and the BYE of the caller ends it', async () => {
      const { near, far } = await establish('alice', 'bob');
      const recordRoutes = far.request?.list('record-route').join() ?? '';
      expect(recordRoutes).toContain(`:${core};`);
      for (const name of NAMES) {
        // As proxies the functions stay in the dialog by Record-Route, as B2BUAs by Contact.
        expect(recordRoutes.includes(`:${functions[name].ports.udp}`)).toBe(mediaPath === 'never');
      }
      expect((await near.info('ping', 'text/plain')).status).toBe(200);
      expect((await far.info('pong', 'text/plain')).status).toBe(200);
      expect((await near.next('request')).request.method).toBe('INFO');
      expect((await near.bye()).status).toBe(200);
      await far.next('ended');
      await expectAllOver();
    });

    it('Bob calls Alice, the same way back, and the BYE of the callee ends it', async () => {
      const { near, far } = await establish('bob', 'alice');
      expect((await far.reinvite(chatSdp('alice', [2857]))).status).toBe(200);
      expect((await far.bye()).status).toBe(200);
      await near.next('ended');
      await expectAllOver();
    });

    it('Alice takes her call back while it rings: CANCEL reaches Bob, 487 reaches Alice', async () => {
      const near = call('alice', 'bob');
      const far = await phones.bob.incoming();
      far.ring();
      await near.next('progress');
      near.cancel();
      await far.next('cancelled');
      expect((await near.next('refused')).status).toBe(487);
      for (const name of NAMES) {
        await nothingLeft(functions[name]);
        expect(await functions[name].metric('sessions_started_total')).toBe(1);
        expect(await historyOf(name)).toEqual([]);
      }
    });
  });
});
