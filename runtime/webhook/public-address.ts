import { isIPv4, isIPv6 } from "node:net";

/**
 * Whether an address is one of the public internet: neither private, loopback, link-local, nor otherwise of special purpose
 * (the IANA registries of RFC 6890, as of 2025). An IPv6 address that carries an IPv4 one (mapped, or NAT64's) is what that
 * one is. What is no address, and an address with a zone, is not public. Pure.
 */
export const isPublicAddress = (address: string): boolean => {
  if (isIPv4(address)) return isPublicV4(bytesOfV4(address));
  if (!isIPv6(address) || address.includes("%")) return false;
  const bytes = bytesOfV6(address);
  if (isWithin(bytes, MAPPED) || isWithin(bytes, NAT64)) return isPublicV4(bytes.slice(12));
  return isWithin(bytes, GLOBAL_UNICAST) && !SPECIAL_V6.some((network) => isWithin(bytes, network));
};

/** The first bytes of a network, and how many bits of them count. */
interface Network {
  readonly bytes: readonly number[];
  readonly bits: number;
}

const bytesOfV4 = (address: string): readonly number[] => address.split(".").map(Number);

const wordsOf = (half: string): readonly number[] =>
  half === ""
    ? []
    : half.split(":").flatMap((word) => {
        if (!word.includes(".")) return [Number.parseInt(word, 16)];
        const [first = 0, second = 0, third = 0, fourth = 0] = bytesOfV4(word);
        return [first * 256 + second, third * 256 + fourth];
      });

/** Of a valid address; `::` stands for as many zeros as are missing. */
const bytesOfV6 = (address: string): readonly number[] => {
  const [before = "", after] = address.split("::");
  const [left, right] = [wordsOf(before), wordsOf(after ?? "")];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return [...left, ...zeros, ...right].flatMap((word) => [word >> 8, word & 0xff]);
};

const isWithin = (bytes: readonly number[], { bytes: network, bits }: Network): boolean =>
  Array.from({ length: Math.ceil(bits / 8) }, (_, at) => {
    const mask = (0xff << Math.max(0, (at + 1) * 8 - bits)) & 0xff;
    return ((bytes[at] ?? 0) & mask) === ((network[at] ?? 0) & mask);
  }).every(Boolean);

const networkV4 = (notation: string): Network => {
  const [address = "", bits] = notation.split("/");
  return { bytes: bytesOfV4(address), bits: Number(bits) };
};

const networkV6 = (notation: string): Network => {
  const [address = "", bits] = notation.split("/");
  return { bytes: bytesOfV6(address), bits: Number(bits) };
};

const SPECIAL_V4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
].map(networkV4);

const MAPPED = networkV6("::ffff:0:0/96");
const NAT64 = networkV6("64:ff9b::/96");
/** All that is assigned so far; loopback, link-local, unique local and multicast addresses are outside. */
const GLOBAL_UNICAST = networkV6("2000::/3");
/** Protocol assignments with Teredo, documentation, and 6to4. */
const SPECIAL_V6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"].map(networkV6);

const isPublicV4 = (bytes: readonly number[]): boolean => !SPECIAL_V4.some((network) => isWithin(bytes, network));
