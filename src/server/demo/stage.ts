/**
 * The stage of the demonstration: Alice's phone, her originating PF, Bob's terminating PF, Bob's phone, in a row, over
 * TCP on loopback, signalling and MSRP alike. The functions are whole servers on the stack of the project; the phones are
 * sip.js, with MSRP endpoints beside.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createSipJsPhone, type PhoneCall, type SipJsPhone } from '../../sip-js/index.ts';
import { configSchema } from '../config/schema.ts';
import { createLog } from '../log.ts';
import { type Server, startServer } from '../server.ts';
import { ChatPhone } from './chat-phone.ts';

export const DOMAIN = 'home.example';

export interface Stage {
  readonly alice: SipJsPhone;
  readonly bob: SipJsPhone;
  /** Media sides of the two phones. */
  readonly chats: { readonly alice: ChatPhone; readonly bob: ChatPhone };
  /** Calls that have come to Bob. */
  readonly incoming: readonly PhoneCall[];
  /** Alice's PF, which has the originating role here. */
  readonly originating: Server;
  /** Bob's PF, which has the terminating role here. */
  readonly terminating: Server;
  /** Stops everything and removes the stores. */
  close(): Promise<void>;
}

/** Puts everybody in place, from Bob back to Alice, since each needs the address of the next. */
export async function setStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'cpm-engine-demo-'));
  const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const incoming: PhoneCall[] = [];
    const bob = await createSipJsPhone({ name: 'bob', domain: DOMAIN, onCall: (call) => incoming.push(call) });
    closing.push(() => bob.close());
    const terminating = await startFunction('bob', bob.address, folder);
    closing.push(() => terminating.stop());
    const originating = await startFunction('alice', addressOf(terminating), folder);
    closing.push(() => originating.stop());
    const alice = await createSipJsPhone({ name: 'alice', domain: DOMAIN, proxy: addressOf(originating) });
    closing.push(() => alice.close());
    const chats = {
      alice: await ChatPhone.open('alice', alice.uri, bob.uri),
      bob: await ChatPhone.open('bob', bob.uri, alice.uri),
    };
    closing.push(() => Promise.all([chats.alice.close(), chats.bob.close()]));
    return { alice, bob, chats, incoming, originating, terminating, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** `host:port` that a function listens on. */
export function addressOf(server: Server): string {
  return (server.listening[0] ?? '').replace(/^tcp:/, '');
}

/** A Participating Function for one user, who wants conversations kept. All that is not its own goes to `core`. */
function startFunction(user: string, core: string, folder: string): Promise<Server> {
  const file = (name: string): string => join(folder, `${user}-${name}`);
  const client = { contact: `sip:${user}@${core}`, features: ['session'], media: ['message'] };
  const users = {
    [`sip:${user}@${DOMAIN}`]: { preferences: { allowOfflineStorage: true }, clients: [client] },
  };
  writeFileSync(file('users.yaml'), stringify({ users }));
  writeFileSync(file('contact.key'), randomBytes(32).toString('hex'), { mode: 0o600 });
  const config = configSchema.parse({
    domain: DOMAIN,
    node: `pf-${user}`,
    sip: {
      listen: ['tcp:127.0.0.1:0'],
      core: `sip:${core};transport=tcp;lr`,
      contactKey: `file:${file('contact.key')}`,
      // One call on a machine that may be busy with other things is no overload.
      overload: { maxLagMs: 60_000 },
    },
    users: { driver: 'file', path: file('users.yaml') },
    registrar: { driver: 'static' },
    history: { driver: 'sqlite', path: file('history.sqlite') },
    sessions: { driver: 'sqlite', path: file('sessions.sqlite') },
    media: { listen: '127.0.0.1', ports: '0' },
    recording: { spool: file('spool') },
    log: { level: 'silent' },
    warmUp: false,
  });
  return startServer(config, createLog(config.log));
}
