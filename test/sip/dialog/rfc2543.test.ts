/** Whole sessions with a peer of RFC 2543: no branch, no From tag, no Contact, an ACK with the Via of its INVITE. */
import { describe, expect, it } from '@jest/globals';
import { headerField } from '../../../src/sip/message/header.ts';
import { SipRequest, SipResponse } from '../../../src/sip/message/message.ts';
import { chatSdp, type Peer, World } from '../../../src/testing/index.ts';

/** An INVITE of a CPM session as RFC 2543 would have it, sent as it stands. */
function oldInvite(world: World): { readonly peer: Peer; readonly invite: SipRequest } {
  const peer = world.peer('alice');
  const { invite } = new World().peer('alice').invite();
  const headers = [headerField('Via', `SIP/2.0/UDP ${peer.address}`), headerField('Call-ID', 'old@10.0.1.9')];
  for (const field of invite.headers) {
    if (['via', 'call-id', 'contact', 'from', 'max-forwards', 'supported'].includes(field.name)) continue;
    headers.push(field);
  }
  headers.push(headerField('From', `sip:alice@${peer.address}`));
  const old = new SipRequest('INVITE', invite.uri, headers, invite.body);
  peer.sendRaw(old);
  world.settle();
  return { peer, invite: old };
}

const finalOf = (peer: Peer): SipResponse =>
  peer.take('final response', (message) => message instanceof SipResponse && message.status >= 200) as SipResponse;

/** A request of the peer inside the session: everything as in its INVITE but for the To tag. */
function next(invite: SipRequest, method: string, to: string): SipRequest {
  const kept = invite.headers.filter((field) => ['via', 'from', 'call-id'].includes(field.name));
  const number = method === 'ACK' ? 1 : 2;
  return new SipRequest(method, invite.uri, [
    ...kept,
    headerField('To', to),
    headerField('CSeq', `${number} ${method}`),
  ]);
}

describe('a caller of RFC 2543', () => {
  it.each(['always', 'never'] as const)(
    'RFC 6026 7.1: is heard when it acknowledges (media path %s), and can end',
    (mediaPath) => {
      const world = new World({ policy: { mediaPath } });
      const { peer, invite } = oldInvite(world);
      const far = world.core.incoming();
      far.respond(200, { sdp: chatSdp('bob') });
      world.settle();
      const answer = finalOf(peer);
      const to = answer.header('to') ?? '';
      expect(answer.status).toBe(200);
      const ack = next(invite, 'ACK', to);
      const bye = next(invite, 'BYE', to);
      if (mediaPath === 'never') {
        for (const request of [ack, bye]) {
          for (const route of answer.list('record-route')) request.headers.push(headerField('Route', route));
          request.uri = answer.contact?.uri ?? '';
        }
      }
      peer.sendRaw(ack);
      world.settle();
      far.expect('ACK');
      peer.inbox.length = 0;
      world.advance(40_000);
      expect(peer.waiting).toEqual([]);
      expect(world.pf.engine.sessions.size).toBe(1);
      peer.sendRaw(bye);
      world.settle();
      far.respond(200, { to: far.expect('BYE') });
      world.settle();
      expect(finalOf(peer).cseq?.method).toBe('BYE');
      world.advance(70_000);
      expect(world.held).toEqual([]);
    },
  );

  it('RFC 2543 6.13: is reached by its From where the far side ends', () => {
    const world = new World({ policy: { mediaPath: 'always' } });
    const { peer, invite } = oldInvite(world);
    const far = world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    peer.sendRaw(next(invite, 'ACK', finalOf(peer).header('to') ?? ''));
    world.settle();
    far.expect('ACK');
    far.bye();
    world.settle();
    const bye = peer.take('BYE', (message) => message.kind === 'request' && message.method === 'BYE') as SipRequest;
    expect(bye.uri).toBe(`sip:alice@${peer.address}`);
    expect(bye.toTag).toBeUndefined();
  });

  it('RFC 3261 17.2.3: its copies and its CANCEL find the INVITE', () => {
    const world = new World({ policy: { mediaPath: 'always' } });
    const { peer, invite } = oldInvite(world);
    const far = world.core.incoming();
    far.respond(180);
    world.settle();
    peer.sendRaw(invite.copy());
    world.settle();
    expect(world.core.waiting).toEqual([]);
    const cancel = next(invite, 'CANCEL', invite.header('to') ?? '');
    cancel.set('CSeq', '1 CANCEL');
    peer.sendRaw(cancel);
    world.settle();
    expect([finalOf(peer).status, finalOf(peer).status].sort()).toEqual([200, 487]);
    far.expect('CANCEL');
  });
});
