/**
 * Kamailio's msrp module, an MSRP implementation of other people's making, as the relay in front of one phone (RFC 4976):
 * the function speaks MSRP with it, reads what it writes, and is read by it.
 */
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { type Chat, chat } from '../support/chat.ts';
import { type Hosted, host } from '../support/hosted.ts';
import { contentOf, MsrpPhone, shaOf } from '../support/msrp-phone.ts';
import { freePort, Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { until } from '../support/server.ts';

// Real programs in real time: a machine that stalls for half a second makes one give up. A defect fails every time.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

/** It answers each request by itself and passes it on, as its manual has it; answers end at it. */
const configuration = (port: number): string => `#!KAMAILIO
debug=0
log_stderror=yes
children=1
tcp_children=1
listen=tcp:127.0.0.1:${port}
dns=no
rev_dns=no
tcp_accept_no_cl=yes
loadmodule "msrp.so"
modparam("msrp", "sipmsg", 0)
request_route { exit; }
event_route[msrp:frame-in] {
  if (msrp_is_reply()) exit;
  msrp_reply("200", "OK");
  msrp_relay();
}
`;

describeWith(['kamailio'], "Kamailio's MSRP relay before Bob", () => {
  let scene: Scene;
  let hosted: Hosted;
  let talking: Chat;

  beforeEach(async () => {
    scene = new Scene();
    const port = await freePort();
    const file = scene.file('kamailio.cfg', configuration(port));
    scene.start('kamailio', ['-DD', '-E', '-m', '64', '-M', '8', '-f', file, '-Y', scene.folder]);
    hosted = await host(scene, { policy: { mediaPath: 'always' }, media: { ports: '0' } });
    const bob = await MsrpPhone.open('bob');
    bob.via = `msrp://127.0.0.1:${port}/bob;tcp`;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    // Bob connects, by way of Kamailio, which opens the connection to the function.
    talking = await chat(hosted.alice, hosted.bob, { phones: [await MsrpPhone.open('alice'), bob], answer: 'active' });
    await until('both are with the function', async () => hosted.server.media?.relay.connections === 2);
  });

  afterEach(async () => {
    await Promise.all([talking.alice.close(), talking.bob.close()]);
    await hosted.close();
    await scene.close();
  });

  it('messages pass from Bob through Kamailio and the function to Alice, and back the same way', async () => {
    expect(await talking.bob.say('from behind Kamailio')).toMatchObject({ status: 200 });
    expect((await talking.alice.messages(1))[0]).toMatchObject({ text: 'from behind Kamailio' });
    for (let at = 0; at < 20; at++) expect(await talking.alice.say(`to Bob ${at}`)).toMatchObject({ status: 200 });
    expect((await talking.bob.messages(20)).map(({ text }) => text)).toEqual(
      Array.from({ length: 20 }, (_, at) => `to Bob ${at}`),
    );
    expect(hosted.server.media?.relay.counters.refusedRequests).toEqual({});
  });

  it('a message in a hundred chunks arrives byte by byte on both ways', async () => {
    const body = Buffer.from(Array.from({ length: 204_800 }, (_, at) => (at * 31 + (at >> 8)) & 0xff));
    // Kamailio opens a connection for each chunk that comes before the first one stands; then their order is lost.
    for (const phone of [talking.alice, talking.bob]) await phone.say('first');
    await Promise.all([talking.alice.messages(1), talking.bob.messages(1)]);
    for (const [from, to] of [
      [talking.alice, talking.bob],
      [talking.bob, talking.alice],
    ] as const) {
      expect(await from.live.send({ ...contentOf(body), chunkBytes: 2048 })).toMatchObject({ status: 200 });
      expect((await to.messages(2))[1]).toMatchObject({ size: body.length, sha: shaOf(body) });
    }
  });

  it("a success report of Alice's finds its way to Bob through both", async () => {
    // From the first message to Bob on, he and Kamailio use the connection that it opened to him.
    await talking.alice.say('first');
    await talking.bob.messages(1);
    expect(await talking.bob.say('did you get it?', { successReport: true })).toMatchObject({ report: 200 });
  });
});
