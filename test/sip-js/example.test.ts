/** The example of the entry point `cpm-engine/sip-js` runs to its end. */
import { expect, it } from '@jest/globals';
import { main } from '../../examples/embed-in-sipjs.ts';

it('embed-in-sipjs: a recorded session from invitation to BYE, and nothing is left', async () => {
  const printed: string[] = [];
  await main((line) => printed.push(line));
  expect(printed).toEqual([
    expect.stringMatching(/^bob is invited by sip:alice@home\.example, through CPM-serv\/OMA2\.0 /),
    'alice hears 180',
    'alice hears 200',
    'the engine has a session in b2buaEstablished.steady',
    'alice hangs up: 200, recorded under Message-UID 1',
    'the engine has 0 sessions',
    "in alice's history: 1 Application/X-CPM-Session",
    expect.stringMatching(/^in alice's history: 2 /),
  ]);
});
