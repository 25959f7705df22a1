/** What fuzzing has found in the layers above transactions, each in its smallest form. */
import { describe, expect, it } from '@jest/globals';
import { headerField } from '../../src/sip/message/header.ts';
import { SipRequest } from '../../src/sip/message/message.ts';
import { type Call, chatSdp, World } from '../../src/testing/index.ts';
import { establish, invite, leftovers } from '../support/session.ts';

/** The same request again with another branch, as a fork upstream or a fresh transaction would send it. */
function again(request: SipRequest, call: Call): void {
  const copy = request.copy();
  copy.removeTop('via');
  copy.prepend('Via', `SIP/2.0/UDP ${call.peer.address};branch=z9hG4bKagain`);
  call.peer.sendRaw(copy);
}

describe('one in-dialog request that comes in two transactions', () => {
  it('RFC 3261 8.2.2.2, 17.2: in proxy mode each of them is answered, the second with 482', () => {
    const world = new World({ policy: { mediaPath: 'never' } });
    const { near, far } = establish(world, 'orig');
    again(near.request('INFO'), near);
    world.settle();
    far.respond(200, { to: far.expect('INFO') });
    world.settle();
    near.bye();
    world.settle();
    far.respond(200, { to: far.expect('BYE') });
    world.settle();
    expect(near.peer.waiting.filter((line) => line.endsWith('INFO'))).toEqual(['482 INFO', '200 INFO']);
    expect(leftovers(world)).toEqual([]);
  });

  it('RFC 3261 8.2.2.2, 17.2: as B2BUA each of them is answered, the second with 482', () => {
    const world = new World({ policy: { mediaPath: 'always' } });
    const { near, far } = establish(world, 'orig');
    again(near.request('INFO'), near);
    world.settle();
    far.respond(200, { to: far.expect('INFO') });
    world.settle();
    expect(near.peer.waiting.filter((line) => line.endsWith('INFO'))).toEqual(['482 INFO', '200 INFO']);
    near.bye();
    world.settle();
    far.respond(200, { to: far.expect('BYE') });
    expect(leftovers(world)).toEqual([]);
  });
});

describe('a proxied BYE that can be sent nowhere', () => {
  it('RFC 3261 16.9: is answered, and its transaction ends', () => {
    const world = new World({ policy: { mediaPath: 'never' } });
    const { near } = establish(world, 'orig');
    near.target = 'sip:nobody.example';
    near.bye();
    world.settle();
    expect(near.peer.waiting).toEqual(['500 BYE']);
    expect(leftovers(world)).toEqual([]);
  });
});

describe('an invitation that can be sent nowhere', () => {
  it.each(['always', 'never'] as const)('RFC 3261 13.3.1: is answered (media path %s)', (mediaPath) => {
    const world = new World({ policy: { mediaPath } });
    const near = invite(world, 'orig', { headers: [['Route', '<sip:nobody.example;lr>']] });
    world.settle();
    expect(near.peer.waiting).toEqual(['100 INVITE', expect.stringMatching(/^5\d\d INVITE$/)]);
    near.ack();
    expect(leftovers(world)).toEqual([]);
  });
});

describe('a BYE in the early dialog of a proxied session', () => {
  it('RFC 3261 16.6: is passed on or refused, and nothing is held because of it', () => {
    const world = new World({ policy: { mediaPath: 'never' } });
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    far.respond(180);
    world.settle();
    near.response(180);
    near.bye();
    world.settle();
    if (far.has('BYE')) far.respond(200, { to: far.expect('BYE') });
    world.settle();
    expect(near.peer.waiting.filter((line) => line.endsWith(' BYE'))).toHaveLength(1);
    far.respond(487);
    world.settle();
    near.ack();
    expect(leftovers(world)).toEqual([]);
  });
});

describe('an ACK that can be passed on to nowhere', () => {
  it('is counted', () => {
    const world = new World({ policy: { mediaPath: 'never' } });
    const { near } = establish(world, 'orig');
    near.target = 'sip:nobody.example';
    near.ack();
    world.settle();
    expect(world.pf.stack.counters.unsendable).toBe(1);
  });
});

describe('a 2xx that belongs to no transaction, while the INVITE is still open', () => {
  it('RFC 3261 17.1.3, 18.1.2: says nothing, and nothing is held because of it', () => {
    const world = new World({ policy: { mediaPath: 'always' } });
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    far.respond(180);
    world.settle();
    far.invite.set('Via', far.invite.header('via')?.replace('branch=', 'branch=z9hG4bKforged') ?? '');
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    expect(near.peer.waiting).not.toContain('200 INVITE');
    near.cancel();
    world.advance(40_000);
    expect(leftovers(world)).toEqual([]);
  });
});

describe('an INVITE that is passed on', () => {
  it('RFC 3261 16.6 step 11: is given up by timer C where it rings for ever', () => {
    const world = new World();
    invite(world, 'orig', {
      headers: [
        ['P-Asserted-Service', null],
        ['Accept-Contact', null],
        ['Contact', '<sip:a@10.0.1.1>'],
      ],
    });
    world.settle();
    const far = world.core.incoming();
    far.respond(180);
    world.advance(400_000);
    expect(far.has('CANCEL')).toBe(true);
    expect(leftovers(world)).toEqual([]);
  });

  it('RFC 3261 16.6 step 11: inside a proxied dialog too', () => {
    const world = new World({ policy: { mediaPath: 'never' } });
    const { near, far } = establish(world, 'orig');
    near.request('INVITE', { sdp: chatSdp('alice') });
    world.settle();
    far.respond(180, { to: far.expect('INVITE') });
    world.advance(400_000);
    expect(far.has('CANCEL')).toBe(true);
    near.bye();
    world.settle();
    far.respond(200, { to: far.expect('BYE') });
    expect(leftovers(world)).toEqual([]);
  });
});

describe('a session that ends while the far side rings about an offer', () => {
  it('RFC 3261 9.1: the re-INVITE is cancelled, and nothing is held because of it', () => {
    const world = new World({ policy: { mediaPath: 'always' } });
    const { near, far } = establish(world, 'orig');
    near.request('INVITE', { sdp: chatSdp('alice') });
    world.settle();
    far.respond(180, { to: far.expect('INVITE') });
    world.settle();
    near.bye();
    world.settle();
    far.respond(200, { to: far.expect('BYE') });
    expect(leftovers(world)).toEqual([]);
    expect(far.has('CANCEL')).toBe(true);
  });
});

describe('a 2xx with an interval nobody may ask for', () => {
  it.each(['always', 'never'] as const)('RFC 4028 4: counts as the smallest one (media path %s)', (mediaPath) => {
    const world = new World({ policy: { mediaPath } });
    const near = invite(world, 'orig', { headers: [['Supported', 'timer']] });
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob'), headers: [['Session-Expires', '1;refresher=uas']] });
    world.settle();
    near.response(200);
    near.ack();
    world.advance(30_000);
    expect(world.pf.engine.sessions.size).toBe(1);
    world.advance(90_000);
    expect(world.pf.engine.counters.byReason).toEqual({ sessionTimer: 1 });
  });
});

describe('a request outside a dialog with an extension or a scheme nobody knows', () => {
  const options = (world: World, uri: string, lines: readonly (readonly [string, string])[]): string[] => {
    const peer = world.peer('alice');
    const headers = [
      ['From', '<sip:alice@home.example>;tag=a'],
      ['To', '<sip:bob@home.example>'],
      ['Call-ID', 'o1'],
      ['CSeq', '1 OPTIONS'],
      ...lines,
    ] as const;
    const request = new SipRequest(
      'OPTIONS',
      uri,
      headers.map(([name, value]) => headerField(name, value)),
    );
    peer.send(request, { to: peer.pf });
    world.settle();
    return peer.waiting;
  };

  it('RFC 3261 8.2.2.3, RFC 4475 3.3.5: Require gets 420', () => {
    expect(options(new World(), 'sip:bob@home.example', [['Require', 'nothingSupportsThis']])).toEqual(['420 OPTIONS']);
  });

  it('RFC 3261 8.2.2.1, RFC 4475 3.3.2: the scheme gets 416', () => {
    expect(options(new World(), 'nobodyKnowsThisScheme:opaque', [])).toEqual(['416 OPTIONS']);
  });
});

describe('where an answer goes', () => {
  it('RFC 3261 18.2.1: received says where the request came from, whatever its sender wrote there', () => {
    const world = new World();
    const peer = world.peer('alice');
    const request = peer
      .invite({
        headers: [
          ['P-Asserted-Service', null],
          ['Accept-Contact', null],
        ],
      })
      .invite.copy();
    peer.inbox.length = 0;
    world.settle();
    request.set('Via', 'SIP/2.0/UDP host.example:5060;received=192.0.2.66;branch=z9hG4bKforged');
    request.set('Call-ID', 'forged');
    request.set('CSeq', 'broken');
    peer.sendRaw(request);
    world.settle();
    const refusal = peer.received.findLast((message) => message.callId === 'forged');
    expect(refusal?.header('via')).toContain(`received=${peer.address.split(':')[0]}`);
    expect(refusal?.header('via')).not.toContain('192.0.2.66');
  });

  it('RFC 3261 25.1: a quoted comma in a Via parameter stays where it is', () => {
    const world = new World();
    const peer = world.peer('alice');
    const request = peer.invite().invite.copy();
    request.set('Via', 'SIP/2.0/UDP host.example:5060;x="a, b";branch=z9hG4bKquoted');
    request.set('CSeq', 'broken');
    request.set('Call-ID', 'quoted');
    peer.sendRaw(request);
    world.settle();
    const refusal = peer.received.findLast((message) => message.callId === 'quoted');
    expect(refusal?.list('via')).toHaveLength(1);
    expect(refusal?.branch).toBe('z9hG4bKquoted');
    expect(refusal?.via?.params).toMatch(/received=/);
    expect(refusal?.header('via')).toContain('x="a, b";');
    expect(refusal?.header('via')).not.toContain('received=10.0.1.3, b');
  });
});
