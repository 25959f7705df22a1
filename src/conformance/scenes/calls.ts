/** The main call flows, played whole. */
import { chatSdp } from '../../testing/index.ts';
import { type Scene, scene } from './byes.ts';
import { Stage } from './stage.ts';

const RECORDED = { allowOfflineStorage: true } as const;

/** A call with ringing, and its end by whoever invited. */
function whole(options: ConstructorParameters<typeof Stage>[0]): Stage {
  const stage = new Stage(options);
  const near = stage.invite();
  const far = stage.world.core.incoming();
  stage.answer(far, 180);
  stage.answer(far, 200, { sdp: chatSdp('bob') });
  stage.acknowledge(near);
  stage.bye(near);
  stage.reply(far, 'BYE');
  return stage;
}

function interworked(): Stage {
  const stage = new Stage({ role: 'orig', profile: RECORDED });
  const near = stage.inviteInterworked();
  stage.answer(stage.world.isf.incoming(), 200, { sdp: chatSdp('iwf1') });
  stage.acknowledge(near);
  return stage;
}

function secondary(): Stage {
  const stage = new Stage({ role: 'orig', profile: RECORDED });
  stage.establishTwoIwfs();
  return stage;
}

function interworkedAfterFailure(): Stage {
  const stage = new Stage({ role: 'orig' });
  const near = stage.invite();
  stage.answer(stage.world.core.incoming(), 404);
  stage.answer(stage.world.isf.incoming(), 200, { sdp: chatSdp('iwf1') });
  stage.acknowledge(near);
  return stage;
}

function redirected(): Stage {
  const stage = new Stage({ role: 'term' });
  const near = stage.invite();
  const { core } = stage.world;
  stage.answer(core.incoming(), 302, { headers: [['Contact', '<sip:bob@other.example>']] });
  stage.answer(core.incoming(), 200, { sdp: chatSdp('bob') });
  stage.acknowledge(near);
  return stage;
}

function noClient(): Stage {
  const stage = new Stage({ role: 'term', profile: { clients: [] }, policy: { noClient: 'reject' } });
  stage.acknowledgeFailure(stage.invite(), 480);
  return stage;
}

function blacklisted(): Stage {
  const stage = new Stage({ role: 'term', profile: { blacklisted: true } });
  stage.acknowledgeFailure(stage.invite(), 403);
  return stage;
}

function cancelled(): Stage {
  const stage = new Stage({ role: 'orig' });
  const near = stage.invite();
  const far = stage.world.core.incoming();
  stage.answer(far, 180);
  near.cancel();
  stage.world.settle();
  stage.acknowledgeFailure(near, 487);
  stage.reply(far, 'CANCEL');
  stage.answer(far, 487);
  return stage;
}

/** The far 200 and the CANCEL are on their way at the same time. */
function crossingCancel(): Stage {
  const stage = new Stage({ role: 'orig' });
  const near = stage.invite();
  const far = stage.world.core.incoming();
  stage.answer(far, 180);
  near.cancel();
  stage.world.advance(1);
  far.respond(200, { sdp: chatSdp('bob') });
  stage.world.settle();
  stage.acknowledgeFailure(near, 487);
  stage.reply(far, 'CANCEL');
  stage.reply(far, 'BYE');
  return stage;
}

function renegotiated(): Stage {
  const stage = new Stage({ role: 'orig' });
  const { near, far } = stage.establish();
  stage.begin();
  near.request('INVITE', { sdp: chatSdp('alice', [2855, 2856]) });
  stage.world.settle();
  stage.reply(far, 'INVITE', 200, { sdp: chatSdp('bob', [2855, 2856]) });
  stage.acknowledge(near);
  return stage;
}

function glare(): Stage {
  const stage = new Stage({ role: 'orig' });
  const { near, far } = stage.establish();
  stage.begin();
  near.request('INVITE', { sdp: chatSdp('alice', [2855, 2856]) });
  far.request('INVITE', { sdp: chatSdp('bob', [2855, 2857]) });
  stage.world.settle();
  far.response(491);
  stage.reply(far, 'INVITE', 200, { sdp: chatSdp('bob', [2855, 2856]) });
  stage.acknowledge(near);
  return stage;
}

function slowStore(): Stage {
  const stage = new Stage({ role: 'orig', profile: RECORDED });
  const { near, far } = stage.establish();
  stage.stallHistory();
  stage.begin();
  stage.bye(near);
  stage.reply(far, 'BYE');
  stage.world.advance(2000);
  return stage;
}

export const CALL_SCENES: readonly Scene[] = [
  scene('call-orig', 'Originating B2BUA, recorded: a whole call', () => whole({ role: 'orig', profile: RECORDED })),
  scene('call-term', 'Terminating B2BUA, recorded: a whole call', () => whole({ role: 'term', profile: RECORDED })),
  scene('call-proxy', 'Originating proxy: a whole call', () => whole({ role: 'orig', policy: { mediaPath: 'never' } })),
  scene('call-isf', 'Originating: to an address outside SIP, through the ISF', interworked),
  scene('call-secondary', 'Originating: a second IWF for the stream the first one rejects', secondary),
  scene('call-interworked-404', 'Originating: interworking after a 404', interworkedAfterFailure),
  scene('call-redirected', 'Terminating: a 302 is followed', redirected),
  scene('call-no-client', 'Terminating: no client is registered, and policy refuses', noClient),
  scene('call-blacklisted', 'Terminating: the inviter is on the blacklist', blacklisted),
  scene('call-cancel', 'CANCEL while it rings', cancelled),
  scene('call-cancel-crossing', 'CANCEL and 200 cross', crossingCancel),
  scene('call-renegotiated', 'A re-INVITE goes through', renegotiated),
  scene('call-glare', 'Two re-INVITEs cross', glare),
  scene('call-slow-store', 'BYE from the client while the store does not answer', slowStore),
];
