/**
 * The engine inside a sip.js user agent core. Alice calls Bob through it, over TCP on loopback; the session is recorded
 * in a history in memory; what happened is printed.
 */
import { pathToFileURL } from 'node:url';
import { createEngine, DEFAULT_PROFILE } from 'cpm-engine';
import { memoryHistory } from 'cpm-engine/history';
import { createSipJsCore, createSipJsPhone, createSipJsPort } from 'cpm-engine/sip-js';

const DOMAIN = 'home.example';
const CONVERSATION = 'f00dfeed-1111-4d3e-9f4a-000000000001';
const CONTRIBUTION = 'c0ffee00-1111-4a1b-8c2d-000000000001';

/** Everybody is served and may do everything; this example wants their conversations kept. */
const profile = { ...DEFAULT_PROFILE, allowOfflineStorage: true };

/** A session description with one MSRP chat stream. */
function chat(owner: string, port: number): string {
  return [
    'v=0',
    `o=${owner} 1 1 IN IP4 127.0.0.1`,
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=message ${port} TCP/MSRP *`,
    'a=accept-types:message/cpim',
    `a=path:msrp://127.0.0.1:${port}/${owner};tcp`,
    '',
  ].join('\r\n');
}

export async function main(print: (line: string) => void = console.log): Promise<void> {
  // A sip.js core that listens. A core of your own does as well: the port only needs to be its delegate.
  const host = await createSipJsCore({ name: 'pf', domain: DOMAIN, listen: { host: '127.0.0.1', port: 0 } });
  const bob = await createSipJsPhone({ name: 'bob', domain: DOMAIN, proxy: host.address });
  const alice = await createSipJsPhone({ name: 'alice', domain: DOMAIN, proxy: host.address });

  // The engine on that core. `mediaPath: always` makes it a B2BUA: a user agent core can be nothing else.
  const history = memoryHistory();
  const cpm = createEngine({
    sip: createSipJsPort(host.core, { trusts: (address) => address === '127.0.0.1' }),
    contact: `${host.address};transport=tcp`,
    core: `sip:${bob.address};transport=tcp;lr`,
    policy: { mediaPath: 'always' },
    profiles: { lookUp: (_query, done) => done(profile) },
    history,
  });

  // Alice invites Bob to a CPM session; her own core has asserted who she is and whose function this is.
  const call = alice.invite('sip:bob@home.example', {
    sdp: chat('alice', 2855),
    headers: [
      ['P-Asserted-Identity', '<sip:alice@home.example>'],
      ['P-Served-User', '<sip:alice@home.example>;sescase=orig;regstate=reg'],
      ['P-Asserted-Service', 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.session'],
      ['Contribution-ID', CONTRIBUTION],
      ['Conversation-ID', CONVERSATION],
    ],
  });
  const incoming = await bob.incoming();
  print(`bob is invited by ${incoming.request?.from?.uri}, through ${incoming.request?.header('user-agent')}`);
  incoming.ring();
  print(`alice hears ${(await call.next('progress')).response.status}`);
  incoming.accept(chat('bob', 2856));
  print(`alice hears ${(await call.next('answered')).response.status}`);
  await incoming.next('acknowledged');
  for (const session of cpm.engine.sessions.values()) print(`the engine has a session in ${session.state}`);

  const ended = incoming.next('ended');
  const ok = await call.bye();
  print(`alice hangs up: ${ok.status}, recorded under Message-UID ${ok.header('message-uid')}`);
  await ended;
  print(`the engine has ${cpm.engine.sessions.size} sessions`);

  const folder = { user: 'sip:alice@home.example', conversationId: CONVERSATION, contributionId: CONTRIBUTION };
  history.objects(folder, (_error, objects = []) => {
    for (const { uid, content } of objects) {
      print(`in alice's history: ${uid} ${/^Content-Type: (.*)$/m.exec(content)?.[1]?.trim()}`);
    }
  });

  cpm.close();
  await Promise.all([alice.close(), bob.close(), host.close()]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
