/** A SIP port that somebody looks through: the same port with a note taken of what passes. */
import type { SipCommand, SipEvent, SipPort } from './port.ts';

export interface PortWatch {
  /** Before the event is told. */
  event(event: SipEvent): void;
  /** Carries the command out with `port.execute`. */
  execute(command: SipCommand): void;
}

/** What a port can do beside (`Dialogs` of `src/engine/ports.ts`), each as far as it can. */
const BESIDE = [
  'exportLeg',
  'restoreLeg',
  'restoreEarly',
  'restoreInvite',
  'restoreOffer',
  'exportProxied',
  'restoreProxied',
  'restoreOutside',
  'storedBy',
] as const;

/**
 * An object of its own, not one that has the port for its prototype: V8 gives each prototype a shape of its own, and what
 * was optimised for one stack is then thrown away at the first message of the next.
 */
export function watchedPort<P extends SipPort>(port: P, watch: PortWatch): P {
  const watched: Record<string, unknown> = {
    onEvent: (listener: (event: SipEvent) => void) =>
      port.onEvent((event) => {
        watch.event(event);
        listener(event);
      }),
    execute: (command: SipCommand) => watch.execute(command),
  };
  for (const name of BESIDE) {
    const method = (port as unknown as Record<string, unknown>)[name];
    if (typeof method === 'function') watched[name] = method.bind(port);
  }
  return watched as unknown as P;
}
