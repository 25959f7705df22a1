/** A chat recorded into an IMAP store that goes away in the middle of it. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { StoredObject } from '../../src/history/driver.ts';
import { chat, hangUp } from '../support/chat.ts';
import { cpim } from '../support/cpim.ts';
import { Dovecot, PASSWORD } from '../support/dovecot.ts';
import { answer } from '../support/driver-contract.ts';
import { host } from '../support/hosted.ts';
import { Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { until } from '../support/server.ts';

const USER = 'sip:alice@home.example';

describeWith(['dovecot'], 'a chat on Dovecot', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(() => scene.close());

  it('each message is one object, byte for byte and in order, though the store was away for half of them', async () => {
    const dovecot = await Dovecot.start(scene);
    process.env.CPM_TEST_IMAP_PASSWORD = PASSWORD;
    const hosted = await host(scene, {
      policy: { mediaPath: 'always', defaultAllowOfflineStorage: true },
      media: { ports: '0' },
      history: { driver: 'imap', url: dovecot.url, password: 'env:CPM_TEST_IMAP_PASSWORD' },
      recording: {
        spool: join(scene.folder, 'spool'),
        memoryBytes: 20_000,
        retry: { firstMs: 200, longestMs: 1_000 },
      },
    });
    scene.atEnd(() => hosted.close());
    const talking = await chat(hosted.alice, hosted.bob);
    const said = Array.from({ length: 20 }, (_, at) => cpim(textOf(at), { id: `m-${at}` }));
    for (const [at, message] of said.entries()) {
      if (at === 5) await dovecot.stop();
      if (at === 15) await dovecot.start();
      expect(await talking.alice.say(message, { messageId: `msrp${at}` })).toMatchObject({ status: 200 });
    }
    await hangUp(talking, hosted.alice);
    await until('the outbox is empty', async () => hosted.server.cpm.outbox?.depth === 0);
    const { history } = hosted.server;
    const [folder] = await answer<readonly StoredFolder[]>((done) => history?.folders(USER, done));
    const objects = await answer<readonly StoredObject[]>((done) => history?.objects(folder!, done));
    const bodies = objects.map(({ content }) => content.slice(content.indexOf('\r\n\r\n') + 4));
    expect(bodies.slice(1, -1)).toEqual(said);
    expect(await answer((done) => history?.pointers(folder!, done))).toEqual({
      SessionInfoObjectID: 1,
      GroupStateObjectID: 22,
    });
  });
});

interface StoredFolder {
  readonly user: string;
  readonly conversationId: string;
  readonly contributionId: string;
}

/** Small and large ones, and some whose bytes no IMAP server keeps. */
function textOf(at: number): string {
  if (at % 5 === 1) return `${at} `.repeat(30_000);
  return at % 3 === 1 ? `${at}: bare\nlines\r and \0` : `message ${at}`;
}
