/**
 * The real stack, engine, statechart and session store, fed with the bytes of two user agents; no sockets, so that nothing
 * but the engine is measured. Needs a build (`npm run build`).
 */
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { createEngine, DEFAULT_PROFILE, sqliteSessions } from 'cpm-engine';
import { nodeIdentifiers } from '../dist/src/host/node-identifiers.js';
import { SipStack } from '../dist/src/sip/stack.js';
import { TimerWheel } from '../dist/src/time/timer-wheel.js';

const OWN = '127.0.0.1:5060';
const CALLER = 6000;
const CALLEE = 6001;
export class Scene {
  /** ms since the epoch, moved by hand. */
  now = Date.UTC(2026, 0, 1);
  sent = [];
  clock = new TimerWheel(() => this.now);
  #number = 0;

  /**
   * @param folder where the session store is
   * @param options more for the engine
   */
  constructor(folder, options = {}) {
    const flowTo = (port) => ({
      transport: 'UDP',
      reliable: false,
      open: true,
      remoteAddress: '127.0.0.1',
      remotePort: port,
      send: (bytes) => this.sent.push({ port, text: Buffer.from(bytes).latin1Slice() }),
      redirect: (_address, other) => flowTo(other),
    });
    this.flowTo = flowTo;
    const none = (_name, done) => done([]);
    this.stack = new SipStack({
      clock: this.clock,
      identifiers: nodeIdentifiers(),
      network: {
        connect: (target) => flowTo(target.port),
        speaks: (transport) => transport === 'UDP',
        sentBy: () => OWN,
        isOwn: (host, port) => host === '127.0.0.1' && port === 5060,
        maxDatagram: () => 65_000,
      },
      resolver: { naptr: none, srv: none, addresses: none },
      random: Math.random,
      trusts: () => true,
    });
    this.store = sqliteSessions({ path: join(folder, 'sessions.sqlite') });
    this.cpm = createEngine({
      sip: this.stack,
      clock: this.clock,
      contact: OWN,
      isOwn: (host, port) => host === '127.0.0.1' && port === 5060,
      core: `sip:127.0.0.1:${CALLEE};lr`,
      policy: { mediaPath: 'always' },
      profiles: { lookUp: (_query, done) => done(DEFAULT_PROFILE) },
      sessions: this.store,
      ...options,
    });
  }

  /** Takes a message, and waits for the turn of the event loop in which what it led to is stored. */
  async receive(port, lines, body = '') {
    const text = `${lines.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    this.stack.receive(Buffer.from(text, 'latin1'), this.flowTo(port));
    await turn();
  }

  take(port, start) {
    const at = this.sent.findIndex((message) => message.port === port && message.text.startsWith(start));
    if (at < 0) throw new Error(`nothing that starts with ${start}`);
    const { text } = this.sent[at];
    this.sent.length = 0;
    return text;
  }

  /** A call from INVITE to ACK; gives what ends it. */
  async establish() {
    const number = ++this.#number;
    const from = `"Alice" <sip:alice@home.example>;tag=a${number}`;
    const callId = `${number}@127.0.0.1`;
    await this.receive(CALLER, [...inviteLines(number, from, callId)], description('alice'));
    const invite = this.take(CALLEE, 'INVITE');
    const echoed = ['Via', 'From', 'Call-ID', 'CSeq'].map((name) => lineOf(invite, name));
    const to = `${lineOf(invite, 'To')};tag=b${number}`;
    const contact = `Contact: <sip:bob@127.0.0.1:${CALLEE}>`;
    await this.receive(CALLEE, ['SIP/2.0 180 Ringing', ...echoed, to, contact]);
    await this.receive(
      CALLEE,
      ['SIP/2.0 200 OK', ...echoed, to, contact, 'Content-Type: application/sdp'],
      description('bob'),
    );
    const ok = this.take(CALLER, 'SIP/2.0 200');
    const target = /<([^>]*)>/.exec(lineOf(ok, 'Contact'))[1];
    const inDialog = (method, cseq) =>
      this.receive(CALLER, [
        `${method} ${target} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${CALLER};branch=z9hG4bK${number}${method};rport`,
        'Max-Forwards: 70',
        `From: ${from}`,
        lineOf(ok, 'To'),
        `Call-ID: ${callId}`,
        `CSeq: ${cseq} ${method}`,
      ]);
    await inDialog('ACK', 1);
    this.sent.length = 0;
    return async () => {
      await inDialog('BYE', 2);
      const bye = this.take(CALLEE, 'BYE');
      const answer = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name) => lineOf(bye, name));
      await this.receive(CALLEE, ['SIP/2.0 200 OK', ...answer]);
      this.take(CALLER, 'SIP/2.0 200');
    };
  }

  /** Lets time pass until no transaction lingers (64*T1); far less than the sessions are held. */
  linger() {
    for (let second = 0; second < 40; second++) {
      this.now += 1000;
      this.clock.advance();
    }
    this.sent.length = 0;
  }
}

function* inviteLines(number, from, callId) {
  yield 'INVITE sip:bob@home.example SIP/2.0';
  yield `Via: SIP/2.0/UDP 127.0.0.1:${CALLER};branch=z9hG4bK${number};rport`;
  yield 'Max-Forwards: 70';
  yield `From: ${from}`;
  yield 'To: <sip:bob@home.example>';
  yield `Call-ID: ${callId}`;
  yield 'CSeq: 1 INVITE';
  yield `Contact: <sip:alice@127.0.0.1:${CALLER}>;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session"`;
  yield 'P-Asserted-Identity: <sip:alice@home.example>';
  yield 'P-Served-User: <sip:alice@home.example>;sescase=orig;regstate=reg';
  yield 'P-Asserted-Service: urn:urn-7:3gpp-service.ims.icsi.oma.cpm.session';
  yield 'Accept-Contact: *;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session"';
  yield `Contribution-ID: c0ffee00-1111-4a1b-8c2d-${String(number).padStart(12, '0')}`;
  yield `Conversation-ID: f00dfeed-1111-4d3e-9f4a-${String(number).padStart(12, '0')}`;
  yield 'User-Agent: CPM-client/OMA2.0';
  yield 'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS';
  yield 'Supported: timer';
  yield 'Content-Type: application/sdp';
}

function description(owner) {
  return [
    'v=0',
    `o=${owner} 1 1 IN IP4 127.0.0.1`,
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    'm=message 2855 TCP/MSRP *',
    'a=accept-types:message/cpim application/im-iscomposing+xml',
    'a=accept-wrapped-types:*',
    `a=path:msrp://127.0.0.1:2855/${owner};tcp`,
    'a=setup:actpass',
    '',
  ].join('\r\n');
}

function lineOf(message, name) {
  const start = message.indexOf(`\r\n${name}: `) + 2;
  return message.slice(start, message.indexOf('\r\n', start));
}
