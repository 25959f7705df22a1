/** Delivery notifications (RFC 5438): those of clients pass; the function makes one where a promise of its own fails. */
import { describe, expect, it } from '@jest/globals';
import { parseCpimHead } from '../../src/cpim/cpim.ts';
import type { SipRequest } from '../../src/sip/message/message.ts';
import type { World } from '../../src/testing/index.ts';
import { named, parseXml } from '../../src/xml/xml.ts';
import {
  deferring,
  incoming,
  type MessageOptions,
  MSG,
  register,
  respond,
  send,
  textOf,
  waitingAt,
} from '../support/message.ts';
import { leftovers } from '../support/session.ts';

const FAILED = '<delivery-notification><status><failed/></status></delivery-notification>';

/** A kept message that expires. */
function expired(options: MessageOptions = {}): World {
  const world = deferring();
  send(world, 'term', { id: 'm7', ...options, headers: [['Expires', '60'], ...(options.headers ?? [])] });
  world.advance(60_400);
  return world;
}

function xmlOf(message: SipRequest) {
  const text = textOf(message);
  return parseXml(text.slice(text.indexOf('<?xml')));
}

describe('a message that is given up', () => {
  it('its sender hears so: failed, with the Message-ID it gave, from the user who never had it', () => {
    const world = expired();
    const told = incoming(world.core);
    expect(told.uri).toBe('sip:alice@away.example');
    expect(told.header('from')).toMatch(/^<sip:bob@home\.example>;tag=/);
    expect(told.header('to')).toBe('<sip:alice@away.example>');
    expect(told.header('p-asserted-identity')).toBe('<sip:bob@home.example>');
    expect(told.header('p-asserted-service')).toBe(MSG);
    expect(told.header('contribution-id')).toBe('c0ffee00-1111-4a1b-8c2d-000000000001');
    const head = parseCpimHead(textOf(told));
    expect(head).toMatchObject({
      from: '<sip:bob@home.example>',
      to: '<sip:alice@away.example>',
      dateTime: '2026-01-01T00:01:00Z',
      contentType: 'message/imdn+xml',
    });
    expect(head?.imdnMessageId).not.toBe('m7');
    const xml = xmlOf(told);
    const only = (name: string) => named(xml, name).map(({ text }) => text);
    expect(only('message-id')).toEqual(['m7']);
    expect(only('datetime')).toEqual(['2026-01-01T00:00:00Z']);
    expect(only('recipient-uri')).toEqual(['sip:bob@home.example']);
    expect(textOf(told)).toContain(FAILED);
    const body = textOf(told);
    const length = Number(/Content-Length: (\d+)/.exec(body)?.[1]);
    expect(body.slice(body.indexOf('<?xml'))).toHaveLength(length);
    respond(world.core, told, 200);
    world.settle();
    expect(world.pf.engine.messages.counters).toMatchObject({ notified: 1, byOutcome: { expired: 1 } });
    expect(leftovers(world)).toEqual([]);
  });

  it('also where a client refuses it for good, and where an operator removes it', () => {
    const refused = deferring();
    send(refused, 'term');
    refused.settle();
    register(refused);
    respond(refused.core, incoming(refused.core), 415);
    refused.settle();
    expect(textOf(incoming(refused.core))).toContain(FAILED);
    const dropped = deferring();
    send(dropped, 'term');
    dropped.settle();
    const { messages } = dropped.pf.engine;
    for (const { id } of [...messages.queues.all()]) messages.drop(id);
    dropped.settle();
    expect(textOf(incoming(dropped.core))).toContain(FAILED);
  });

  it.each([
    ['it did not ask', { asks: null }],
    ['it asked for success alone', { asks: 'positive-delivery, display' }],
    ['it was itself a notification', { type: 'message/imdn+xml', text: '<imdn/>' }],
    ['it is no CPIM, and could not ask', { contentType: 'text/plain', body: 'Hello' }],
  ] as [string, MessageOptions][])('not where %s', (_why, options) => {
    const world = expired(options);
    expect(waitingAt(world.core)).toBe(0);
    expect(world.pf.engine.messages.counters.byOutcome).toEqual({ expired: 1 });
    expect(leftovers(world)).toEqual([]);
  });

  it('not where policy does not want it', () => {
    const world = deferring();
    const { policy } = world.pf.engine;
    const { messages } = policy;
    world.pf.engine.policy = {
      ...policy,
      messages: { ...messages, deferred: { ...messages.deferred, notify: false } },
    };
    send(world, 'term', { headers: [['Expires', '60']] });
    world.advance(61_000);
    expect(waitingAt(world.core)).toBe(0);
  });

  it('nobody takes the notification: it was tried, and nothing is left', () => {
    const world = expired();
    world.advance(40_000);
    expect(world.pf.engine.messages.counters.byOutcome).toEqual({ expired: 1 });
    expect(leftovers(world)).toEqual([]);
  });

  it('what a hostile sender put into its message breaks nothing in it', () => {
    const world = expired({ id: '</message-id><evil a="1">&lol;' });
    const xml = xmlOf(incoming(world.core));
    expect(named(xml, 'message-id').map(({ text }) => text)).toEqual(['</message-id><evil a="1">&lol;']);
    expect(named(xml, 'evil')).toEqual([]);
  });
});

describe('a notification of a client', () => {
  it('for a sender who is away is kept like a message, and delivered before what comes later', () => {
    const world = deferring();
    const sent = send(world, 'term', { id: 'n1', type: 'message/imdn+xml', text: '<imdn/>', asks: null });
    send(world, 'term', { id: 'm2', text: 'later' });
    world.settle();
    expect(sent.answers).toEqual([202]);
    register(world);
    expect(parseCpimHead(textOf(incoming(world.core)))?.contentType).toBe('message/imdn+xml');
  });
});
