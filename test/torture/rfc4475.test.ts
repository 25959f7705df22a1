/** The torture tests of RFC 4475, each as bytes into a real stack, and each through a whole Participating Function. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { TransportName } from '../../src/sip/flow.ts';
import { wireOfBytes } from '../../src/sip/message/bytes.ts';
import type { SipRequest, SipResponse } from '../../src/sip/message/message.ts';
import { parseMessage } from '../../src/sip/message/parse.ts';
import { validateRequest, validateResponse } from '../../src/sip/message/validate.ts';
import { World } from '../../src/testing/index.ts';
import { BareStack, SOURCE, sentBy } from './bare-stack.ts';
import { CASES, type Case, type Outcome } from './rfc4475/expected.ts';
import { viewOf } from './rfc4475/view.ts';

const FOLDER = new URL('./rfc4475/', import.meta.url);
const bytesOf = (file: string): Uint8Array => readFileSync(new URL(`${file}.dat`, FOLDER));
const named = ({ section, about }: Case): string => `RFC 4475 ${section}: ${about}`;
const of = <Kind extends Outcome['kind']>(...kinds: Kind[]) =>
  CASES.filter((entry): entry is Case & { outcome: Extract<Outcome, { kind: Kind }> } =>
    (kinds as string[]).includes(entry.outcome.kind),
  ).map((entry) => [named(entry), entry] as const);

/** The transport its topmost Via names, where it is one of ours. */
function transportOf(bytes: Uint8Array): TransportName {
  const transport = parseMessage(bytes).message?.via?.transport;
  return transport === 'TCP' || transport === 'TLS' ? transport : 'UDP';
}

function received(file: string): BareStack {
  const bare = new BareStack();
  const bytes = bytesOf(file);
  bare.receive(bytes, transportOf(bytes));
  return bare;
}

describe('the table of RFC 4475', () => {
  it('lists every file of the folder once, and no other', () => {
    const files = readdirSync(FOLDER).filter((name) => name.endsWith('.dat'));
    expect(CASES.map((entry) => `${entry.file}.dat`).sort()).toEqual(files.sort());
  });

  it('has a section of its own for each', () => {
    expect(new Set(CASES.map((entry) => entry.section)).size).toBe(49);
  });
});

describe('a bare stack', () => {
  it.each(of('accepted'))('hands up %s', (_, { file, outcome }) => {
    const bare = received(file);
    expect(bare.events.map((event) => event.type)).toEqual([outcome.event]);
    expect(viewOf(bare.requests[0] as SipRequest)).toMatchObject(outcome.reads);
    expect(bare.answers).toEqual([]);
    expect(bare.counted).toEqual({});
  });

  it.each(of('answered'))('answers %s', (_, { file, outcome }) => {
    const bare = received(file);
    expect(bare.answers.map((answer) => answer.status)).toEqual([outcome.status]);
    expect(bare.events).toEqual([]);
    const { message, fault } = parseMessage(bytesOf(file));
    expect(validateRequest(message as SipRequest, fault)).toEqual({ kind: 'fit' });
    expect(viewOf(message as SipRequest)).toMatchObject(outcome.reads);
  });

  it.each(of('refused'))('refuses %s', (_, { file, outcome }) => {
    const bare = received(file);
    expect(bare.answers.map((answer) => answer.status)).toEqual([outcome.status]);
    expect(bare.events).toEqual([]);
    expect(bare.counted).toEqual({ malformed: 1 });
    expect(bare.stack.held).toEqual({ clients: 0, servers: 0, legs: 0, proxied: 0 });
  });

  it.each(of('readable'))('reads %s', (_, { file, outcome }) => {
    const { message, fault } = parseMessage(bytesOf(file));
    expect(validateResponse(message as SipResponse, fault)).toEqual({ kind: 'fit' });
    expect(viewOf(message as SipResponse)).toMatchObject(outcome.reads);
    const bare = received(file);
    expect(bare.counted).toEqual({ malformed: 1 });
    expect([bare.events, bare.answers]).toEqual([[], []]);
  });

  it.each(of('unusable'))('lets fall %s', (_, { file }) => {
    const { message, fault } = parseMessage(bytesOf(file));
    if (message !== undefined) expect(validateResponse(message as SipResponse, fault).kind).toBe('drop');
    else expect(fault?.code).toBe('start-line');
    const bare = received(file);
    expect(bare.counted).toEqual({ malformed: 1 });
    expect([bare.events, bare.answers]).toEqual([[], []]);
  });

  it('RFC 3261 8.2.6.2, 8.2.7: a refusal copies what the request said and gives every copy the same To tag', () => {
    const bare = received('mismatch01');
    bare.receive(bytesOf('mismatch01'));
    const [first, second] = bare.answers as [SipResponse, SipResponse];
    expect(first.header('call-id')).toBe('mismatch01.dj0234sxdfl3');
    expect(first.header('cseq')).toBe('8 INVITE');
    expect(first.toTag).toBeDefined();
    expect(second.toTag).toBe(first.toTag);
  });

  it('RFC 3261 8.2.1: the 501 for an unknown method lists those that are known', () => {
    expect(received('esc02').answers[0]?.list('allow')).toEqual(expect.arrayContaining(['INVITE', 'ACK', 'BYE']));
  });

  it('RFC 4475 3.1.1.2: what is in the request comes back in its answer byte for byte', () => {
    const bare = received('intmeth');
    const lines = wireOfBytes(bytesOf('intmeth')).split('\r\n');
    const from = lines.find((line) => line.startsWith('From:'));
    expect(bare.network.transcript.at(-1)?.message.split('\r\n')).toContain(from);
    expect(bare.answers[0]?.header('to')).toContain('NUL:\\\0 DEL');
  });
});

const MODES = ['always', 'never'] as const;

describe('a whole Participating Function', () => {
  const all = CASES.map((entry) => [named(entry), entry] as const);

  it.each(all)('gives one final answer where one is due, and keeps nothing of %s', (_, { file, outcome }) => {
    for (const mediaPath of MODES) {
      const world = new World({ policy: { mediaPath } });
      const bytes = bytesOf(file);
      world.network.transmit(SOURCE, world.pf.address, transportOf(bytes), bytes);
      world.advance(70_000);
      const finals = new Set<number>();
      for (const message of sentBy(world.network.transcript, world.pf.address)) {
        if (message.kind === 'response' && message.status >= 200) finals.add(message.status);
      }
      expect(finals.size).toBe(outcome.kind === 'readable' || outcome.kind === 'unusable' ? 0 : 1);
      expect(world.held).toEqual([]);
    }
  });
});
