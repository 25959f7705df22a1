/** The message stores: one contract, on each of them. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { imapHistory } from '../../src/history/imap/imap-history.ts';
import { MemoryHistory } from '../../src/history/memory.ts';
import { sqliteHistory } from '../../src/history/sqlite.ts';
import { Dovecot, type DovecotOptions, PASSWORD } from '../support/dovecot.ts';
import { driverContract, type Store } from '../support/driver-contract.ts';
import { Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';

const USER = 'sip:alice@home.example';

describe('memory', () => {
  driverContract(() => {
    const driver = new MemoryHistory();
    return { open: () => driver, user: USER, close: async () => {} };
  }, false);
});

describe('sqlite in memory', () => {
  driverContract(() => {
    const driver = sqliteHistory({ path: ':memory:', synchronous: 'full' });
    return { open: () => driver, user: USER, close: async () => {} };
  }, false);
});

describe('sqlite in a file', () => {
  driverContract(() => {
    const scene = new Scene();
    return {
      open: () => sqliteHistory({ path: join(scene.folder, 'history.sqlite') }),
      user: USER,
      close: () => scene.close(),
    };
  }, true);
});

const SERVERS: Readonly<Record<string, DovecotOptions>> = {
  'imap on Dovecot': {},
  // Maildir++ refuses dots in names, and here a dot is a level of the hierarchy.
  'imap on Dovecot with Maildir++': { layout: 'maildir:~/Maildir', separator: '.' },
  'imap on a server of RFC 3501 alone, with LITERAL+': { capability: 'IMAP4rev1 LITERAL+ METADATA' },
};

describeWith(['dovecot'], 'on a server', () => {
  describe.each(Object.keys(SERVERS))('%s', (name) => {
    let scene: Scene;
    let dovecot: Dovecot;
    let users = 0;

    beforeAll(async () => {
      scene = new Scene();
      dovecot = await Dovecot.start(scene, SERVERS[name]);
    });
    afterAll(() => scene.close());

    driverContract((): Store => {
      const user = `sip:user${++users}@home.example`;
      return { open: () => imapHistory({ url: dovecot.url, password: PASSWORD }), user, close: async () => {} };
    }, true);
  });
});
