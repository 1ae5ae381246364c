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

/** The hops that the proxies name, the nearest last. */
const hopsOf = (value: string, header: ProxyHeader): readonly string[] => {
  const elements = value.split(",");
  if (header === "x-forwarded-for") return elements.map(withoutPort);
  return elements.map((element) => withoutPort(/(?:^|;)\s*for=([^;]*)/i.exec(element)?.[1] ?? ""));
};

/** What there is to know of an address. */
interface Hop {
  readonly key: string;
  readonly isTrusted: boolean;
}

/** Addresses that are remembered: to read one costs more than all else that is asked of it. */
const MOST_HOPS = 10_000;

/** Reads addresses; undefined: it is none. */
const createReadHop = (trusted: readonly Network[]): ((text: string) => Hop | undefined) => {
  const hops = createRecent<Hop>(MOST_HOPS);
  return (text) => {
    const known = hops.get(text);
    if (known !== undefined) return known;
    const address = parse(text);
    if (address === undefined) return undefined;
    const hop = { key: keyOf(address), isTrusted: trusted.some((network) => isWithin(address, network)) };
    hops.set(text, hop);
    return hop;
  };
};

/**
 * Who a request is from, as a key: the address of its connection; behind a trusted proxy the nearest hop that is no trusted
 * proxy. What untrusted ones claim is not believed, nor what stands in another header than the proxies': they pass that on as a client
 * has sent it. So where it is not known which header is theirs, two that differ say nothing but that the proxy was asked: a proxy that
 * adds to one makes sure that this one is there. An IPv6 client is its /64.
 */
export const createClientOf = (
  trusted: readonly Network[],
  header: ProxyHeader | "either" = "either",
): ((origin: Origin) => string) => {
  const readHop = createReadHop(trusted);
  const read = header === "either" ? PROXY_HEADERS : [header];

  const behind = (proxy: Hop, named: string, by: ProxyHeader): string => {
    let nearest = proxy;
    for (const hop of hopsOf(named, by).toReversed()) {
      if (!nearest.isTrusted) break;
      const next = readHop(hop);
      // A proxy that does not say from whom: all that is known is the proxy.
      if (next === undefined) break;
      nearest = next;
    }
    return nearest.key;
  };

  return ({ connection, headers }) => {
    const nearest = readHop(connection ?? "");
    if (nearest === undefined) return NOBODY;
    if (!nearest.isTrusted) return nearest.key;
    const [client, ...others] = read.flatMap((by) => {
      const named = headers.get(by);
      return named === null ? [] : behind(nearest, named, by);
    });
    return client !== undefined && others.every((other) => other === client) ? client : nearest.key;
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
