/** `cpm-engine demo` as a newcomer runs it: the compiled program, what it prints, and that nothing is left behind. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import type { Performance } from '../../src/server/demo/performance.ts';
import { play } from '../../src/server/demo/play.ts';
import { setStage } from '../../src/server/demo/stage.ts';
import { type Program, Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { PROJECT } from '../support/server.ts';

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

const MAIN = join(PROJECT, 'dist', 'src', 'server', 'main.js');

let scene: Scene;
let temporary: string;

beforeEach(() => {
  scene = new Scene();
  temporary = join(scene.folder, 'tmp');
  mkdirSync(temporary);
});

afterEach(() => scene.close());

function demo(...args: string[]): Program {
  return scene.start(process.execPath, [MAIN, 'demo', ...args], { TMPDIR: temporary });
}

async function output(...args: string[]): Promise<string> {
  const program = demo(...args);
  expect({ code: await program.exit(20_000), stderr: program.stderr }).toEqual({ code: 0, stderr: '' });
  return program.stdout;
}

/** The arrows of a ladder as `who says what to whom`, by the column an arrow begins in. */
function arrowsOf(printed: string): string[] {
  const between = [
    ['Alice', "Alice's PF"],
    ["Alice's PF", "Bob's PF"],
    ["Bob's PF", 'Bob'],
  ] as const;
  return printed.split('\n').flatMap((line) => {
    const [, left, label, right] = /│(◀?)─+ (.+?) ─+(▶?)│/.exec(line) ?? [];
    if (label === undefined) return [];
    const pair = between[Math.round((line.search(/│◀?─/) - 12) / 27)];
    if (pair === undefined || (left === '◀') === (right === '▶')) throw new Error(`no arrow: ${line}`);
    return [right === '▶' ? `${pair[0]}: ${label} > ${pair[1]}` : `${pair[1]}: ${label} > ${pair[0]}`];
  });
}

/** The messages of the call in the order of the ladder. */
const CALL = [
  "Alice: INVITE > Alice's PF",
  "Alice's PF: INVITE > Bob's PF",
  "Bob's PF: INVITE > Bob",
  "Bob: 180 Ringing > Bob's PF",
  "Bob's PF: 180 Ringing > Alice's PF",
  "Alice's PF: 180 Ringing > Alice",
  "Bob: 200 OK > Bob's PF",
  "Bob's PF: 200 OK > Alice's PF",
  "Alice's PF: 200 OK > Alice",
  "Alice: ACK > Alice's PF",
  "Alice's PF: ACK > Bob's PF",
  "Bob's PF: ACK > Bob",
  "Bob: BYE > Bob's PF",
  "Bob's PF: BYE > Alice's PF",
  "Alice's PF: BYE > Alice",
  "Alice: 200 (BYE) > Alice's PF",
  "Alice's PF: 200 (BYE) > Bob's PF",
  "Bob's PF: 200 (BYE) > Bob",
];

describe('what it prints', () => {
  it('tells each step, draws the call of both functions in one ladder, and shows both history folders', async () => {
    const printed = await output();
    const steps = [...printed.matchAll(/^ {2}✓ (.{20}) (.+)$/gm)].map(([, title, detail]) => [title?.trim(), detail]);
    expect(steps).toEqual([
      ['Alice invites Bob', 'INVITE sip:bob@home.example, with one MSRP stream'],
      ["Bob's phone rings", 'Alice hears 180 Ringing'],
      ['Bob accepts', 'Alice hears 200 OK, and her ACK reaches Bob'],
      ['The session stands', 'both functions in b2buaEstablished.steady, both record'],
      ['Alice writes', 'Bob reads "Lunch at the harbour, 12:30?"; a notification of that comes back'],
      ['Bob answers', 'Alice reads "Gladly. Show me where!"; a notification of that comes back'],
      ['Alice sends a photo', 'Bob reads image/png, 100000 bytes; a notification of that comes back'],
      ['Bob hangs up', 'his 200 has Message-UID 1, the BYE to Alice has Message-UID 1'],
      ['Nothing is left', 'no session lives, no history work waits'],
    ]);

    // The README shows the same steps.
    const readme = readFileSync(join(PROJECT, 'README.md'), 'utf8');
    expect(readme).toContain([...printed.matchAll(/^ {2}✓ .*$/gm)].join('\n'));

    expect(arrowsOf(printed)).toEqual(CALL);
    for (const state of ['inviting.ringing', 'b2buaEstablished.steady', 'tearingDown.closing', 'closed']) {
      expect(printed.match(new RegExp(`◆ ${state}\\b`, 'g'))).toHaveLength(2);
    }
    for (const state of ['opening', 'live', 'sealing', 'sealed']) {
      expect(printed.match(new RegExp(`◇ recording ${state}\\b`, 'g'))).toHaveLength(2);
    }

    for (const [user, direction] of [
      ['alice', 'out'],
      ['bob', 'in'],
    ] as const) {
      const folder = printed.split(`The history folder of sip:${user}@home.example`)[1]?.split('\n\n')[0];
      expect(folder).toMatch(new RegExp(`folder ${UUID}/${UUID}\n`));
      expect(folder).toMatch(/UID 1 {2}Session Info +Application\/X-CPM-Session {2}◀ SessionInfoObjectID\n/);
      const messages = [...(folder ?? '').matchAll(/UID \d {2}Message[\s\S]*?\n {2}[├└]/g)].map(([text]) =>
        text.match(/(text|delivered|content) +(.*)/)?.slice(1),
      );
      expect(messages).toHaveLength(6);
      // A notification and the next message may pass each other on their ways.
      expect(messages).toEqual(
        expect.arrayContaining([
          ['text', 'Lunch at the harbour, 12:30?'],
          ['delivered', 'alice-1'],
          ['text', 'Gladly. Show me where!'],
          ['content', 'image/png, 100000 bytes'],
        ]),
      );
      expect(folder).toMatch(/UID 8 {2}Group State +Application\/group-state-object\+xml {2}◀ GroupStateObjectID\n/);
      expect(folder).toMatch(new RegExp(`Message-Direction +${direction}\n`));
      expect(folder).toMatch(/group-type +1-1\n/);
      expect(folder?.match(/participant +sip:(alice|bob)@home\.example/g)).toHaveLength(2);
    }
  });

  it('fits in 100 columns and has no colours where the output is no terminal', async () => {
    const printed = await output();
    expect(printed).not.toContain('\u001b');
    expect(Math.max(...printed.split('\n').map((line) => [...line].length))).toBeLessThanOrEqual(100);
  });

  it('--json gives steps, ladder and folders with the objects whole, and nothing else', async () => {
    const told = JSON.parse(await output('--json')) as Performance;
    expect(told.parties.map(({ what }) => what)).toEqual(['sip.js', 'originating', 'terminating', 'sip.js']);
    expect(told.steps).toHaveLength(9);
    const names = { alice: 'Alice', originating: "Alice's PF", terminating: "Bob's PF", bob: 'Bob' };
    const messages = told.ladder.flatMap((row) =>
      'message' in row ? [`${names[row.from]}: ${row.message} > ${names[row.to]}`] : [],
    );
    expect(messages).toEqual(CALL);
    for (const user of ['sip:alice@home.example', 'sip:bob@home.example']) {
      expect(told.history[user]).toEqual([
        {
          user,
          conversationId: told.conversationId,
          contributionId: told.contributionId,
          pointers: { SessionInfoObjectID: 1, GroupStateObjectID: 8 },
          objects: [
            expect.objectContaining({ uid: 1, content: expect.stringMatching(/\r\n\r\n<\?xml[\s\S]*<session>/) }),
            ...[2, 3, 4, 5, 6, 7].map((uid) => expect.objectContaining({ uid, type: 'message/cpim' })),
            expect.objectContaining({ uid: 8, content: expect.stringMatching(/\r\n\r\n<\?xml[\s\S]*<groupstate /) }),
          ],
        },
      ]);
    }
  });
});

describe('what it leaves behind', () => {
  it('ends by itself and leaves no store, no folder and no listener', async () => {
    const { parties } = JSON.parse(await output('--json')) as Performance;
    expect(readdirSync(temporary)).toEqual([]);
    expect(readdirSync(scene.folder)).toEqual(['tmp']);
    for (const { address } of parties) expect(await answers(address)).toBe(false);
  });

  it('--serve=auto leaves no server running where no terminal is attached', async () => {
    expect(await output('--serve=auto')).not.toContain('ready ');
  });

  it('--serve leaves a server running, with its ready line, until Ctrl-C, and then exits with 0', async () => {
    const program = demo('--serve', '--config', serverConfig());
    const [, sip = ''] = await program.says(/^ready sip=udp:(\S+) admin=http:\/\/127\.0\.0\.1:\d+$/m);
    expect(sip).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
    expect(program.stdout).toContain('Nothing is left');
    program.child.kill('SIGINT');
    expect(await program.exit(15_000)).toBe(0);
  });
});

function serverConfig(): string {
  return scene.file(
    'pf.yaml',
    stringify({
      sip: { listen: ['udp:127.0.0.1:0'] },
      admin: { listen: '127.0.0.1:0' },
      warmUp: false,
      log: { level: 'warn' },
    }),
  );
}

describeWith(['script'], 'on a terminal', () => {
  it('is coloured, and --serve=auto leaves a server running until Ctrl-C', async () => {
    // exec: a shell that stays in between would end by the same Ctrl-C and hide the exit code of the program.
    const command = `exec ${process.execPath} ${MAIN} demo --serve=auto --config ${serverConfig()}`;
    const environment = {
      TMPDIR: temporary,
      TERM: 'xterm-256color',
      NO_COLOR: undefined,
      NODE_DISABLE_COLORS: undefined,
      // Node takes a CI it does not know for a terminal without colours.
      CI: undefined,
    };
    const program = scene.start('script', ['-qec', command, '/dev/null'], environment);
    await program.says(/ready sip=udp:\S+ admin=\S+/);
    expect(program.stdout).toContain('\u001b[32m✓\u001b[0m Alice invites Bob');
    program.child.stdin?.write('\u0003');
    expect(await program.exit(15_000)).toBe(0);
  });
});

describe('when something is wrong', () => {
  it('exits with 1 and says why where its stores have no place', async () => {
    const environment = { TMPDIR: join(scene.folder, 'nowhere') };
    const program = scene.start(process.execPath, [MAIN, 'demo'], environment);
    expect(await program.exit(20_000)).toBe(1);
    expect(program.stderr).toMatch(/^cpm-engine: .*no such file or directory.*nowhere/);
  });

  it('names the step that failed: a phone that is gone is told as the refusal Alice gets', async () => {
    const stage = await setStage();
    try {
      await stage.bob.close();
      await expect(play(stage, () => {})).rejects.toThrow(/^Alice invites Bob: Alice's phone is told [45]\d\d$/);
    } finally {
      await stage.close();
    }
  });

  it('exits with 2 for a --serve that it does not know', async () => {
    const program = demo('--serve=perhaps');
    expect(await program.exit(20_000)).toBe(2);
    expect(program.stderr).toBe('cpm-engine: --serve perhaps: expected yes, no or auto\n');
  });
});

/** True where something listens at this `host:port`. */
function answers(address: string): Promise<boolean> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve) => {
    const socket = createConnection({ host, port: Number(port) });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
