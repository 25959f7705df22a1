/**
 * Bytes that perish: what a connection tells of is overwritten as soon as its user returns, as the next read may do. A user
 * that keeps a view of them has rubbish from then on, at once and every time.
 */
import type { Carrier, CarrierUser } from '../../src/msrp/carrier.ts';
import type { MediaNetwork } from '../../src/msrp/relay/relay.ts';

const RUBBISH = 'Z';

/** The same user, from whom its bytes are taken. */
export function perishable(user: CarrierUser): CarrierUser {
  return {
    onOpen: () => user.onOpen(),
    onData(bytes) {
      user.onData(bytes);
      bytes.fill(RUBBISH);
    },
    onDrain: () => user.onDrain(),
    onClosed: (reason) => user.onClosed(reason),
  };
}

/** From now on a network tells all who use it of such bytes only. */
export function letPerish(network: MediaNetwork): void {
  const take = network.onConnection;
  const dial = network.dial.bind(network);
  network.onConnection = (carrier) => perishable(take(carrier));
  network.dial = (target, user: (carrier: Carrier) => CarrierUser) =>
    dial(target, (carrier) => perishable(user(carrier)));
}
