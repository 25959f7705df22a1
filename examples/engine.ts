/**
 * The engine in a process of your own, with your own policy: the users live in a Map here, sessions with hidden
 * callers are not taken, and what happens to each session is printed. Alice and Bob are sip.js phones over TCP.
 *
 * Node 22.18 or newer runs this file as it is: `node examples/engine.ts`.
 */
import { pathToFileURL } from 'node:url';
import { createEngine, DEFAULT_PROFILE, type Profile, type ProfilePort } from 'cpm-engine';
import { memoryHistory } from 'cpm-engine/history';
import { createSipStack } from 'cpm-engine/sip';
import { type CallOptions, createSipJsPhone, type SipJsPhone } from 'cpm-engine/sip-js';

const DOMAIN = 'home.example';

/** Your own directory. It may answer later: `done` is called when the answer is there. */
const users = new Map<string, Partial<Profile>>([
  [`sip:alice@${DOMAIN}`, { allowOfflineStorage: true }],
  [`sip:carol@${DOMAIN}`, { services: ['session.group'] }],
]);

const directory: ProfilePort = {
  lookUp(query, done) {
    const user = users.get(query.user);
    done(user === undefined ? { ...DEFAULT_PROFILE, known: false } : { ...DEFAULT_PROFILE, ...user });
  },
};

/** An invitation as the core passes it on: it has asserted who calls, and whose function this is. */
function invitation(phone: SipJsPhone, more: CallOptions['headers'] = []): CallOptions {
  return {
    sdp: 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=message 2855 TCP/MSRP *\r\n',
    headers: [
      ['P-Asserted-Identity', `<${phone.uri}>`],
      ['P-Served-User', `<${phone.uri}>;sescase=orig;regstate=reg`],
      ['P-Asserted-Service', 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.session'],
      ['Conversation-ID', 'f00dfeed-1111-4d3e-9f4a-000000000001'],
      ['Contribution-ID', 'c0ffee00-1111-4a1b-8c2d-000000000001'],
      ...more,
    ],
  };
}

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const bob = await createSipJsPhone({ name: 'bob', domain: DOMAIN });
  const sip = await createSipStack({ listen: ['tcp:127.0.0.1:0'], trusts: (address) => address === '127.0.0.1' });
  const cpm = createEngine({
    sip,
    core: `sip:${bob.address};transport=tcp;lr`,
    profiles: directory,
    history: memoryHistory(),
    policy: { allowAnonymity: false },
    observe: (session, event) => print(`  ${event?.type ?? 'invite'} -> ${session.state}`),
  });
  const proxy = sip.contact.replace(/;.*/, '');
  const alice = await createSipJsPhone({ name: 'alice', domain: DOMAIN, proxy });
  const carol = await createSipJsPhone({ name: 'carol', domain: DOMAIN, proxy });

  print('carol may hold group sessions only:');
  const refused = await carol.invite(bob.uri, invitation(carol)).next('refused');
  print(`carol gets ${refused.status}, ${refused.response?.header('warning')}`);

  print('alice hides who she is:');
  const hidden = await alice.invite(bob.uri, invitation(alice, [['Privacy', 'id']])).next('refused');
  print(`alice gets ${hidden.status}, ${hidden.response?.header('warning')}`);

  print('alice calls as alice:');
  const call = alice.invite(bob.uri, invitation(alice));
  const incoming = await bob.incoming();
  incoming.accept(invitation(bob).sdp);
  await incoming.next('acknowledged');
  const ok = await call.bye();
  print(`alice gets ${ok.status}, recorded under Message-UID ${ok.header('message-uid')}`);

  await Promise.all([alice.close(), carol.close(), bob.close()]);
  cpm.close();
  await sip.close();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
