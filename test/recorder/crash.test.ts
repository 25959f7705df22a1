/**
 * `kill -9` in the middle of a chat, again and again: each message whose sender got its 200 is in the store exactly
 * once, and so is none twice (digest 2.3, invariant 10). CHAT_KILLS says how often; by hand, 200 times.
 */
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { sqliteHistory } from '../../src/history/sqlite.ts';
import { chat, hangUp } from '../support/chat.ts';
import { cpim } from '../support/cpim.ts';
import type { MsrpPhone } from '../support/msrp-phone.ts';
import { freePort, Scene } from '../support/processes.ts';
import { attach, serve, until } from '../support/server.ts';
import { UdpPhone } from '../support/udp-phone.ts';

const KILLS = Number(process.env.CHAT_KILLS ?? 6);
const ALICE = 'sip:alice@home.example';
/** Longest time between a start and its kill, ms. */
const LONGEST = 120;

/** IMDN Message-IDs of every message in the only folder. */
function recordedIds(path: string): readonly string[] {
  const history = sqliteHistory({ path });
  const ids: string[] = [];
  history.folders(ALICE, (_error, folders = []) => {
    expect(folders).toHaveLength(1);
    history.objects(folders[0]!, (_lost, objects = []) => {
      for (const { content } of objects) ids.push(...(/^IMDN-Message-ID: (.*)$/m.exec(content)?.slice(1, 2) ?? []));
    });
  });
  history.close();
  return ids;
}

it(
  `after ${KILLS} kills, each message that was acknowledged is in the folder once`,
  async () => {
    const scene = new Scene();
    const [sip, media] = [await freePort(), await freePort()];
    const alice = await UdpPhone.open('alice', `127.0.0.1:${sip}`);
    const bob = await UdpPhone.open('bob', `127.0.0.1:${sip}`);
    let server = await serve(scene, {
      sip: { listen: [`udp:127.0.0.1:${sip}`], core: `sip:127.0.0.1:${bob.port};lr` },
      policy: { mediaPath: 'always', defaultAllowOfflineStorage: true },
      media: { ports: String(media), onFailure: 'keep' },
      recording: { memoryBytes: 1024 },
    });
    const talking = await chat(alice, bob);
    const acknowledged = new Set<string>();
    const said = new Set<string>();
    const under: Promise<unknown>[] = [];

    /** Says one thing after the other until it can't any more. Every fifth one goes through the spool. */
    async function keepSaying(phone: MsrpPhone): Promise<void> {
      for (;;) {
        const id = `${phone.name}-${said.size}`;
        said.add(id);
        const text = cpim(said.size % 5 === 0 ? 'x'.repeat(3000) : 'hello', { id });
        const sent = await phone.say(text, { messageId: id }).catch(() => undefined);
        if (sent?.status !== 200) return;
        acknowledged.add(id);
      }
    }

    try {
      for (let kill = 0; kill < KILLS; kill++) {
        const before = acknowledged.size;
        for (const phone of [talking.alice, talking.bob]) under.push(keepSaying(phone));
        // Every second process lives to acknowledge something, however busy the machine is.
        if (kill % 2 === 0) await until('something is acknowledged', async () => acknowledged.size > before);
        await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * LONGEST));
        server.program.child.kill('SIGKILL');
        await server.program.exit(5_000);
        // Whoever waits for an answer from the dead gets none.
        for (const phone of [talking.alice, talking.bob]) phone.session?.close();
        await Promise.all(under.splice(0));
        server = await attach(scene, server.configFile);
        expect(await server.metric('sessions')).toBe(1);
        talking.alice.connect(talking.toAlice);
        talking.bob.connect(talking.toBob);
        await until(
          'both are connected',
          async () => talking.alice.session?.open === true && talking.bob.session?.open === true,
        );
      }
      await hangUp(talking, alice);
      await until('the outbox is empty', async () => (await server.metric('outbox_depth')) === 0);
      const ids = recordedIds(join(scene.folder, 'pf-history.sqlite'));
      expect(ids.length).toBe(new Set(ids).size);
      expect([...acknowledged].filter((id) => !ids.includes(id))).toEqual([]);
      expect(acknowledged.size).toBeGreaterThanOrEqual(KILLS / 2);
      expect(ids.every((id) => said.has(id))).toBe(true);
    } finally {
      alice.close();
      bob.close();
      await scene.close();
    }
  },
  30_000 + KILLS * 15_000,
);
