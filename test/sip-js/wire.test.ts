/** What no sip.js phone does, done to the engine inside a sip.js core by peers played by hand. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { headerField } from '../../src/sip/message/header.ts';
import { SipRequest } from '../../src/sip/message/message.ts';
import { responseTo } from '../../src/sip/message/respond.ts';
import { bodyOf, type Call, chatSdp, type InviteOptions } from '../../src/testing/index.ts';
import { SipJsWire } from '../support/sipjs-wire.ts';
import { NOTHING } from '../support/sipjs-world.ts';

let wire: SipJsWire;

beforeEach(() => {
  jest.useFakeTimers();
  wire = new SipJsWire();
});

afterEach(() => {
  wire.close();
  jest.useRealTimers();
});

/** Lets time pass for sip.js and for the engine alike. */
function advance(ms: number): void {
  for (let passed = 0; passed < ms; passed += 100) {
    jest.advanceTimersByTime(100);
    wire.clock.advance(100);
  }
}

function invited(options: InviteOptions = {}): { near: Call; far: Call } {
  const near = wire.alice.invite(options);
  wire.settle();
  near.response(100);
  return { near, far: wire.core.incoming() };
}

function established(): { near: Call; far: Call } {
  const calls = invited();
  const { near, far } = calls;
  far.respond(200, { sdp: chatSdp('bob') });
  wire.settle();
  near.response(200);
  near.ack();
  wire.settle();
  far.expect('ACK');
  return calls;
}

function endedBy(sender: Call, receiver: Call): void {
  sender.bye();
  wire.settle();
  receiver.respond(200, { to: receiver.expect('BYE') });
  wire.settle();
  sender.response(200, 'BYE');
  expect(wire.left).toEqual(NOTHING);
}

describe('before the answer', () => {
  it('RFC 3261 12.1: each fork is an early dialog of its own on both legs; the late 2xx of another gets ACK and BYE', () => {
    const { near, far } = invited();
    far.respond(180, { tag: 'one' });
    far.respond(183, { tag: 'two', sdp: chatSdp('two') });
    wire.settle();
    const [first, second] = [near.response(180), near.response(183)];
    expect(first.toTag).not.toBe(second.toTag);
    expect(bodyOf(second)).toContain('msrp://10.9.9.9:2855/two0');
    far.respond(200, { tag: 'two', sdp: chatSdp('two') });
    wire.settle();
    expect(near.response(200).toTag).toBe(second.toTag);
    near.ack();
    wire.settle();
    expect(far.expect('ACK').toTag).toBe('two');
    far.respond(200, { tag: 'one', sdp: chatSdp('one') });
    wire.settle();
    expect(far.expect('ACK').toTag).toBe('one');
    expect(far.expect('BYE').toTag).toBe('one');
    endedBy(near, far);
  });

  it('RFC 3262: reliable responses pass, are repeated until their PRACK, and go on one at a time', () => {
    const { near, far } = invited({ headers: [['Supported', '100rel, timer']] });
    const reliable = (rseq: number) => ({ headers: [['Require', '100rel'] as const, ['RSeq', String(rseq)] as const] });
    far.respond(183, reliable(7));
    far.respond(180, reliable(8));
    wire.settle();
    const progress = near.response(183);
    expect(progress.lists('require', '100rel')).toBe(true);
    expect(near.peer.waiting).toEqual([]);
    advance(600);
    expect(near.response(183).header('rseq')).toBe(progress.header('rseq'));

    near.request('PRACK', { headers: [['RAck', `${Number(progress.header('rseq')) + 5} 1 INVITE`]] });
    wire.settle();
    near.response(481, 'PRACK');
    near.request('PRACK', { headers: [['RAck', `${progress.header('rseq')} 1 INVITE`]] });
    wire.settle();
    const prack = far.expect('PRACK');
    expect(prack.header('rack')).toBe('7 1 INVITE');
    far.respond(200, { to: prack });
    wire.settle();
    near.response(200, 'PRACK');
    expect(Number(near.response(180).header('rseq'))).toBe(Number(progress.header('rseq')) + 1);
  });

  it('RFC 3262 3: without a PRACK for 64*T1 the session ends on both sides', () => {
    const { near, far } = invited({ headers: [['Supported', '100rel, timer']] });
    far.respond(180, {
      headers: [
        ['Require', '100rel'],
        ['RSeq', '1'],
      ],
    });
    advance(33_000);
    expect(near.peer.inbox.some((message) => message.kind === 'response' && message.status >= 400)).toBe(true);
    far.expect('CANCEL');
  });

  it('RFC 3261 9.1: a CANCEL waits for a provisional response, and without a final one the INVITE counts as ended', () => {
    const { near, far } = invited();
    near.cancel();
    wire.settle();
    near.response(487);
    expect(far.has('CANCEL')).toBe(false);
    far.respond(100);
    wire.settle();
    const cancel = far.expect('CANCEL');
    expect(cancel.branch).toBe(far.invite.branch);
    expect([cancel.header('from'), cancel.header('to')]).toEqual([far.invite.header('from'), far.invite.header('to')]);
    expect(wire.userAgent.userAgentClients.size).toBeGreaterThan(0);
    advance(70_000);
    expect(wire.left).toEqual(NOTHING);
    expect(wire.userAgent.userAgentClients.size).toBe(0);
  });

  it('RFC 3261 17.1.1.2: nobody answers for 64*T1, and the caller hears 408', () => {
    const { near } = invited();
    advance(33_000);
    near.response(408);
    expect(wire.left).toEqual(NOTHING);
  });

  it('RFC 3261 8.1.3.1: no way to the next hop is a 503 at once', async () => {
    jest.useRealTimers();
    const near = wire.alice.invite({
      uri: 'tel:+15550123',
      to: '<sip:bob@home.example>',
      headers: [['Route', '<tel:+1>']],
    });
    wire.settle();
    await new Promise(setImmediate);
    wire.settle();
    near.response(503);
    expect(wire.left).toEqual(NOTHING);
  });
});

describe('the 2xx', () => {
  it('RFC 3261 13.3.1.4: it is repeated until its ACK; without one both sides get a BYE', () => {
    const { near, far } = invited();
    far.respond(200, { sdp: chatSdp('bob') });
    advance(3000);
    expect(near.peer.waiting.filter((line) => line === '200 INVITE').length).toBeGreaterThanOrEqual(3);
    advance(31_000);
    near.respond(200, { to: near.expect('BYE') });
    far.expect('ACK');
    far.respond(200, { to: far.expect('BYE') });
    wire.settle();
    expect(wire.left).toEqual(NOTHING);
  });

  it('RFC 3261 13.2.2.4: a copy of it gets the same ACK again', () => {
    const { near, far } = established();
    far.respond(200, { sdp: chatSdp('bob') });
    wire.settle();
    expect(far.expect('ACK').cseq?.number).toBe(1);
    endedBy(far, near);
  });
});

describe('inside the dialog', () => {
  it('RFC 3311: UPDATE passes both ways; a Contact in it or in its 2xx is where later requests go', () => {
    const { near, far } = established();
    Object.assign(near.peer, { name: 'moved' });
    near.request('UPDATE', {
      sdp: chatSdp('alice', [1]),
      headers: [
        ['Supported', 'timer'],
        ['X-A', 'b'],
      ],
    });
    wire.settle();
    const update = far.expect('UPDATE');
    expect(update.header('x-a')).toBe('b');
    expect(update.lines('supported')).toHaveLength(1);
    expect(bodyOf(update)).toContain('m=message 1 ');
    far.respond(200, { to: update, sdp: chatSdp('bob'), headers: [['Contact', '<sip:elsewhere@10.0.0.20:5060>']] });
    wire.settle();
    expect(bodyOf(near.response(200, 'UPDATE'))).toContain('bob0');
    far.request('UPDATE', { sdp: chatSdp('bob', [2]) });
    wire.settle();
    const back = near.expect('UPDATE');
    expect(back.uri).toBe('sip:moved@10.0.1.1:5060');
    near.respond(488, { to: back });
    wire.settle();
    far.response(488, 'UPDATE');
    near.request('INFO');
    wire.settle();
    expect(far.expect('INFO').uri).toBe(far.peer.uri);
  });

  it('RFC 3311 5.2 and RFC 3261 14.1: one offer at a time, 491 where ours is under way', () => {
    const { near, far } = established();
    near.request('INVITE', { sdp: chatSdp('alice', [1]) });
    wire.settle();
    near.response(100);
    const offered = far.expect('INVITE');
    far.request('UPDATE', { sdp: chatSdp('bob', [2]) });
    far.request('INVITE', { sdp: chatSdp('bob', [2]) });
    wire.settle();
    far.response(491, 'UPDATE');
    far.response(491);
    far.ack();
    far.respond(200, { to: offered, sdp: chatSdp('bob', [3]) });
    wire.settle();
    near.response(200);
    near.ack();
    wire.settle();
    far.expect('ACK');
    endedBy(near, far);
  });

  it('RFC 3261 9.2: CANCEL of a re-INVITE, which sip.js keeps to itself, reaches the other side', () => {
    const { near, far } = established();
    const reinvite = near.request('INVITE', { sdp: chatSdp('alice', [1]) });
    wire.settle();
    far.respond(180, { to: far.expect('INVITE') });
    wire.settle();
    const kept = reinvite.headers.filter(({ name }) => ['via', 'from', 'to', 'call-id'].includes(name));
    const cancel = new SipRequest('CANCEL', reinvite.uri, [...kept]);
    cancel.set('CSeq', `${reinvite.cseq?.number} CANCEL`);
    near.peer.sendRaw(cancel, near.peer.pf);
    wire.settle();
    near.response(200, 'CANCEL');
    far.respond(200, { to: far.expect('CANCEL') });
  });

  it('RFC 3261 13.3.1.4: a 2xx to a re-INVITE that is never acknowledged ends the session', () => {
    const { near, far } = established();
    near.request('INVITE', { sdp: chatSdp('alice', [1]) });
    wire.settle();
    far.respond(200, { to: far.expect('INVITE'), sdp: chatSdp('bob', [2]) });
    advance(33_000);
    expect(near.has('BYE')).toBe(true);
    expect(far.has('BYE')).toBe(true);
  });

  it('RFC 6086, 3515, 6665: other methods pass with their headers and bodies, and so do their answers', () => {
    const { near, far } = established();
    for (const method of ['INFO', 'MESSAGE', 'NOTIFY', 'REFER', 'SUBSCRIBE']) {
      for (const [asker, asked] of [
        [near, far],
        [far, near],
      ] as const) {
        const headers = [['Refer-To', '<sip:carol@home.example>'] as const, ['Event', 'refer'] as const];
        asker.request(method, { headers, body: 'grüße', type: 'text/plain' });
        wire.settle();
        const request = asked.expect(method);
        expect(request.header('refer-to')).toBe('<sip:carol@home.example>');
        expect(request.lines('content-type').map(({ value }) => value)).toEqual(['text/plain']);
        asked.respond(202, { to: request, headers: [['X-C', 'd']] });
        wire.settle();
        expect(asker.response(202, method).header('x-c')).toBe('d');
      }
    }
    endedBy(near, far);
  });

  it('RFC 3261 15: BYEs that cross are both answered', () => {
    const { near, far } = established();
    near.bye();
    far.bye();
    wire.settle();
    for (const call of [near, far]) {
      call.response(200, 'BYE');
      if (call.has('BYE')) call.respond(200, { to: call.expect('BYE') });
    }
    wire.settle();
    expect(wire.left).toEqual(NOTHING);
  });

  it('RFC 3261 12.2.2: for a dialog that is not there it is 481; out of order 500', () => {
    const { near, far } = established();
    near.request('INFO', { cseq: 0 });
    wire.settle();
    near.response(500, 'INFO');
    near.remoteTag = 'nobody';
    for (const method of ['INFO', 'UPDATE', 'BYE']) {
      near.request(method);
      wire.settle();
      near.response(481, method);
    }
    expect(far.peer.waiting).toEqual([]);
  });
});

describe('what sip.js would not take', () => {
  it('RFC 3261 8.1.1.1: a Request-URI of any scheme and spelling passes untouched', () => {
    for (const uri of ['tel:+1-555-0123;phone-context=x', 'sip:%42ob;x=Y@Home.Example:5061;User=phone']) {
      const { near, far } = invited({ uri, to: '"Bob \\" B" <sip:bob@home.example>;x=y' });
      expect(far.invite.uri).toBe(uri);
      expect(far.invite.header('to')).toBe('"Bob \\" B" <sip:bob@home.example>;x=y');
      far.respond(486);
      wire.settle();
      expect(far.expect('ACK').uri).toBe(uri);
      near.response(486);
    }
  });

  it('RFC 3261 8.2.2.1: an address of another scheme than sip is 416', () => {
    const near = wire.alice.invite({ from: '<tel:+15550100>' });
    wire.settle();
    near.response(416);
    expect(wire.left).toEqual(NOTHING);
  });

  it('RFC 3261 8.2: what is malformed is answered as on the own stack, and the core goes on', () => {
    const broken: [number, InviteOptions][] = [
      [400, { headers: [['Contact', '<sip:a@h>, <sip:b@h>']] }],
      [400, { headers: [['CSeq', '1 BYE']] }],
      [483, { headers: [['Max-Forwards', '0']] }],
    ];
    for (const [status, options] of broken) {
      const near = wire.alice.invite(options);
      wire.settle();
      const response = near.peer.take(
        `${status}`,
        (message) => message.kind === 'response' && message.status === status,
      );
      expect(response.callId).toBe(near.callId);
    }
    wire.alice.sendRaw(new TextEncoder().encode('SIP/2.0 200 OK\r\nCSeq: x\r\n\r\n'));
    wire.alice.sendRaw(new TextEncoder().encode('hello\r\n\r\n'));
    wire.settle();
    expect(wire.left).toEqual(NOTHING);
    const { near, far } = established();
    endedBy(near, far);
  });

  it('RFC 3261 20.15: a body without a type, at which sip.js throws, passes on and upsets nothing', () => {
    const { near, far } = invited({ headers: [['Content-Type', null]] });
    expect(far.invite.body.length).toBeGreaterThan(0);
    far.peer.send(
      responseTo(far.invite, 200, {
        toTag: far.localTag,
        headers: [headerField('Contact', `<${far.peer.uri}>`)],
        body: Uint8Array.of(120),
      }),
    );
    wire.settle();
    expect(bodyOf(near.response(200))).toBe('x');
    expect(wire.log).toEqual([]);
  });

  it('RFC 3261 11: OPTIONS and other requests outside dialogs are answered by the engine', () => {
    for (const [method, status] of [
      ['OPTIONS', 200],
      ['MESSAGE', 405],
      ['PUBLISH', 405],
      ['SUBSCRIBE', 489],
      ['REGISTER', 405],
    ] as const) {
      const call = wire.alice.invite({ uri: 'sip:pf@home.example' });
      wire.settle();
      const { near, far } = { near: call, far: wire.core.incoming() };
      near.response(100);
      far.respond(486);
      wire.settle();
      near.response(486);
      const request = new SipRequest(
        method,
        'sip:home.example',
        near.invite.headers.filter(({ name }) => name !== 'via'),
      );
      request.set('CSeq', `9 ${method}`);
      request.set('Call-ID', `outside-${method}`);
      wire.alice.send(request);
      wire.settle();
      const answer = wire.alice.take(
        method,
        (message) => message.kind === 'response' && message.cseq?.method === method,
      );
      expect(answer.kind === 'response' && answer.status).toBe(status);
    }
    expect(wire.left).toEqual(NOTHING);
  });
});

describe('proxy mode', () => {
  it('can not be: the command throws and says what to set, and the caller has its 500', () => {
    wire.close();
    wire = new SipJsWire({ mediaPath: 'auto' });
    const near = wire.alice.invite();
    expect(() => wire.settle()).toThrow(/forwardInvite: .*policy\.mediaPath to 'always'/);
    wire.settle();
    near.response(500);
  });
});
