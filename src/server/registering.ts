/** A third-party REGISTER of the core (digest 3.5), answered. */
import type { EngineOptions } from '../engine/engine.ts';
import type { RegEvents } from '../registrar/reg-event.ts';
import type { Registrations } from '../registrar/registrations.ts';
import { readRegister } from '../registrar/third-party.ts';
import { headerField } from '../sip/message/header.ts';
import type { SipPort } from '../sip/port.ts';
import type { Config } from './config/schema.ts';

/** Seconds after which a refused registration is worth another try. */
const RETRY_AFTER = '60';

export function registering(
  sip: SipPort,
  registrations: Registrations,
  driver: Config['registrar']['driver'],
  regEvents?: RegEvents | undefined,
): NonNullable<EngineOptions['outside']> {
  return ({ exchange, request, source }) => {
    // RFC 3261 8.2.1: what is no registrar answers 405, as with every other method that is not for us.
    if (request.method !== 'REGISTER' || (driver !== 'thirdParty' && regEvents === undefined)) return false;
    const answer = (status: number, ...headers: ReturnType<typeof headerField>[]): boolean => {
      sip.execute({ type: 'reply', exchange, status, headers });
      return true;
    };
    if (!source.trusted) return answer(403);
    const registration = readRegister(request);
    if (registration === undefined) return answer(400);
    if (regEvents !== undefined) {
      // TS 24.229 5.7.1.1: what it is about, the subscription tells; it is begun when the user is heard of first.
      if (registration.expiresSeconds > 0) regEvents.watch(registration.addresses[0] ?? '');
    } else if (!registrations.register(registration)) return answer(503, headerField('Retry-After', RETRY_AFTER));
    return answer(200, headerField('Expires', String(registration.expiresSeconds)));
  };
}
