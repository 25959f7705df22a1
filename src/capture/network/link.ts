/** The IP packet inside what a link carries. */

const ETHERNET = 1;
const LINUX_COOKED = 113;
const LINUX_COOKED_2 = 276;
/** BSD loopback, in the byte order of the capturing host and of the network; PPP's and OpenBSD's raw IP; raw IPv4 and IPv6. */
const LOOPBACK: readonly number[] = [0, 108];
const RAW: readonly number[] = [12, 14, 101, 228, 229];

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const TAGGED: readonly number[] = [0x8100, 0x88a8, 0x9100];
/** Tags in front of a packet: provider and customer, and one to spare. */
const MAX_TAGS = 3;

export function isReadLink(link: number): boolean {
  return [ETHERNET, LINUX_COOKED, LINUX_COOKED_2, ...LOOPBACK, ...RAW].includes(link);
}

/** Undefined for what is no IP. */
export function ipOf(link: number, bytes: Uint8Array): Uint8Array | undefined {
  if (link === ETHERNET) return ofType(bytes, 12);
  if (link === LINUX_COOKED) return ofType(bytes, 14);
  if (link === LINUX_COOKED_2) return isIp(shortAt(bytes, 0)) ? bytes.subarray(20) : undefined;
  return bytes.subarray(LOOPBACK.includes(link) ? 4 : 0);
}

/** What stands behind the type at this place, and behind VLAN tags. */
function ofType(bytes: Uint8Array, place: number): Uint8Array | undefined {
  let at = place;
  for (let tags = 0; tags < MAX_TAGS && TAGGED.includes(shortAt(bytes, at)); tags++) at += 4;
  return isIp(shortAt(bytes, at)) ? bytes.subarray(at + 2) : undefined;
}

const isIp = (type: number): boolean => type === IPV4 || type === IPV6;

/** 0 behind the end. */
export function shortAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
