/** Every race a session can lose its end in, by family. Each has its tests in the file of its family. */
import { describe } from '@jest/globals';

export const RACES = {
  'cancel-races': ['CANCEL crossing 200', 'CANCEL before any 1xx', '200 after CANCEL answered 487'],
  'bye-races': ['BYE before ACK', 'BYE glare on one leg', 'BYE from both legs at once'],
  'offer-races': ['BYE during re-INVITE', 're-INVITE glare (491) during partial close', 'UPDATE against BYE'],
  'fork-races': ['second 2xx from a fork, early and late'],
  'ack-races': ['2xx retransmitted with lost ACK', 'no ACK ever'],
  'timer-races': ['session-timer expiry against BYE', 'refresh answered 408, 481, 422', 'peer restarted (481 to all)'],
  'iwf-races': [
    'IWF BYE during secondary INVITE',
    "two IWFs' BYEs at once",
    "last stream's IWF leaves",
    "ISF 2xx after client's CANCEL",
  ],
  'store-races': ['store answers after the budget', 'store answers after closed'],
  'crash-races': ['crash between Group State and pointer', 'crash between snapshot and effect'],
  'end-of-life-races': ['straggler response after closed'],
  'shutdown-races': ['shutdown in each state'],
  'identity-races': ['reused Call-ID', 'merged request (482)'],
  'spiral-races': ['spiral through both PFs of the same process'],
} as const;

export type Family = keyof typeof RACES;
export type Race = (typeof RACES)[Family][number];

/** The tests of one race. Its name is that of the catalogue, so that one which is misspelt or missing is noticed. */
export function race(name: Race, tests: () => void): void {
  describe(name, tests);
}
