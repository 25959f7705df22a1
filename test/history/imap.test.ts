/** The IMAP store where things go wrong, and what an ordinary client sees of it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NoFolder, StoreAway } from '../../src/history/driver.ts';
import { type ImapHistory, imapHistory } from '../../src/history/imap/imap-history.ts';
import type { ImapHistoryOptions } from '../../src/history/imap/options.ts';
import type { FolderRef } from '../../src/history/intent.ts';
import { CuttingProxy } from '../support/cutting-proxy.ts';
import { Dovecot, type DovecotOptions, MASTER, PASSWORD } from '../support/dovecot.ts';
import { answer, message } from '../support/driver-contract.ts';
import { Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';

const FOLDER: FolderRef = { user: 'sip:alice@home.example', conversationId: 'v1', contributionId: 'c1' };
const PATH = 'Default/v1/c1';
const SESSION_INFO = 'Application/X-CPM-Session';

describeWith(['dovecot', 'openssl', 'python3'], 'the IMAP store', () => {
  let scene: Scene;
  let dovecot: Dovecot;
  let store: ImapHistory;

  async function begin(server: DovecotOptions = {}, options: Partial<ImapHistoryOptions> = {}): Promise<void> {
    dovecot = await Dovecot.start(scene, server);
    store = connected(options);
  }

  function connected(options: Partial<ImapHistoryOptions> = {}): ImapHistory {
    const made = imapHistory({ url: dovecot.url, password: PASSWORD, timeoutMs: 3_000, ...options });
    scene.atEnd(async () => made.close());
    return made;
  }

  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(() => scene.close());

  const open = (folder = FOLDER): Promise<void> => answer((done) => store.openFolder(folder, done));
  const append = (key: string, text: string, folder = FOLDER, type?: string): Promise<number> =>
    answer((done) => store.append(folder, key, message(text, type), done));
  const texts = async (folder = FOLDER): Promise<string[]> =>
    (await answer<readonly { content: string }[]>((done) => store.objects(folder, done))).map(
      ({ content }) => content.split('\r\n\r\n')[1]?.trim() ?? '',
    );

  /** A small program with Python's own IMAP client; what it prints. */
  function imaplib(program: string, login = 'alice@home.example', separator = '\n'): string {
    const begun = [
      'import imaplib',
      `c = imaplib.IMAP4("127.0.0.1", ${dovecot.port})`,
      `c.login("${login}", "${PASSWORD}")`,
    ];
    return execFileSync('python3', ['-c', [...begun, program].join(separator)], { encoding: 'utf8' });
  }

  describe('for an ordinary client', () => {
    it('is a folder of messages with METADATA (A-20), below a level that holds nothing (A-56): Python finds the object, its headers and the pointer', async () => {
      await begin();
      await open();
      const uid = await append('s1-open', 'about the session', FOLDER, SESSION_INFO);
      await answer<void>((done) => store.setPointer(FOLDER, 'SessionInfoObjectID', uid, done));
      const seen = imaplib(`
imaplib.Commands["GETMETADATA"] = ("AUTH", "SELECTED")
print(c.list('""', 'Default/*')[1])
print(c.select("${PATH}", readonly=True))
print(c.uid("FETCH", "1", "(UID BODY[])")[1][0][1].decode())
c._simple_command("GETMETADATA", "${PATH}", "/shared/OMNA/OMACPM20/SessionInfoObjectID")
print(c._untagged_response("OK", [None], "METADATA")[1])`);
      expect(seen).toContain(PATH);
      expect(seen).toMatch(/Noselect.*Default\/v1\b/);
      expect(seen).toMatch(
        /X-CPM-Key: <s1-open>\r?\nContent-Type: Application\/X-CPM-Session\r?\n\r?\nabout the session/,
      );
      expect(seen).toMatch(/sessioninfoobjectid/i);
      expect(seen).toMatch(/b'1'/);
    });

    it('may be read and written by it meanwhile: what it adds has no key, and what it deletes is gone', async () => {
      await begin();
      await open();
      await append('a', 'A');
      imaplib(`
c.append("${PATH}", None, None, b"Subject: mine\\r\\n\\r\\nmine\\r\\n")
c.select("${PATH}")
c.uid("STORE", "1", "+FLAGS", "\\\\Deleted")`);
      expect(await texts()).toEqual(['mine']);
      expect(await append('b', 'B')).toBe(3);
    });

    it('may be deleted by it: the next object is told there is no folder, and finds it once it is opened again', async () => {
      await begin();
      await open();
      await append('a', 'A');
      imaplib(`c.delete("${PATH}")`);
      await expect(append('b', 'B')).rejects.toThrow(NoFolder);
      await open();
      await append('b', 'B');
      expect(await texts()).toEqual(['B']);
    });
  });

  describe('who it logs in as', () => {
    it('a master user by name, or by SASL authorization (RFC 4616), each in the mailbox of the user', async () => {
      await begin({}, { user: `{user}*${MASTER}` });
      await open();
      await append('a', 'A');
      store = connected({ masterUser: MASTER });
      expect(await texts()).toEqual(['A']);
      store = connected();
      expect(await texts()).toEqual(['A']);
    });

    it('a wrong password is told as such, and is no reason to think that the store is away', async () => {
      await begin({}, { password: 'wrong' });
      const failure = await open().catch((error: Error) => error);
      expect(failure).not.toBeInstanceOf(StoreAway);
      expect(failure).toMatchObject({ message: expect.stringMatching(/^login refused for alice@home\.example: /) });
    });

    it('the bounded number of connections serves any number of users, all at once', async () => {
      await begin({}, { connections: 3 });
      const users = Array.from({ length: 12 }, (_, at) => ({ ...FOLDER, user: `sip:user${at}@home.example` }));
      let most = 0;
      await Promise.all(
        users.flatMap((folder) =>
          ['a', 'b', 'c'].map(async (key) => {
            await open(folder);
            await append(key, key, folder);
            most = Math.max(most, store.connections.busy + store.connections.idle);
          }),
        ),
      );
      for (const folder of users) expect((await texts(folder)).sort()).toEqual(['a', 'b', 'c']);
      expect(most).toBe(3);
    });
  });

  describe('TLS', () => {
    it('imaps and STARTTLS, against the authority that is configured and no other', async () => {
      await begin({ tls: true });
      const ca = readFileSync(dovecot.certificate, 'utf8');
      store = connected({ url: `imaps://127.0.0.1:${dovecot.tlsPort}`, ca });
      await open();
      store = connected({ ca, starttls: 'required' });
      await open();
      expect(dovecot.log.match(/Login: .*TLS/g)).toHaveLength(2);
      store = connected({ starttls: 'required' });
      await expect(open()).rejects.toThrow(/self.signed/i);
    });

    it('a password does not leave without TLS where STARTTLS is required and not offered', async () => {
      await begin({}, { starttls: 'required' });
      await expect(open()).rejects.toThrow(StoreAway);
      expect(dovecot.log).not.toContain('Login:');
    });
  });

  describe('a store that fails', () => {
    it('over quota: this user is told so, others are not concerned, and there is room again after a removal', async () => {
      await begin({ quota: '*:storage=30K' });
      await open();
      const big = await append('big', 'x'.repeat(20_000));
      await expect(append('more', 'y'.repeat(20_000))).rejects.toThrow(/quota/i);
      const failure = await append('more', 'y'.repeat(20_000)).catch((error: Error) => error);
      expect(failure).not.toBeInstanceOf(StoreAway);
      const other = { ...FOLDER, user: 'sip:bob@home.example' };
      await open(other);
      await append('his', 'z'.repeat(20_000), other);
      await answer<void>((done) => store.remove(FOLDER, big, done));
      expect(await append('more', 'y'.repeat(20_000))).toBe(2);
    });

    it('away: it says so at once, and works again when the server is back, with everything there', async () => {
      await begin();
      await open();
      await append('a', 'A');
      await dovecot.stop();
      await expect(append('b', 'B')).rejects.toThrow(StoreAway);
      await expect(texts()).rejects.toThrow(StoreAway);
      await dovecot.start();
      expect([await append('a', 'A'), await append('b', 'B')]).toEqual([1, 2]);
      expect(await texts()).toEqual(['A', 'B']);
    });

    it('stopped in its tracks: the wait ends after the time that is configured', async () => {
      await begin({}, { timeoutMs: 300 });
      await open();
      const proxy = await CuttingProxy.before(dovecot.port);
      scene.atEnd(() => proxy.close());
      store = connected({ url: `imap://127.0.0.1:${proxy.port}`, timeoutMs: 300 });
      await append('a', 'A');
      proxy.fromServer = () => '';
      const begun = performance.now();
      await expect(append('b', 'B')).rejects.toThrow(StoreAway);
      expect(performance.now() - begun).toBeLessThan(2_000);
      // The server has it all the same, and has it once.
      proxy.fromServer = (piece) => piece;
      expect(await append('b', 'B')).toBe(2);
      expect(await texts()).toEqual(['A', 'B']);
    });

    it('invariant 10: the connection ends after the object was stored and before the answer: the retry stores no second', async () => {
      await begin();
      const proxy = await CuttingProxy.before(dovecot.port);
      scene.atEnd(() => proxy.close());
      store = connected({ url: `imap://127.0.0.1:${proxy.port}` });
      await open();
      proxy.fromServer = (piece) => (piece.includes('APPENDUID') ? null : piece);
      await expect(append('a', 'A')).rejects.toThrow(StoreAway);
      proxy.fromServer = (piece) => piece;
      expect(await append('a', 'A')).toBe(1);
      expect(await texts()).toEqual(['A']);
    });

    it('without UIDPLUS (RFC 4315) the UID is found by the key', async () => {
      await begin();
      const proxy = await CuttingProxy.before(dovecot.port);
      scene.atEnd(() => proxy.close());
      proxy.fromServer = (piece) => piece.replace(/\[APPENDUID \d+ \d+\] /, '').replace(/ UIDPLUS/, '');
      store = connected({ url: `imap://127.0.0.1:${proxy.port}` });
      await open();
      expect([await append('a', 'A'), await append('ab', 'AB'), await append('a', 'A')]).toEqual([1, 2, 1]);
      // Nothing can be expunged without taking its user's own deletions along: it is marked, and not read any more.
      await answer<void>((done) => store.remove(FOLDER, 1, done));
      expect(await texts()).toEqual(['AB']);
    });

    it('RFC 3502: messages that wait together are one APPEND; without MULTIAPPEND one each, with the same end', async () => {
      await begin();
      for (const [user, hides, commands] of [
        ['sip:carol@home.example', /$^/, 1],
        ['sip:dave@home.example', / MULTIAPPEND/g, 40],
        ['sip:erin@home.example', /\[APPENDUID [\d: ,]+\] | UIDPLUS/g, 1],
      ] as const) {
        const folder = { ...FOLDER, user };
        const proxy = await CuttingProxy.before(dovecot.port);
        scene.atEnd(() => proxy.close());
        let answers = 0;
        proxy.fromServer = (piece) => {
          answers += piece.match(/OK .*Append completed/g)?.length ?? 0;
          return piece.replace(hides, '');
        };
        store = connected({ url: `imap://127.0.0.1:${proxy.port}` });
        await open(folder);
        const objects = Array.from({ length: 40 }, (_, at) => ({ key: `k${at}`, object: message(`text ${at}`) }));
        const uids = await answer<readonly number[]>((done) => store.appendAll(folder, objects, done));
        expect(uids).toEqual(objects.map((_, at) => at + 1));
        expect(await texts(folder)).toEqual(objects.map((_, at) => `text ${at}`));
        expect({ user, answers }).toEqual({ user, answers: commands });
      }
    });

    it('without METADATA (RFC 5464) the pointers are found by the types of the objects', async () => {
      await begin({ capability: 'IMAP4rev1 LITERAL+ UIDPLUS' });
      await open();
      await append('s1-open', 'about', FOLDER, SESSION_INFO);
      for (const seal of ['s1-seal', 's2-seal'])
        await append(seal, 'state', FOLDER, 'Application/group-state-object+xml');
      await answer<void>((done) => store.setPointer(FOLDER, 'SessionInfoObjectID', 1, done));
      expect(await answer((done) => store.pointers(FOLDER, done))).toEqual({
        SessionInfoObjectID: 1,
        GroupStateObjectID: 3,
      });
    });

    it('another UIDVALIDITY, as after a restore: a pointer that points elsewhere is set right', async () => {
      await begin();
      await open();
      const uid = await append('s1-open', 'about', FOLDER, SESSION_INFO);
      await answer<void>((done) => store.setPointer(FOLDER, 'SessionInfoObjectID', uid, done));
      const before = /UIDVALIDITY (\d+)/.exec(status())?.[1];
      restore();
      expect(/UIDVALIDITY (\d+)/.exec(status())?.[1]).not.toBe(before);
      // The APPEND tells of the new UIDVALIDITY; the pointer went with the old folder.
      expect(await append('s1-seal', 'state', FOLDER, 'Application/group-state-object+xml')).toBe(3);
      expect(await answer((done) => store.getPointer(FOLDER, 'SessionInfoObjectID', done))).toBe(2);
      expect(await append('s1-open', 'about', FOLDER, SESSION_INFO)).toBe(2);
      expect(await texts()).toEqual(['foreign', 'about', 'state']);
    });

    const status = (): string => imaplib(`print(c.status("${PATH}", "(UIDVALIDITY)"))`);

    /** The folder made anew, with a foreign message before ours. */
    function restore(): void {
      imaplib(`
c.select("${PATH}")
kept = c.uid("FETCH", "1", "(BODY.PEEK[])")[1][0][1]
c.close()
c.delete("${PATH}")
c.create("${PATH}")
c.append("${PATH}", None, None, b"Subject: x\\r\\n\\r\\nforeign\\r\\n")
c.append("${PATH}", None, None, kept)
imaplib.Commands["SETMETADATA"] = ("AUTH", "SELECTED")
c._simple_command("SETMETADATA", "${PATH}", '(/shared/OMNA/OMACPM20/SessionInfoObjectID "1")')`);
    }

    it('history.metadataPrefix: names that the server refuses can be replaced (A-20)', async () => {
      await begin({}, { metadataPrefix: '/shared/vendor/vendor.example/' });
      await open();
      await answer<void>((done) => store.setPointer(FOLDER, 'GroupStateObjectID', 7, done));
      expect(await answer((done) => store.getPointer(FOLDER, 'GroupStateObjectID', done))).toBe(7);
      store = connected();
      expect(await answer((done) => store.getPointer(FOLDER, 'GroupStateObjectID', done))).toBeNull();
    });
  });
});

it.each(['sip:alice*cpm', 'sip:../../root@home.example', 'sip:a"b@home.example', 'sip:a\r\nb@home.example', 'sip:'])(
  'it never logs in as %j, who would be somebody else',
  async (user) => {
    const store = imapHistory({ url: 'imap://127.0.0.1:9', password: 'x' });
    const opened = answer<void>((done) => store.openFolder({ ...FOLDER, user }, done));
    await expect(opened).rejects.toThrow('can not be a login name');
  },
);

describe('options that can not be right', () => {
  it.each([
    [{ url: 'http://127.0.0.1' }, 'expected imap://host:port'],
    [{ url: 'imap://user:secret@host' }, 'expected imap://host:port'],
    [{ root: 'a//b' }, 'root:'],
    [{ root: '*' }, 'root:'],
  ])('%j', (options, said) => {
    expect(() => imapHistory({ url: 'imap://127.0.0.1', password: 'x', ...options })).toThrow(said);
  });
});
