/** A chat through a running function: two phones with SIP and MSRP sides of their own, on loopback sockets. */
import type { Setup } from '../../src/sdp/msrp-lines.ts';
import { bodyOf, type Call, type InviteOptions } from '../../src/testing/index.ts';
import { MsrpPhone } from './msrp-phone.ts';
import { until } from './server.ts';
import type { UdpPhone } from './udp-phone.ts';

export interface Chat {
  readonly near: Call;
  readonly far: Call;
  /** Media side of the caller, and of the callee. */
  readonly alice: MsrpPhone;
  readonly bob: MsrpPhone;
  /** Descriptions the function gave to each. */
  readonly toAlice: string;
  readonly toBob: string;
}

export interface ChatOptions {
  readonly role?: 'orig' | 'term';
  /** What each says of `setup`; null says nothing. */
  readonly offer?: Setup | null;
  readonly answer?: Setup | null;
  readonly attributes?: readonly string[];
  readonly phones?: readonly [MsrpPhone, MsrpPhone];
  readonly headers?: InviteOptions['headers'];
  /** False leaves the media unconnected. */
  readonly connect?: boolean;
}

let made = 0;

/** Whether the one who said this connects, to a function that said that. */
function connects(said: Setup | null, told: string, offered: boolean): boolean {
  const setup = /a=setup:(\w+)/.exec(told)?.[1];
  if (setup === undefined) return offered;
  return setup === 'passive' || (setup === 'actpass' && (said === 'active' || said === 'actpass'));
}

export async function chat(caller: UdpPhone, callee: UdpPhone, options: ChatOptions = {}): Promise<Chat> {
  const { role = 'orig', offer = 'actpass', answer = 'active', attributes = [], connect = true } = options;
  const [alice, bob] = options.phones ?? [await MsrpPhone.open('alice'), await MsrpPhone.open('bob')];
  const mark = `chat-${++made}`;
  callee.conduct = () => 'silent';
  const near = caller.invite({
    sdp: alice.sdp(offer, attributes),
    headers: [
      ['Contribution-ID', mark],
      [
        'P-Served-User',
        role === 'orig' ? '<sip:alice@home.example>;sescase=orig' : '<sip:bob@home.example>;sescase=term',
      ],
      ...(options.headers ?? []),
    ],
  });
  const find = (): Call | undefined =>
    [...callee.calls.values()].find(({ invite }) => invite.header('contribution-id') === mark);
  await until('the invitation reaches the callee', async () => find() !== undefined);
  const far = find() as Call;
  const toBob = bodyOf(far.invite);
  bob.join(toBob, connect && connects(answer, toBob, false));
  const saying = setInterval(() => far.respond(200, { sdp: bob.sdp(answer, attributes) }), 200);
  far.respond(200, { sdp: bob.sdp(answer, attributes) });
  const response = await caller.outcome(near);
  if (response.status !== 200) throw new Error(`the session got ${response.status}`);
  const toAlice = bodyOf(response);
  alice.join(toAlice, connect && connects(offer, toAlice, true));
  await until('the callee has its ACK', async () => callee.heard(far).includes('ACK'));
  clearInterval(saying);
  if (connect)
    await until('both are connected', async () => alice.session?.open === true && bob.session?.open === true);
  return { near, far, alice, bob, toAlice, toBob };
}

export async function hangUp({ near, alice, bob }: Chat, caller: UdpPhone): Promise<void> {
  await caller.bye(near);
  await Promise.all([alice.close(), bob.close()]);
}
