/** Which peers are believed (RFC 3325 5): networks in CIDR form, or single addresses. */
import { BlockList, isIPv6 } from 'node:net';

/** Throws on what is no network. */
export function trustOf(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    try {
      if (bits === undefined) list.addAddress(address, family);
      else list.addSubnet(address, Number(bits), family);
    } catch {
      throw new Error(`not a network: ${network} (give an address or a range such as 10.0.0.0/8)`);
    }
  }
  const known = new Map<string, boolean>();
  return (address) => {
    const answer = known.get(address);
    if (answer !== undefined) return answer;
    const bare = address.startsWith('::ffff:') ? address.slice(7) : address;
    const trusted = list.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4');
    // Peers are few where they are trusted; strangers must not fill memory.
    if (known.size >= 1024) known.clear();
    known.set(address, trusted);
    return trusted;
  };
}
