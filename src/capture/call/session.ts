/** A session at one function, as the wire shows it: its legs, and what was said on each. */

import { parseNameAddress } from '../../sip/message/address.ts';
import { isSipUri, parseUri } from '../../sip/message/uri.ts';
import { ownTagOf } from '../../trace/wire.ts';
import type { ChatSaid, GapSaid, SipSaid } from '../dissector.ts';
import type { Invitation } from './invitations.ts';

export interface CapturedLeg {
  /** `a` toward whoever invited, `b`, `b2` … */
  readonly name: string;
  readonly callId: string;
  /** `address:port` of the other side. */
  readonly peer: string;
  readonly invitation: Invitation;
  /** Tags of whoever answered it. */
  readonly answered: Set<string>;
}

export interface Sighting<H = SipSaid | ChatSaid | GapSaid> {
  readonly heard: H;
  readonly way: 'in' | 'out';
  readonly leg: string;
}

export class CapturedSession {
  readonly node: string;
  readonly number: number;
  readonly legs: CapturedLeg[] = [];
  readonly sightings: Sighting[] = [];
  mode: 'proxy' | 'b2bua' | null = null;
  /** True once the inviter has a final answer. */
  settled = false;
  #key: string | undefined;

  constructor(node: string, number: number) {
    this.node = node;
    this.number = number;
  }

  /** The function's own name of it, where its tags or routes tell; else a number. */
  get id(): string {
    return this.#key ?? `capture-${this.number}`;
  }

  get key(): string | undefined {
    return this.#key;
  }

  get contributionId(): string | undefined {
    return this.legs[0]?.invitation.request.header('contribution-id');
  }

  leg(name: string): CapturedLeg | undefined {
    return this.legs.find((leg) => leg.name === name);
  }

  addLeg(side: 'near' | 'far', invitation: Invitation): CapturedLeg {
    const far = this.legs.filter(({ name }) => name !== 'a').length;
    const name = side === 'near' ? 'a' : far === 0 ? 'b' : `b${far + 1}`;
    const peer = side === 'near' ? invitation.from : invitation.to;
    const leg = { name, callId: invitation.request.callId, peer, invitation, answered: new Set<string>() };
    this.legs.push(leg);
    return leg;
  }

  note(sighting: Sighting): void {
    this.sightings.push(sighting);
    const { heard, way } = sighting;
    if (this.#key === undefined && heard.kind === 'sip' && way === 'out') this.#key = this.#keyOf(heard);
  }

  /** An answer that a proxy passes on has somebody else's tag. */
  #keyOf(heard: SipSaid): string | undefined {
    return heard.message.kind === 'response' && this.mode === 'proxy' ? undefined : keyIn(heard);
  }

  /** SIP alone, in order. */
  get messages(): Sighting<SipSaid>[] {
    return this.sightings.filter((each): each is Sighting<SipSaid> => each.heard.kind === 'sip');
  }
}

/** Our own function writes the session into each of its tags, and into its routes. */
const OWN_ROUTE = /^[A-Za-z0-9_-]{6,}$/;
const OWN_TAG = /^([A-Za-z0-9_-]{6,})\.(?:a|b\d*)(?:\.|$)/;

export function keyIn({ text, message }: SipSaid): string | undefined {
  const passedOn = message.kind === 'request' && message.list('via').length > 1;
  if (!passedOn) return OWN_TAG.exec(ownTagOf(text, 'out') ?? '')?.[1];
  const route = parseUri(parseNameAddress(message.list('record-route')[0] ?? '')?.uri ?? '');
  return route !== undefined && isSipUri(route) ? OWN_ROUTE.exec(route.user ?? '')?.[0] : undefined;
}
