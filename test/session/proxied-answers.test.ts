/** The 2xx of a session in proxy mode: its copies, those of other forks, and what is believed in them. */
import { describe, expect, it } from '@jest/globals';
import { chatSdp, World } from '../../src/testing/index.ts';
import { establish, invite, leftovers } from '../support/session.ts';

const TIMER = [['Supported', 'timer']] as const;

describe('RFC 4028 8.2: where the callee knows no session timer', () => {
  it('each copy of the 2xx asks the caller to refresh', () => {
    const world = new World({ policy: { mediaPath: 'never' } });
    const near = invite(world, 'orig', { headers: TIMER });
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob') });
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    for (let copy = 0; copy < 2; copy++) {
      const answer = near.response(200);
      expect(answer.header('session-expires')).toBe('1800;refresher=uac');
      expect(answer.list('require')).toEqual(['timer']);
    }
  });

  it('so does the 2xx of another fork, beside what that one requires', () => {
    const world = new World({ policy: { mediaPath: 'never' } });
    const near = invite(world, 'orig', { headers: TIMER });
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    far.localTag = 'other';
    far.respond(200, { sdp: chatSdp('bob'), headers: [['Require', 'outbound']] });
    far.localTag = 'third';
    far.respond(200, { sdp: chatSdp('bob'), headers: [['Session-Expires', '600;refresher=uas']] });
    world.settle();
    near.response(200);
    const other = near.response(200);
    expect(other.header('session-expires')).toBe('1800;refresher=uac');
    expect(other.list('require')).toEqual(['outbound', 'timer']);
    expect(near.response(200).header('session-expires')).toBe('600;refresher=uas');
  });
});

describe('Message-UID in a proxied dialog (digest 3.2)', () => {
  it.each([
    ['a trusted peer passes', true],
    ['any other is removed', false],
  ] as const)('that of %s, in requests and responses', (_, trusted) => {
    const world = new World({ policy: { mediaPath: 'never' }, trusts: (address) => trusted || address === '10.0.1.1' });
    const { near, far } = establish(world, 'orig', {
      headers: [['P-Asserted-Service', 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.session']],
    });
    far.request('BYE', { headers: [['Message-UID', '66']] });
    world.settle();
    const bye = near.expect('BYE');
    expect(bye.header('message-uid')).toBe(trusted ? '66' : undefined);
    near.respond(200, { to: bye, headers: [['Message-UID', '77']] });
    world.settle();
    expect(far.response(200, 'BYE').header('message-uid')).toBe(trusted ? '77' : undefined);
    expect(leftovers(world)).toEqual([]);
  });
});

it('RFC 4028 8.2, 6026 8.9: a copy that comes when its transactions are gone has the session timer too, also after a restart', () => {
  const world = new World({ policy: { mediaPath: 'never' } });
  const near = invite(world, 'orig', { headers: TIMER });
  world.settle();
  const far = world.core.incoming();
  far.respond(200, { sdp: chatSdp('bob') });
  world.advance(33_000);
  expect(near.response(200).header('session-expires')).toBe('1800;refresher=uac');
  far.respond(200, { sdp: chatSdp('bob') });
  world.settle();
  expect(near.response(200).header('session-expires')).toBe('1800;refresher=uac');
  world.pf.crash();
  world.pf.start();
  far.respond(200, { sdp: chatSdp('bob') });
  world.settle();
  expect(near.response(200).header('session-expires')).toBe('1800;refresher=uac');
});
