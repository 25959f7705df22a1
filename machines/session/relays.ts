/** Questions about requests under way from one side to the other, which guards, actions and the engine share. */
import type { LegName, Relay } from './context.ts';

/** The relay of this request, by the leg it came from. */
export function relayFrom(relays: readonly Relay[], leg: LegName, exchange: string): Relay | undefined {
  return relays.find((relay) => relay.from === leg && relay.exchange === exchange);
}

/** The relay of the request that this response answers, by the leg it was sent on. */
export function relayTo(relays: readonly Relay[], response: { readonly leg: LegName; readonly exchange: string }) {
  return relays.find((relay) => relay.to === response.leg && relay.as === response.exchange);
}
