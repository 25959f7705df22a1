/** Every example runs to its end, imports the package as its users do, and prints what its reader is promised. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PROJECT } from '../support/server.ts';

const FOLDER = join(PROJECT, 'examples');

/** Runs an example; the lines it prints. */
async function run(name: string): Promise<string[]> {
  const { main } = (await import(`../../examples/${name}.ts`)) as {
    main(print: (line: string) => void): Promise<void>;
  };
  const printed: string[] = [];
  await main((line) => printed.push(line));
  return printed;
}

it('engine: a directory and a policy of its own decide, and every state is seen', async () => {
  expect(await run('engine')).toEqual([
    'carol may hold group sessions only:',
    '  invite -> closed',
    'carol gets 403, 399 127.0.0.1 "127 Service not authorised"',
    'alice hides who she is:',
    '  invite -> closed',
    'alice gets 403, 399 127.0.0.1 "119 Anonymity not allowed"',
    'alice calls as alice:',
    '  invite -> inviting.ringing',
    '  answered -> b2buaEstablished.steady',
    '  historyOpened -> b2buaEstablished.steady',
    '  acknowledged -> b2buaEstablished.steady',
    '  bye -> tearingDown.closing',
    '  historySealed -> tearingDown.closing',
    '  response -> closed',
    'alice gets 200, recorded under Message-UID 1',
  ]);
});

it('sip-stack: a call between two stacks, with the events of each in their order', async () => {
  const printed = await run('sip-stack');
  expect(printed[0]).toBe('the callee listens on udp:127.0.0.1 and tcp:127.0.0.1');
  expect(printed.filter((line) => line.startsWith('callee'))).toEqual([
    'callee: invite',
    'callee: acknowledged',
    'callee: bye',
  ]);
  expect(printed.filter((line) => line.startsWith('caller'))).toEqual([
    'caller: provisional 180 Ringing',
    'caller: answered 200 OK',
    'caller: response 200 OK',
  ]);
});

it('embed-in-sipjs: a recorded session from invitation to BYE, and nothing is left', async () => {
  expect(await run('embed-in-sipjs')).toEqual([
    expect.stringMatching(/^bob is invited by sip:alice@home\.example, through CPM-serv\/OMA2\.0 /),
    'alice hears 180',
    'alice hears 200',
    'the engine has a session in b2buaEstablished.steady',
    'alice hangs up: 200, recorded under Message-UID 1',
    'the engine has 0 sessions',
    "in alice's history: 1 Application/X-CPM-Session",
    "in alice's history: 2 Application/group-state-object+xml",
  ]);
});

it('machine: the statechart goes from invitation to end, and its effects come out as data', async () => {
  const printed = await run('machine');
  expect(printed.filter((line) => !line.startsWith(' '))).toEqual([
    'invited: {"call":{"inviting":"authorising"},"recording":"off"}',
    'preferencesKnown at 5 ms: {"call":{"inviting":"ringing"},"recording":"off"}',
    'provisional at 100 ms: {"call":{"inviting":"ringing"},"recording":"off"}',
    'answered at 900 ms: {"call":{"b2buaEstablished":"steady"},"recording":"opening"}',
    'historyOpened at 910 ms: {"call":{"b2buaEstablished":"steady"},"recording":"live"}',
    'acknowledged at 950 ms: {"call":{"b2buaEstablished":"steady"},"recording":"live"}',
    'bye at 60000 ms: {"call":{"tearingDown":"closing"},"recording":"sealing"}',
    'historySealed at 60005 ms: {"call":{"tearingDown":"closing"},"recording":"sealed"}',
    'response at 60050 ms: {"call":"closed","recording":"sealed"}',
    expect.stringMatching(/^the Group State Object is ordered by O-BYE-2c-ii-1, /),
  ]);
  const effects = printed.filter((line) => line.startsWith(' ')).map((line) => line.trim().split(' ')[1]);
  expect(effects).toEqual(
    ['trying', 'fetchPreferences', 'invite', 'progress', 'answer', 'openHistory', 'acknowledge'].concat([
      'releaseMedia',
      'bye',
      'sealHistory',
      'answerBye',
    ]),
  );
  expect(printed).toContain('  8.0 answerBye {"leg":"a","exchange":"bye-2","messageUid":1}');
});

it('history: what is stored twice is there once, and outlives its process', async () => {
  expect(await run('history')).toEqual([
    'first: stored under UID 1',
    'again: stored under UID 1',
    'another key: stored under UID 2',
    'folder c0ffee00-1111-4a1b-8c2d-000000000001 has 2 objects',
    'UID 1: Content-Type: text/plain',
    'UID 2: Content-Type: text/plain',
    'pointers: {"SessionInfoObjectID":1}',
  ]);
});

it('testing: a policy, a crash and a long silence in the virtual world', async () => {
  expect(await run('testing')).toEqual([
    'offline: the invitation goes to the ISF, for sip:bob@home.example',
    'offline: alice gets 200',
    'anonymous: 403, Warning: 399 10.0.0.10 "119 Anonymity not allowed"',
    'anonymous: 0 things are left of it',
    'crash: after the restart in b2buaEstablished.steady',
    "crash: alice's BYE gets 200 with Message-UID 1",
    expect.stringMatching(/^silence: BYE to alice after \d+ s of virtual time$/),
  ]);
});

it('own-guards: what its guards answer decides, within the protocol, and one that fails does not', async () => {
  expect(await run('own-guards')).toEqual([
    'mallory: 403, 399 127.0.0.1 "122 Function not allowed"',
    'hidden, into a group: 403, 399 127.0.0.1 "119 Anonymity not allowed"',
    'log: an own guard gave no answer; the standard one stands: doNotDisturb, no calendar for carol',
    'carol: a chat, and 200 to its BYE',
    'failures: {"doNotDisturb":1}',
  ]);
});

describe('the examples together', () => {
  const files = readdirSync(FOLDER);
  const texts = files.map((file) => readFileSync(join(FOLDER, file), 'utf8'));
  const { exports } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as {
    exports: Record<string, unknown>;
  };

  it('import nothing of the package but its entry points, and each of those is imported by one', () => {
    const imported = texts.flatMap((text) => [...text.matchAll(/from '([^']+)'/g)].map((match) => match[1] ?? ''));
    expect(imported.filter((name) => name.startsWith('.'))).toEqual([]);
    const entries = Object.keys(exports)
      .filter((entry) => entry !== './package.json')
      .map((entry) => `cpm-engine${entry.slice(1)}`);
    expect([...new Set(imported.filter((name) => name.startsWith('cpm-engine')))].sort()).toEqual(entries.sort());
  });

  it('are short enough to be read at once', () => {
    for (const text of texts) expect(text.split('\n').length).toBeLessThanOrEqual(100);
  });
});
