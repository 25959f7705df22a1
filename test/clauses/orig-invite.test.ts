/** 8.2.2.1: an invitation from the served user, up to the INVITE that goes on. Bytes in, bytes out. */
import { describe, expect, it } from '@jest/globals';
import { bodyOf, chatSdp, uriIn, World } from '../../src/testing/index.ts';
import { ISF, invite, leftovers, origin, ports } from '../support/session.ts';

describe('step 1: the originator', () => {
  it('O-INV-1 O-INV-1-r O-INV-1-w: a user without the service gets 403 with the warning, byte for byte (A-02, A-03)', () => {
    const world = new World({ profile: { services: ['msg'] } });
    const call = invite(world, 'orig');
    world.settle();
    const refusal = call.response(403);
    expect(refusal.reason).toBe('Forbidden');
    expect(refusal.header('warning')).toBe('399 10.0.0.10 "127 Service not authorised"');
    expect(world.core.waiting).toEqual([]);
    call.ack();
    expect(leftovers(world)).toEqual([]);
  });

  it('O-INV-1 O-INV-1-r: nobody is authenticated by a P-Asserted-Identity of an untrusted peer (A-03)', () => {
    const world = new World({ trusts: () => false });
    const call = invite(world, 'orig', { headers: [['Route', '<sip:10.0.0.10:5060;lr;orig>']] });
    world.settle();
    expect(call.response(403).header('warning')).toContain('127 Service not authorised');
  });

  it('O-INV-1 O-INV-1-r: a user nobody knows here is not allowed', () => {
    const world = new World({ profile: { known: false } });
    const call = invite(world, 'orig');
    world.settle();
    expect(call.response(403).header('warning')).toContain('127');
  });

  it('O-INV-1: an allowed originator goes on, by sip or tel identity', () => {
    const world = new World();
    const call = invite(world, 'orig', {
      headers: [['P-Asserted-Identity', '<sip:alice@home.example>, <tel:+15550100>']],
    });
    world.settle();
    call.response(100);
    expect(world.core.waiting).toEqual(['INVITE']);
  });
});

describe('step 2: the User-Agent version', () => {
  const requiredUserAgent = { min: '1.0', max: '2.0', onMissing: 'refuse' } as const;

  it('O-INV-2 O-INV-2-r O-INV-2-w: a release outside the range gets 403 with the warning', () => {
    const world = new World({ policy: { requiredUserAgent } });
    const call = invite(world, 'orig', { headers: [['User-Agent', 'CPM-client/OMA2.10 X/1']] });
    world.settle();
    const refusal = call.response(403);
    expect(refusal.header('warning')).toBe('399 10.0.0.10 "132 Version not supported"');
  });

  it('O-INV-2: releases compare by number, not by text, and one inside the range goes on', () => {
    const world = new World({ policy: { requiredUserAgent: { ...requiredUserAgent, max: '2.10' } } });
    invite(world, 'orig', { headers: [['User-Agent', 'Other/3.0 CPM-client/OMA2.9']] });
    world.settle();
    expect(world.core.waiting).toEqual(['INVITE']);
  });

  it('O-INV-2: a missing release is what policy says it is (A-04)', () => {
    for (const [onMissing, expected] of [
      ['refuse', 0],
      ['allow', 1],
    ] as const) {
      const world = new World({ policy: { requiredUserAgent: { ...requiredUserAgent, onMissing } } });
      invite(world, 'orig', { headers: [['User-Agent', 'Phone/1.0']] });
      world.settle();
      expect(world.core.waiting).toHaveLength(expected);
    }
  });
});

describe('step 3: anonymity', () => {
  it('O-INV-3 O-INV-3-w: asked for and not allowed, it gets 403 with the warning', () => {
    const world = new World({ policy: { allowAnonymity: false } });
    const call = invite(world, 'orig', { headers: [['Privacy', 'id;critical']] });
    world.settle();
    expect(call.response(403).header('warning')).toBe('399 10.0.0.10 "119 Anonymity not allowed"');
  });

  it('O-INV-3: "none" withdraws the request, and an anonymous From alone is none unless policy says so (A-05)', () => {
    const cases = [
      { policy: { allowAnonymity: false }, headers: [['Privacy', 'id;none']], passes: true },
      { policy: { allowAnonymity: false }, from: '"Anonymous" <sip:anonymous@anonymous.invalid>', passes: true },
      {
        policy: { allowAnonymity: false, anonymityFromHeader: true },
        from: '"Anonymous" <sip:anonymous@anonymous.invalid>',
        passes: false,
      },
      { policy: { allowAnonymity: true }, headers: [['Privacy', 'id']], passes: true },
    ] as const;
    for (const { policy, passes, ...options } of cases) {
      const world = new World({ policy });
      invite(world, 'orig', options as object);
      world.settle();
      expect(world.core.waiting).toEqual(passes ? ['INVITE'] : []);
    }
  });
});

describe('step 4: as B2BUA', () => {
  const b2bua = { policy: { mediaPath: 'always' } } as const;

  it('O-INV-4a O-INV-4c O-INV-4h-core: a new INVITE with the received Request-URI goes through the core', () => {
    const world = new World(b2bua);
    const call = invite(world, 'orig', { uri: 'sip:bob@other.example;user=phone' });
    world.settle();
    const far = world.core.incoming();
    expect(far.invite.uri).toBe('sip:bob@other.example;user=phone');
    expect(far.invite.callId).not.toBe(call.callId);
    expect(far.invite.fromTag).not.toBe(call.localTag);
    expect(far.invite.lines('via')).toHaveLength(1);
    expect(far.invite.header('route')).toBe('<sip:10.0.0.20:5060;lr>');
    expect(far.invite.header('max-forwards')).toBe('69');
    expect(uriIn(far.invite.header('from'))).toBe('sip:alice@home.example');
    expect(far.invite.header('p-served-user')).toBeUndefined();
  });

  it('O-INV-4h-core: the routes the INVITE came with lead on, our own taken off', () => {
    const world = new World(b2bua);
    const onward = world.peer('scscf', '10.0.2.2:5060');
    invite(world, 'orig', { headers: [['Route', '<sip:10.0.0.10:5060;lr>, <sip:10.0.2.2;lr;dlg=1>']] });
    world.settle();
    expect(onward.incoming().invite.header('route')).toBe('<sip:10.0.2.2;lr;dlg=1>');
    expect(world.core.waiting).toEqual([]);
  });

  it('O-INV-4b: the mode is fixed with the INVITE: the whole session runs over two dialogs', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    const ok = near.response(200);
    expect(ok.toTag).not.toBe(far.localTag);
    near.ack();
    world.settle();
    expect(far.expect('ACK').fromTag).toBe(far.invite.fromTag);
    near.request('INFO');
    world.settle();
    const info = far.expect('INFO');
    expect(info.callId).toBe(far.invite.callId);
    expect(info.lines('via')).toHaveLength(1);
  });

  it('O-INV-4d: User-Agent names our release first and keeps the client behind it (A-07)', () => {
    const world = new World(b2bua);
    invite(world, 'orig');
    world.settle();
    expect(world.core.incoming().invite.header('user-agent')).toBe(
      'CPM-serv/OMA2.0 cpm-engine/test CPM-client/OMA2.0 Phone/1.0',
    );
  });

  it('O-INV-4e O-INV-4f: Contact keeps its feature parameters under our URI; Accept-Contact is copied (A-08)', () => {
    const world = new World(b2bua);
    const call = invite(world, 'orig', {
      headers: [
        ['Contact', '<sip:alice@10.0.1.1>;isfocus;+sip.instance="<urn:uuid:1>";expires=60'],
        ['Accept-Contact', '*;+g.3gpp.iari-ref="urn%3Aurn-7%3Aapp";explicit'],
      ],
    });
    world.settle();
    const { invite: sent } = world.core.incoming();
    expect(sent.lines('contact')).toHaveLength(1);
    expect(sent.header('contact')).toMatch(
      /^<sip:c0-[0-9a-f]+@10\.0\.0\.10:5060>;isfocus;\+sip\.instance="<urn:uuid:1>"$/,
    );
    expect(sent.lines('accept-contact').map((field) => field.line)).toEqual(
      call.invite.lines('accept-contact').map((field) => field.line),
    );
  });

  it("O-INV-4g: the offer is the client's under an origin of our own; lines and order are kept (A-09)", () => {
    const world = new World(b2bua);
    const offered = chatSdp('alice', [2855, 2856, 0]);
    invite(world, 'orig', { sdp: offered });
    world.settle();
    const sdp = bodyOf(world.core.incoming().invite);
    expect(ports(sdp)).toEqual([2855, 2856, 0]);
    expect(origin(sdp)).toMatchObject({ version: 1, address: '10.0.0.10' });
    expect(sdp.replace(/^o=.*$/m, '')).toBe(offered.replace(/^o=.*$/m, ''));
  });

  it('O-INV-4g: an INVITE without an offer goes on without one (A-23), other bodies beside the offer stay', () => {
    const late = new World(b2bua);
    invite(late, 'orig', { sdp: null });
    late.settle();
    expect(bodyOf(late.core.incoming().invite)).toBe('');

    const mixed = new World(b2bua);
    const body = `--b1\r\nContent-Type: application/sdp\r\n\r\n${chatSdp('alice')}\r\n--b1\r\nContent-Type: message/cpim\r\n\r\nhello\r\n--b1--\r\n`;
    invite(mixed, 'orig', { body, type: 'multipart/mixed;boundary=b1' });
    mixed.settle();
    const { invite: sent } = mixed.core.incoming();
    expect(sent.header('content-type')).toBe('multipart/mixed;boundary=b1');
    expect(bodyOf(sent)).toContain('Content-Type: message/cpim\r\n\r\nhello\r\n--b1--');
    expect(origin(bodyOf(sent)).address).toBe('10.0.0.10');
  });

  it('O-INV-4h: a destination that is neither sip nor tel goes straight to the ISF (A-10)', () => {
    for (const uri of ['mailto:carol@mail.example', 'im:carol@im.example', 'xmpp:carol@x.example', 'mmsto:+15550']) {
      const world = new World({ ...b2bua, isf: [ISF] });
      invite(world, 'orig', { uri });
      world.settle();
      const { invite: sent } = world.isf.incoming();
      expect(sent.uri).toBe(uri);
      expect(sent.header('route')).toBe('<sip:10.0.0.30:5060;lr>');
      expect(world.core.waiting).toEqual([]);
    }
    for (const uri of ['sips:carol@home.example', 'tel:+15550100', 'sip:carol@elsewhere.example']) {
      const world = new World({ ...b2bua, isf: [ISF] });
      invite(world, 'orig', { uri });
      world.settle();
      expect(world.core.incoming().invite.uri).toBe(uri);
      expect(world.isf.waiting).toEqual([]);
    }
  });

  it('O-INV-4h: without an ISF such a destination is a 416', () => {
    const world = new World(b2bua);
    const call = invite(world, 'orig', { uri: 'mailto:carol@mail.example' });
    world.settle();
    call.response(416);
  });
});

describe('step 5: as proxy', () => {
  const proxy = { policy: { mediaPath: 'never' } } as const;

  it('O-INV-5a O-INV-5b O-INV-5c-core: the INVITE itself goes on, with our Record-Route', () => {
    const world = new World(proxy);
    const call = invite(world, 'orig');
    world.settle();
    call.response(100);
    const { invite: sent } = world.core.incoming();
    expect(sent.callId).toBe(call.callId);
    expect(sent.fromTag).toBe(call.localTag);
    expect(sent.lines('via')).toHaveLength(2);
    expect(sent.header('record-route')).toMatch(/^<sip:[\w-]+@10\.0\.0\.10:5060;lr>$/);
    expect(sent.header('max-forwards')).toBe('69');
    expect(sent.header('contact')).toBe(call.invite.header('contact'));
    expect(bodyOf(sent)).toBe(bodyOf(call.invite));
    expect(sent.header('user-agent')).toBe('CPM-client/OMA2.0 Phone/1.0');
  });

  it('O-INV-5c: a destination that is neither sip nor tel is forwarded straight to the ISF', () => {
    const world = new World({ ...proxy, isf: [ISF] });
    invite(world, 'orig', { uri: 'im:carol@im.example' });
    world.settle();
    const { invite: sent } = world.isf.incoming();
    expect(sent.uri).toBe('im:carol@im.example');
    expect(sent.header('record-route')).toContain('10.0.0.10');
    expect(world.core.waiting).toEqual([]);
  });

  it('O-INV-5a: the mode stays proxy for the whole session, whatever comes', () => {
    const world = new World({ ...proxy, profile: { allowOfflineStorage: true } });
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    near.response(200);
    near.ack();
    world.settle();
    expect(far.expect('ACK').callId).toBe(near.callId);
    expect([...world.pf.engine.sessions.values()].map((session) => session.context.mode)).toEqual(['proxy']);
  });
});

describe('the choice between proxy and B2BUA', () => {
  it('O-INV-4b O-INV-5a: "auto" stays in the media path for storage, interworking or an extended session (A-06, A-55)', () => {
    const cases = [
      { options: {}, mode: 'proxy' },
      { options: { profile: { allowOfflineStorage: true } }, mode: 'b2bua' },
      { options: { isf: [ISF] }, mode: 'b2bua' },
      { options: { isf: [ISF], profile: { interworking: false } }, mode: 'proxy' },
      { options: { profile: { allowOfflineStorage: true }, policy: { recording: false } }, mode: 'proxy' },
    ] as const;
    for (const { options, mode } of cases) {
      const world = new World(options);
      const call = invite(world, 'orig');
      world.settle();
      const sent = world.core.incoming().invite;
      expect(sent.callId === call.callId ? 'proxy' : 'b2bua').toBe(mode);
    }
  });
});
