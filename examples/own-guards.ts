/**
 * Guards of your own: questions of policy, answered in TypeScript. Each is given the session and the standard answer, and
 * may give another. It is asked only where its question arises, so whatever it says, the protocol stays whole. A guard
 * has to be a pure function: a traced or explained session asks it again. The phones are sip.js over TCP.
 *
 * Node 22.18 or newer runs this file as it is: `node examples/own-guards.ts`. A server takes the same guards from a
 * module, `policy: {guards: ./my-guards.mjs}`, with `export const guards = { … }`.
 */
import { pathToFileURL } from 'node:url';
import { createEngine, type EngineLog, type OwnGuards } from 'cpm-engine';
import { createSipStack } from 'cpm-engine/sip';
import { type CallOptions, createSipJsPhone, type SipJsPhone } from 'cpm-engine/sip-js';

const DOMAIN = 'home.example';

/** What an operator knows and no configuration file does; here, domains from which too much has come lately. */
const flooding = new Set(['flood.example']);

const guards: OwnGuards = {
  /** Beside the user's own blacklist. A true answer refuses with 403. */
  originatorBlacklisted({ context }, standard) {
    const domains = context.invite.originators.map((address) => address.split('@')[1] ?? '');
    return standard || domains.some((domain) => flooding.has(domain));
  },
  /** Hidden originators are allowed by the policy; not into groups. */
  anonymityNotAllowed({ context, policy }, standard) {
    if (!policy.allowAnonymity) return standard;
    return context.invite.group && context.invite.anonymityRequested;
  },
  /** One that fails: its standard answer stands, it is logged and counted. */
  doNotDisturb({ context }) {
    if (context.invite.originators.includes(`sip:carol@${DOMAIN}`)) throw new Error('no calendar for carol');
    return false;
  },
};

/** An invitation as the core passes it on to Bob's function: it has asserted who calls. */
function invitation(originator: string, service = 'session', more: CallOptions['headers'] = []): CallOptions {
  return {
    sdp: 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=message 2855 TCP/MSRP *\r\n',
    headers: [
      ['P-Asserted-Identity', `<${originator}>`],
      ['P-Served-User', `<sip:bob@${DOMAIN}>;sescase=term;regstate=reg`],
      ['P-Asserted-Service', `urn:urn-7:3gpp-service.ims.icsi.oma.cpm.${service}`],
      ...more,
    ],
  };
}

async function refusal(caller: SipJsPhone, to: string, options: CallOptions): Promise<string> {
  const { status, response } = await caller.invite(to, options).next('refused');
  return `${status}, ${response?.header('warning')}`;
}

async function chat(caller: SipJsPhone, callee: SipJsPhone, options: CallOptions): Promise<string> {
  const call = caller.invite(callee.uri, options);
  const incoming = await callee.incoming();
  incoming.accept(options.sdp);
  await incoming.next('acknowledged');
  return `a chat, and ${(await call.bye()).status} to its BYE`;
}

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const bob = await createSipJsPhone({ name: 'bob', domain: DOMAIN });
  const sip = await createSipStack({ listen: ['tcp:127.0.0.1:0'], trusts: (address) => address === '127.0.0.1' });
  const log: EngineLog = {
    session: () => {},
    problem: (message, details) => print(`log: ${message}: ${details?.guard}, ${details?.error}`),
  };
  const cpm = createEngine({ sip, core: `sip:${bob.address};transport=tcp;lr`, guards, log });
  const caller = await createSipJsPhone({ name: 'alice', domain: DOMAIN, proxy: sip.contact.replace(/;.*/, '') });

  print(`mallory: ${await refusal(caller, bob.uri, invitation('sip:mallory@flood.example'))}`);
  const hidden = [['Privacy', 'id']] as const;
  print(`hidden, into a group: ${await refusal(caller, bob.uri, invitation(caller.uri, 'session.group', hidden))}`);
  print(`carol: ${await chat(caller, bob, invitation(`sip:carol@${DOMAIN}`))}`);
  print(`failures: ${JSON.stringify(cpm.engine.counters.guardFailures)}`);

  await Promise.all([caller.close(), bob.close()]);
  cpm.close();
  await sip.close();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
