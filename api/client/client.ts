import ipaddr from "ipaddr.js";
import { createRecent } from "../../runtime/recent.ts";
import type { Network } from "../../settings/networks.ts";

type Address = ReturnType<typeof ipaddr.parse>;

/** Where a request comes from. */
export interface Origin {
  /** The address of its connection; undefined if that is closed already. */
  readonly connection: string | undefined;
  readonly headers: Headers;
}

const PROXY_HEADERS = ["x-forwarded-for", "forwarded"] as const;
/** Where a proxy adds whom it has a request from; `forwarded`: RFC 7239. */
export type ProxyHeader = (typeof PROXY_HEADERS)[number];

/** A client without an address: all of them share what one may have. */
const NOBODY = "unknown";
/** Clients of whom two headers say different things: as if they were one, on no private network. */
const CONTRADICTED = "contradicted";

/** An IPv4 address that is carried in an IPv6 one is that address. */
const parse = (text: string): Address | undefined => (ipaddr.isValid(text) ? ipaddr.process(text) : undefined);

const isWithin = (address: Address, [network, bits]: Network): boolean =>
  address.kind() === network.kind() && address.match(network, bits);

/** A person with IPv6 has at least a /64 of addresses. */
const keyOf = (address: Address): string => {
  if (address.kind() === "ipv4") return address.toString();
  return `${ipaddr.fromByteArray(address.toByteArray().map((byte, index) => (index < 8 ? byte : 0))).toString()}/64`;
};

/** Who a client, as `clientOf` names it, belongs to: a site has an IPv6 /48 of its own (RFC 6177), with 65,536 clients. */
export const siteOf = (client: string): string => {
  if (!client.endsWith("/64") || isPrivate(client)) return client;
  const [address = ""] = client.split("/");
  const groups = ipaddr.IPv6.parse(address).parts.slice(0, 3);
  return `${groups.map((group) => group.toString(16)).join(":")}::/48`;
};

/** A client as others name it: of an address what `createClientOf` makes of it, any other name as it is. */
export const clientKey = (name: string): string => {
  const address = parse(name);
  return address === undefined ? name : keyOf(address);
};

/** `192.0.2.1:4711`, `[2001:db8::1]:4711`, `"[2001:db8::1]"` -> the address. */
const withoutPort = (text: string): string => {
  const bare = text.trim().replace(/^"(.*)"$/, "$1");
  const inBrackets = /^\[([^\]]*)\](?::\d+)?$/.exec(bare)?.[1];
  return inBrackets ?? bare.replace(/^([^:]*):\d+$/, "$1");
};

/** Where an element of a header says whom the proxy has the request from. */
const hopIn = (element: string, header: ProxyHeader): string =>
  withoutPort(header === "x-forwarded-for" ? element : (/(?:^|;)\s*for=([^;]*)/i.exec(element)?.[1] ?? ""));

/** What there is to know of an address. */
interface Hop {
  readonly key: string;
  readonly isTrusted: boolean;
}

/** Addresses that are remembered: to read one costs more than all else that is asked of it. */
const MOST_HOPS = 10_000;
/** An IPv6 address with an IPv4 one in it has 45 characters, and the name of an interface 15. */
const LONGEST_ADDRESS = 64;
/** Nobody has more proxies in a row. */
const MOST_PROXIES = 16;

/** Reads addresses; undefined: it is none. */
const createReadHop = (trusted: readonly Network[]): ((text: string) => Hop | undefined) => {
  const hops = createRecent<Hop>(MOST_HOPS);
  return (text) => {
    const known = hops.get(text);
    if (known !== undefined) return known;
    const address = text.length > LONGEST_ADDRESS ? undefined : parse(text);
    if (address === undefined) return undefined;
    const hop = { key: keyOf(address), isTrusted: trusted.some((network) => isWithin(address, network)) };
    hops.set(text, hop);
    return hop;
  };
};

/** Whom a header names. */
interface Named {
  /** The nearest hop that is no trusted proxy; or the last proxy that is known. */
  readonly hop: Hop;
  /** Whether that proxy says nothing that can be read of whom it has the request from. */
  readonly isUnreadable: boolean;
}

/** Whom two headers name together. */
const agreed = (one: Named, other: Named): string => {
  if (one.hop.key === other.hop.key) return one.hop.key;
  if (one.isUnreadable || other.isUnreadable) return CONTRADICTED;
  // A header that names nothing but proxies of ours does not say who is before them.
  if (one.hop.isTrusted) return other.hop.key;
  return other.hop.isTrusted ? one.hop.key : CONTRADICTED;
};

/**
 * Who a request is from, as a key: the address of its connection; behind a trusted proxy the nearest hop that is no trusted
 * proxy. What untrusted ones claim is not believed, nor what stands in another header than the proxies': they pass that on as a client
 * has sent it. So where it is not known which header is theirs, and two name different clients, one was made up, and nobody knows which:
 * all such requests count as one client's, whom every limit counts. An IPv6 client is its /64.
 */
export const createClientOf = (
  trusted: readonly Network[],
  header: ProxyHeader | "either" = "either",
): ((origin: Origin) => string) => {
  const readHop = createReadHop(trusted);
  const [first, second] = header === "either" ? PROXY_HEADERS : [header];

  /** From the end: what stands before the first client is its own words, and may be long. */
  const namedBy = (headers: Headers, by: ProxyHeader, proxy: Hop): Named | undefined => {
    const value = headers.get(by)?.trim() ?? "";
    if (value === "") return undefined;
    let hop = proxy;
    let end = value.length;
    for (let proxies = 0; hop.isTrusted && end >= 0; proxies += 1) {
      const comma = end === 0 ? -1 : value.lastIndexOf(",", end - 1);
      const next = proxies === MOST_PROXIES ? undefined : readHop(hopIn(value.slice(comma + 1, end), by));
      if (next === undefined) return { hop, isUnreadable: true };
      hop = next;
      end = comma;
    }
    return { hop, isUnreadable: false };
  };

  return ({ connection, headers }) => {
    const nearest = readHop(connection ?? "");
    if (nearest === undefined) return NOBODY;
    if (!nearest.isTrusted) return nearest.key;
    const one = namedBy(headers, first, nearest);
    const other = second === undefined ? undefined : namedBy(headers, second, nearest);
    if (one !== undefined && other !== undefined) return agreed(one, other);
    return (one ?? other)?.hop.key ?? nearest.key;
  };
};

/** The same function, that finds out once for each request. */
export const rememberedClientOf = (find: (request: Request) => string): ((request: Request) => string) => {
  const clients = new WeakMap<Request, string>();
  return (request) => {
    const known = clients.get(request);
    if (known !== undefined) return known;
    const client = find(request);
    clients.set(request, client);
    return client;
  };
};

const PRIVATE =
  /^(?:127|10|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.|^f(?:[cd][0-9a-f]{2}|e[89ab][0-9a-f]):|^::\/64$/;

/** Whether a client, as `clientOf` names it, is on loopback or on a private network (RFC 1918, 4193, 3927, 4291), or behind a carrier's or a cloud's own (RFC 6598). */
export const isPrivate = (client: string): boolean => PRIVATE.test(client);
