/** The served user's copy of pager-mode messages (digest 3.3): one object, whatever befalls it. */
import { describe, expect, it } from '@jest/globals';
import { World } from '../../src/testing/index.ts';
import { objects } from '../support/history.ts';
import {
  cpim,
  deferring,
  incoming,
  type MessageOptions,
  register,
  respond,
  restart,
  send,
  textOf,
  waitingAt,
} from '../support/message.ts';
import { FOLDER, ISF, leftovers, type Role, STORING, TERM_FOLDER } from '../support/session.ts';

const ROLES = ['orig', 'term'] as const;
const folderOf = (role: Role) => (role === 'orig' ? FOLDER : TERM_FOLDER);

function stored(world: World, role: Role): string[] {
  return objects(world, folderOf(role)).map(({ content }) => content);
}

/** A message that a client takes. */
function passed(world: World, role: Role, options: MessageOptions = {}): void {
  send(world, role, options);
  world.settle();
  respond(world.core, incoming(world.core), 200);
  world.settle();
}

describe('the history of a user who keeps one', () => {
  it.each(ROLES)('%s: has the CPIM message as it came, under the headers of 8.5', (role) => {
    const world = new World({ profile: STORING });
    passed(world, role, {
      headers: [
        ['InReplyTo-Contribution-ID', 'before'],
        ['Subject', 'boats'],
      ],
    });
    const [object = '', ...others] = stored(world, role);
    expect(others).toEqual([]);
    const from = role === 'orig' ? 'sip:alice@home.example' : 'sip:alice@away.example';
    expect(object.split('\r\n\r\n')[0]?.split('\r\n')).toEqual([
      `From: <${from}>`,
      'To: <sip:bob@home.example>',
      'Date: Thu, 01 Jan 2026 00:00:00 +0000',
      expect.stringMatching(/^Message-ID: <pager\.[0-9a-f]{16}@cpm>$/),
      'Subject: boats',
      `Message-Direction: ${role === 'orig' ? 'out' : 'in'}`,
      `Conversation-ID: ${FOLDER.conversationId}`,
      `Contribution-ID: ${FOLDER.contributionId}`,
      'InReplyTo-Contribution-ID: before',
      'P-Asserted-Service: urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg',
      'IMDN-Message-ID: m1',
      'MIME-Version: 1.0',
      'Content-Type: message/cpim',
      'Content-Transfer-Encoding: 8bit',
    ]);
    expect(object.endsWith(cpim({ from: `<${from}>` }))).toBe(true);
    expect(leftovers(world)).toEqual([]);
  });

  it.each(ROLES)('%s: has what the ISF took as well', (role) => {
    const world = new World({ isf: [ISF], profile: { ...STORING, ...(role === 'term' ? { clients: [] } : {}) } });
    send(world, role, role === 'orig' ? { uri: 'mailto:carol@mail.example' } : {});
    world.settle();
    respond(world.isf, incoming(world.isf), 202);
    world.settle();
    expect(stored(world, role)).toHaveLength(1);
  });

  it('has nothing of a message that was refused, here or there', () => {
    const world = new World({ profile: STORING });
    send(world, 'term');
    world.settle();
    respond(world.core, incoming(world.core), 486);
    send(world, 'term', { text: 'x'.repeat(2000) });
    world.settle();
    expect(world.pf.disk.intents.size).toBe(0);
    expect(world.pf.outbox.done).toBe(0);
  });

  it('has it when it is kept, and not once more when it is delivered', () => {
    const world = deferring({ profile: STORING });
    send(world, 'term');
    world.settle();
    expect(stored(world, 'term')).toHaveLength(1);
    register(world);
    respond(world.core, incoming(world.core), 200);
    world.settle();
    expect(stored(world, 'term')).toHaveLength(1);
    expect(leftovers(world)).toEqual([]);
  });

  it('has one object for a message whose sender tries again under another Call-ID', () => {
    const world = new World({ profile: STORING });
    passed(world, 'term');
    passed(world, 'term');
    passed(world, 'term', { id: 'm2' });
    expect(stored(world, 'term')).toHaveLength(2);
  });

  it('is written from the outbox, while the answer does not wait for the store', () => {
    const world = new World({ profile: STORING });
    const { history } = world.pf;
    const append = history.append.bind(history);
    let away = true;
    history.append = (folder, key, object, done) =>
      away ? done(new Error('the store is away')) : append(folder, key, object, done);
    const sent = send(world, 'term');
    world.settle();
    respond(world.core, incoming(world.core), 200);
    world.settle();
    expect(sent.answers).toEqual([200]);
    expect(world.pf.disk.intents.size).toBe(1);
    restart(world);
    away = false;
    world.advance(5000);
    expect(stored(world, 'term')).toHaveLength(1);
    expect(leftovers(world)).toEqual([]);
  });

  it('is none where the user does not want it', () => {
    const world = new World();
    passed(world, 'term');
    expect(world.pf.outbox.done).toBe(0);
  });
});

describe('what is not a message of a person', () => {
  const notification = { type: 'message/imdn+xml', asks: null, text: '<imdn/>' };

  it('a notification is stored where policy says so, and passes either way', () => {
    for (const [recordNotifications, expected] of [
      [true, 1],
      [false, 0],
    ] as const) {
      const world = new World({ profile: STORING });
      world.pf.engine.policy = {
        ...world.pf.policy,
        messages: { ...world.pf.policy.messages, recordNotifications },
      };
      const sent = send(world, 'term', notification);
      world.settle();
      const arrived = incoming(world.core);
      expect(textOf(arrived)).toBe(textOf(sent.request));
      respond(world.core, arrived, 200);
      world.settle();
      expect(sent.answers).toEqual([200]);
      expect(world.pf.outbox.done).toBe(expected);
    }
  });

  it('that somebody is typing is never stored, and never kept', () => {
    const composing = { contentType: 'application/im-iscomposing+xml', body: '<isComposing/>' };
    const world = new World({ profile: STORING });
    passed(world, 'term', composing);
    expect(world.pf.outbox.done).toBe(0);
    const absent = deferring();
    const sent = send(absent, 'term', composing);
    absent.settle();
    expect(sent.answers).toEqual([480]);
    expect(absent.pf.engine.messages.queues.size).toBe(0);
    expect(waitingAt(absent.core)).toBe(0);
  });
});
