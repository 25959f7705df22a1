/** What each command of a scene does on its stage. */
import { headerField } from '../../sip/message/header.ts';
import { SipRequest } from '../../sip/message/message.ts';
import type { EndpointDialog } from '../endpoint/dialog.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { chatSdp } from '../peer.ts';
import type { Command } from './scene.ts';
import type { Stage } from './stage.ts';

/** Does one command at once. */
export function perform(command: Exclude<Command, { do: 'wait' }>, stage: Stage): void {
  switch (command.do) {
    case 'crash':
      return crash(command, stage);
    case 'cancel':
      return stage.endpoints.near.cancel(command.rash);
    case 'faults':
      stage.weather.faults = command.faults;
      return;
    case 'history':
      stage.history.mood = command.mood;
      stage.history.delayMs = command.delayMs;
      return;
    case 'disk':
      stage.pf.store.delayMs = command.commitMs;
      stage.pf.store.failure = command.full === true ? 'the disk is full' : null;
      return;
    case 'policy':
      stage.pf.engine.policy = { ...stage.pf.engine.policy, ...command.change };
      return;
    case 'order':
      return order(command.by, stage);
    case 'mediaFails':
      if (stage.pf.up)
        for (const session of [...stage.pf.engine.sessions.values()])
          session.deliver({ type: 'mediaFailed', leg: 'a' });
      return;
    case 'invite':
      return inviteAgain(command.how, stage);
    default:
      return performAt(command, stage.endpoints[command.who], stage);
  }
}

type EndpointCommand = Extract<Command, { readonly who: unknown }>;

function performAt(command: EndpointCommand, endpoint: Endpoint, stage: Stage): void {
  switch (command.do) {
    case 'bye':
      return withDialog(endpoint, command.early, (dialog) => endpoint.bye(dialog));
    case 'offer': {
      const parts = command.empty ? {} : { sdp: chatSdp('again') };
      return withDialog(endpoint, command.early, (dialog) => endpoint.request(dialog, command.method, parts));
    }
    case 'ask':
      return withDialog(endpoint, command.early, (dialog) => endpoint.request(dialog, command.method));
    case 'retract':
      return endpoint.cancel();
    case 'deafen':
    case 'wake':
      endpoint.deaf = command.do === 'deafen';
      return;
    case 'forget':
      return endpoint.forget();
    case 'conduct':
      endpoint.conduct = { ...endpoint.conduct, ...command.change };
      return;
    case 'cut':
      return cut(stage, endpoint, command.way, stage.world.clock.now() + command.ms);
  }
}

/** The last dialog that is still open, agreed on or early. */
function withDialog(endpoint: Endpoint, early: boolean | undefined, act: (dialog: EndpointDialog) => void): void {
  const dialog = endpoint.dialogs.findLast(({ confirmed, ended }) => confirmed !== (early === true) && !ended);
  if (dialog !== undefined) act(dialog);
}

/** Nothing passes between the function and an endpoint in one direction. */
export function cut(stage: Stage, endpoint: Endpoint, way: 'to' | 'from', until: number): void {
  const { address } = endpoint.peer;
  if (way === 'to') stage.weather.cut(null, address, until);
  else stage.weather.cut(address, null, until);
}

/** Ends every session by order, as the admin interface and the stopping server do. */
export function order(by: 'operator' | 'shutdown', stage: Stage): void {
  const { engine, up } = stage.pf;
  if (!up) return;
  if (by === 'shutdown') engine.refusing = true;
  for (const id of [...engine.sessions.keys()]) engine.end(id, by);
}

function crash({ instant, downMs }: Extract<Command, { do: 'crash' }>, { watched }: Stage): void {
  if (instant === 'now') watched.crash(downMs);
  else watched.crashAfter(instant, downMs);
}

/** The invitation that opens every scene. */
export function invite(stage: Stage, callId = `call-${stage.world.random.token()}`): void {
  stage.endpoints.near.invite(invitation(stage, callId));
}

function inviteAgain(how: 'merged' | 'sameCallId' | 'anew', stage: Stage): void {
  const { near } = stage.endpoints;
  const first = near.invitations[0];
  if (first === undefined || how === 'anew') {
    invite(stage);
    return;
  }
  if (how === 'sameCallId') {
    invite(stage, first.callId);
    return;
  }
  // The same request over another path: only its Via differs.
  const copy = new SipRequest(
    'INVITE',
    first.uri,
    first.headers.filter(({ name }) => name !== 'via'),
    first.body,
  );
  near.invite(copy);
}

function invitation(stage: Stage, callId: string): SipRequest {
  const { setting } = stage.scene;
  const { near } = stage.endpoints;
  const { role, interworked, streams, supported, interval } = setting;
  const ports = Array.from({ length: streams }, (_, at) => 2855 + at);
  const term = role === 'term';
  const template = near.peer.request({
    callId,
    ...(term ? { from: '<sip:alice@away.example>' } : {}),
    ...(interworked && !term ? { uri: 'mailto:carol@mail.example' } : {}),
    sdp: streams === 0 ? null : chatSdp(near.peer.name, ports),
    headers: [
      ['Supported', supported.length === 0 ? null : supported.join(', ')],
      ...(term
        ? ([
            ['P-Served-User', '<sip:bob@home.example>;sescase=term;regstate=reg'],
            ['P-Asserted-Identity', '<sip:alice@away.example>'],
          ] as const)
        : []),
    ],
  });
  if (supported.includes('timer')) template.headers.push(headerField('Session-Expires', String(interval)));
  return template;
}
