/** Every state and every input of the four transaction machines, held beside their figures. */
import { describe, expect, it } from '@jest/globals';
import type { TransportName } from '../../../src/sip/flow.ts';
import { responseTo } from '../../../src/sip/message/respond.ts';
import type { Chart } from '../../../src/sip/transaction/chart.ts';
import type { ClientTransaction } from '../../../src/sip/transaction/client.ts';
import { INVITE_CLIENT } from '../../../src/sip/transaction/invite-client.ts';
import { INVITE_SERVER } from '../../../src/sip/transaction/invite-server.ts';
import { NON_INVITE_CLIENT } from '../../../src/sip/transaction/non-invite-client.ts';
import { NON_INVITE_SERVER } from '../../../src/sip/transaction/non-invite-server.ts';
import type { ServerTransaction } from '../../../src/sip/transaction/server.ts';
import { Bench, request } from './bench.ts';

/** For each state, the next one by input; `-` is ignored on purpose, for the reason that stands beside the table. */
type Grid = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * RFC 6026 figure 5. Ignored: timers of another state, which are stopped on leaving theirs (A and B run in Calling,
 * D in Completed, M in Accepted); a provisional behind a final response, or a refusal behind a 2xx, which come out of
 * order; a transport error where nothing is sent. Beyond the figure, a 2xx behind a refusal goes up (RFC 3261 16.7).
 */
const INVITE_CLIENT_GRID: Grid = {
  calling: {
    '1xx': 'proceeding',
    '2xx': 'accepted',
    '300-699': 'completed',
    timerA: 'calling',
    timerB: 'terminated',
    timerD: '-',
    timerM: '-',
    transportError: 'terminated',
  },
  proceeding: {
    '1xx': 'proceeding',
    '2xx': 'accepted',
    '300-699': 'completed',
    timerA: '-',
    timerB: '-',
    timerD: '-',
    timerM: '-',
    transportError: '-',
  },
  accepted: {
    '1xx': '-',
    '2xx': 'accepted',
    '300-699': '-',
    timerA: '-',
    timerB: '-',
    timerD: '-',
    timerM: 'terminated',
    transportError: '-',
  },
  completed: {
    '1xx': '-',
    '2xx': 'completed',
    '300-699': 'completed',
    timerA: '-',
    timerB: '-',
    timerD: 'terminated',
    timerM: '-',
    transportError: 'terminated',
  },
  terminated: {
    '1xx': '-',
    '2xx': '-',
    '300-699': '-',
    timerA: '-',
    timerB: '-',
    timerD: '-',
    timerM: '-',
    transportError: '-',
  },
};

/**
 * RFC 6026 figure 3, with its 8.8: a transport error is told and changes no state. Ignored: an ACK before a final
 * response and copies of it behind the first; copies of the INVITE in Accepted and Confirmed, which are absorbed; an
 * ACK in Accepted, which is the user's (7.1); whatever the user says behind a final response (RFC 3261 17.2.1);
 * timers of another state.
 */
const INVITE_SERVER_GRID: Grid = {
  proceeding: {
    INVITE: 'proceeding',
    ACK: '-',
    '1xx': 'proceeding',
    '2xx': 'accepted',
    '300-699': 'completed',
    timerG: '-',
    timerH: '-',
    timerI: '-',
    timerL: '-',
    transportError: 'proceeding',
  },
  completed: {
    INVITE: 'completed',
    ACK: 'confirmed',
    '1xx': '-',
    '2xx': '-',
    '300-699': '-',
    timerG: 'completed',
    timerH: 'terminated',
    timerI: '-',
    timerL: '-',
    transportError: 'completed',
  },
  accepted: {
    INVITE: '-',
    ACK: '-',
    '1xx': '-',
    '2xx': 'accepted',
    '300-699': '-',
    timerG: '-',
    timerH: '-',
    timerI: '-',
    timerL: 'terminated',
    transportError: 'accepted',
  },
  confirmed: {
    INVITE: '-',
    ACK: '-',
    '1xx': '-',
    '2xx': '-',
    '300-699': '-',
    timerG: '-',
    timerH: '-',
    timerI: 'terminated',
    timerL: '-',
    transportError: '-',
  },
  terminated: {
    INVITE: '-',
    ACK: '-',
    '1xx': '-',
    '2xx': '-',
    '300-699': '-',
    timerG: '-',
    timerH: '-',
    timerI: '-',
    timerL: '-',
    transportError: '-',
  },
};

/** RFC 3261 figure 6. Ignored: copies of the final response in Completed (17.1.2.2); timers of another state. */
const NON_INVITE_CLIENT_GRID: Grid = {
  trying: {
    '1xx': 'proceeding',
    '200-699': 'completed',
    timerE: 'trying',
    timerF: 'terminated',
    timerK: '-',
    transportError: 'terminated',
  },
  proceeding: {
    '1xx': 'proceeding',
    '200-699': 'completed',
    timerE: 'proceeding',
    timerF: 'terminated',
    timerK: '-',
    transportError: 'terminated',
  },
  completed: {
    '1xx': '-',
    '200-699': '-',
    timerE: '-',
    timerF: '-',
    timerK: 'terminated',
    transportError: '-',
  },
  terminated: {
    '1xx': '-',
    '200-699': '-',
    timerE: '-',
    timerF: '-',
    timerK: '-',
    transportError: '-',
  },
};

/**
 * RFC 3261 figure 8, with RFC 6026 8.8 in place of its transport errors: told, and no state changed. Ignored: copies
 * of the request before any response (17.2.2); whatever the user says behind a final response; timers of another state.
 */
const NON_INVITE_SERVER_GRID: Grid = {
  trying: { request: '-', '1xx': 'proceeding', '200-699': 'completed', timerJ: '-', transportError: 'trying' },
  proceeding: {
    request: 'proceeding',
    '1xx': 'proceeding',
    '200-699': 'completed',
    timerJ: '-',
    transportError: 'proceeding',
  },
  completed: { request: 'completed', '1xx': '-', '200-699': '-', timerJ: 'terminated', transportError: 'completed' },
  terminated: { request: '-', '1xx': '-', '200-699': '-', timerJ: '-', transportError: '-' },
};

/** Where the timer of this state is zero over a reliable transport (RFC 3261 17.1.1.2, 17.1.2.2, 17.2.1, 17.2.2). */
const ZERO_TIMER: Grid = {
  client: { completed: 'terminated' },
  inviteServer: { confirmed: 'terminated' },
  server: { completed: 'terminated' },
};

// biome-ignore lint/suspicious/noExplicitAny: a chart of any machine
type AnyChart = Chart<string, string, any>;
type Tx = (ClientTransaction | ServerTransaction) & { state: string };

/** Lets the input happen to the transaction, through its own surface. */
function happens(transaction: Tx, input: string): void {
  const status = { '1xx': 180, '2xx': 200, '300-699': 486, '200-699': 200 }[input];
  const response = status === undefined ? undefined : responseTo(request(), status, { toTag: 'b' });
  if (response !== undefined) 'respond' in transaction ? transaction.respond(response) : transaction.receive(response);
  else if (input === 'transportError') transaction.onTransportError('x');
  else if (input.startsWith('timer')) transaction.onTimer(input);
  else (transaction as ServerTransaction).receive(request(input === 'request' ? 'OPTIONS' : input));
}

const MACHINES: readonly (readonly [string, AnyChart, Grid, keyof typeof ZERO_TIMER, (bench: Bench) => unknown])[] = [
  ['INVITE client, RFC 6026 figure 5', INVITE_CLIENT, INVITE_CLIENT_GRID, 'client', (bench) => bench.ask()],
  ['INVITE server, RFC 6026 figure 3', INVITE_SERVER, INVITE_SERVER_GRID, 'inviteServer', (bench) => bench.serve()],
  [
    'non-INVITE client, RFC 3261 figure 6',
    NON_INVITE_CLIENT,
    NON_INVITE_CLIENT_GRID,
    'client',
    (bench) => bench.ask('OPTIONS'),
  ],
  [
    'non-INVITE server, RFC 3261 figure 8',
    NON_INVITE_SERVER,
    NON_INVITE_SERVER_GRID,
    'server',
    (bench) => bench.serve('OPTIONS'),
  ],
];

describe.each(MACHINES)('%s', (_, chart, grid, zero, make) => {
  const states = Object.keys(grid);
  const inputs = Object.keys(Object.values(grid)[0] ?? {});

  it('has the states and inputs of its grid, and no others', () => {
    expect(Object.keys(chart).sort()).toEqual([...states].sort());
    for (const row of Object.values(chart)) expect(inputs).toEqual(expect.arrayContaining(Object.keys(row)));
    for (const state of states) expect(Object.keys(grid[state] ?? {})).toEqual(inputs);
  });

  it.each(states)('in %s every input leads where the figure says', (state) => {
    const rows = Object.fromEntries(inputs.map((input) => [input, chart[state]?.[input]?.[0] ?? '-']));
    expect(rows).toEqual(grid[state]);
  });

  it.each<[TransportName]>([['UDP'], ['TCP']])('walks the whole grid over %s', (transport) => {
    for (const state of states) {
      for (const input of inputs) {
        const bench = new Bench(transport);
        const transaction = make(bench) as Tx;
        transaction.state = state;
        happens(transaction, input);
        const next = grid[state]?.[input] ?? '';
        const entered = next === '-' ? state : next;
        const moved = next !== '-' && next !== state;
        const expected = transport === 'TCP' && moved ? (ZERO_TIMER[zero]?.[entered] ?? entered) : entered;
        expect([state, input, transaction.state]).toEqual([state, input, expected]);
      }
    }
  });
});
