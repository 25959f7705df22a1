/** The Interworking Selection Function's choice (6.5): an IWF by destination and by media, or a refusal. */
import { type Destination, type Directory, destinationOf } from './destination.ts';
import { type OfferedStream, offeredStreams } from './offer.ts';

export type IwfName = 'sms' | 'email';

export interface Refusal {
  readonly status: number;
  /** Why, for the log and for a Warning header. */
  readonly why: string;
}

/** Which streams an IWF takes. */
export const TAKES: Readonly<Record<IwfName, (stream: OfferedStream) => boolean>> = {
  sms: ({ kind }) => kind === 'chat',
  email: ({ kind }) => kind !== 'other',
};

export const ADDRESS: Readonly<Record<IwfName, (destination: Destination) => string | undefined>> = {
  sms: ({ number }) => number,
  email: ({ mail }) => mail,
};

export function selectIwf(
  uri: string,
  sdp: string | undefined,
  directory: Directory,
  there: readonly IwfName[],
): IwfName | Refusal {
  const destination = destinationOf(uri, directory);
  if (destination === 'scheme') return { status: 416, why: 'no IWF for this kind of address' };
  if (destination === 'unknown') return { status: 404, why: 'the address leads to no telephone and no mailbox' };
  const reached = there.filter((name) => ADDRESS[name](destination) !== undefined);
  if (reached.length === 0) return { status: 404, why: 'no IWF for this address is configured' };
  // RFC 3261 13.3.1: an offer in our 2xx would have to be made before it is known which IWF it is for.
  if (sdp === undefined) return { status: 488, why: 'an offer is needed' };
  for (const stream of offeredStreams(sdp)) {
    // A telephone before a mailbox: it is nearer to a conversation.
    const taker = reached.find((name) => TAKES[name](stream));
    if (taker !== undefined) return taker;
  }
  return { status: 488, why: 'no stream that an IWF takes' };
}
