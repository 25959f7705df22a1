/**
 * The SIP stack alone, without an engine: two of them on loopback. One calls, the other answers; each side is a listener
 * for events that gives commands. Transactions, dialogs, retransmissions and ACK matching are the stack's own matter.
 */
import { pathToFileURL } from 'node:url';
import { bytesOfWire, createSipStack, headerField, type ListeningSipStack, type SipEvent } from 'cpm-engine/sip';

const SDP = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=message 2855 TCP/MSRP *\r\n';

function description(stack: ListeningSipStack) {
  const headers = [headerField('Contact', `<sip:${stack.contact}>`), headerField('Content-Type', 'application/sdp')];
  return { headers, body: bytesOfWire(SDP) };
}

/** Rings, accepts, and agrees to the end. */
function answering(stack: ListeningSipStack, print: (line: string) => void) {
  return (event: SipEvent): void => {
    print(`callee: ${summary(event)}`);
    const { execute } = { execute: stack.execute.bind(stack) };
    if (event.type === 'invite') {
      const { leg } = event;
      const contact = [headerField('Contact', `<sip:${stack.contact}>`)];
      execute({ type: 'progress', leg, fork: 0, status: 180, reason: 'Ringing', reliable: false, headers: contact });
      execute({ type: 'answer', leg, fork: 0, status: 200, ...description(stack) });
    } else if (event.type === 'bye') {
      execute({ type: 'respond', leg: event.leg, exchange: event.exchange, status: 200, headers: [] });
      execute({ type: 'release', leg: event.leg });
    } else if (event.type === 'outside') {
      execute({ type: 'reply', exchange: event.exchange, status: 405, headers: [] });
    }
  };
}

/** Acknowledges the answer, says BYE at once, and tells when that is answered. */
function calling(stack: ListeningSipStack, print: (line: string) => void, ended: () => void) {
  return (event: SipEvent): void => {
    print(`caller: ${summary(event)}`);
    if (event.type === 'answered') {
      stack.execute({ type: 'acknowledge', leg: event.leg, headers: [] });
      stack.execute({ type: 'request', leg: event.leg, exchange: 'bye', method: 'BYE', headers: [] });
    } else if (event.type === 'response' || event.type === 'failed') {
      stack.execute({ type: 'release', leg: event.leg });
      ended();
    }
  };
}

function summary(event: SipEvent): string {
  if (!('response' in event) || event.response === undefined) return event.type;
  return `${event.type} ${event.response.status} ${event.response.reason}`;
}

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const callee = await createSipStack({ listen: ['udp:127.0.0.1:0', 'tcp:127.0.0.1:0'] });
  const caller = await createSipStack({ listen: ['udp:127.0.0.1:0'] });
  print(`the callee listens on ${callee.listening.map((address) => address.replace(/:\d+$/, '')).join(' and ')}`);

  callee.onEvent(answering(callee, print));
  const over = new Promise<void>((resolve) => caller.onEvent(calling(caller, print, resolve)));
  caller.execute({
    type: 'invite',
    // A leg is named by whoever makes it: a key of one's own, a dot, a short name.
    leg: 'first.b',
    invite: {
      uri: `sip:bob@${callee.contact}`,
      from: '<sip:alice@home.example>',
      to: '<sip:bob@home.example>',
      maxForwards: 70,
      // One empty route set: the Request-URI says where it goes.
      routeSets: [[]],
      ...description(caller),
    },
  });
  await over;
  await Promise.all([caller.close(), callee.close()]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
