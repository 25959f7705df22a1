/** Plays to begin with, as links: each shows one thing that is worth seeing. */

export interface Story {
  readonly name: string;
  readonly about: string;
  /** What stands behind the `#`. */
  readonly link: string;
}

export const STORIES: readonly Story[] = [
  {
    name: 'An ordinary call',
    about: 'Alice invites Bob, both conversations are kept, Bob hangs up.',
    link: 'play=call&acts=-.0.invite.bob.1,-.3000.hangup.bob',
  },
  {
    name: 'Killed in the middle',
    about: "Alice's function is killed as soon as the answer is stored and nobody has heard of it.",
    link: 'play=call&acts=-.0.invite.bob.1,-.900.crash.pfa.committed.1200,-.4000.hangup.alice',
  },
  {
    name: 'CANCEL crosses the answer',
    about: 'Alice gives up while the 200 is on its way: it is acknowledged and ended, and she gets her 487.',
    link: 'play=call&acts=-.0.invite.bob.1,-.985.cancel.alice',
  },
  {
    name: 'The store is down at the BYE',
    about: "Bob's BYE waits for his function's store no longer than its budget; what was to be stored is stored later.",
    link: 'play=call&acts=-.0.invite.bob.1,-.2000.store.pfb.failing.0,-.3000.hangup.bob,-.9000.store.pfb.well.0',
  },
  {
    name: 'Two IWFs',
    about: 'Carol has mail only. The first IWF takes one stream, a second one the other; then the first hangs up.',
    link: 'play=call&acts=-.0.invite.carol.2,-.0.takes.iwf1.first,-.2000.hangup.iwf1,-.4000.hangup.alice',
  },
  {
    name: 'Bob has no client',
    about: "His function takes the invitation to the ISF, and Alice's does not notice.",
    link: 'play=call&acts=-.0.phone.off,-.0.invite.bob.1,-.3000.hangup.alice',
  },
  {
    name: 'A torn line',
    about: 'The line between core and PF B breaks while the session stands: BYEs are said again until it is mended.',
    link: 'play=call&acts=-.0.invite.bob.1,-.2000.cut.core.pfb.both,-.3000.hangup.alice,-.9000.mend.core.pfb',
  },
  {
    name: 'The session timer runs out',
    about: 'Alice is to refresh the session and has gone silent: both functions end it, each by itself.',
    link: 'play=call&timer=uac&interval=90&acts=-.0.invite.bob.1,-.3000.deaf.alice.on',
  },
  {
    name: 'As proxy, in bad weather',
    about: 'Neither function is an end of the dialog; one message in five is lost, and one in ten comes twice.',
    link: 'play=call&seed=5&media=never&storage=off&jitter=30&loss=20&twice=10&acts=-.0.invite.bob.1,-.6000.hangup.alice',
  },
];
