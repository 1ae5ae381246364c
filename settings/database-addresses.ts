import { urlOfEachHost } from "./hosts.ts";

/** Parameters of libpq about its own connections, which mean nothing here: `target_session_attrs` chooses among several hosts, and the one that takes writes is always looked for. */
const OF_LIBPQ: ReadonlySet<string> = new Set([
  "target_session_attrs",
  "load_balance_hosts",
  "channel_binding",
  "gssencmode",
  "keepalives",
  "keepalives_idle",
  "keepalives_interval",
  "keepalives_count",
  "tcp_user_timeout",
]);
/** Those of other drivers, as Prisma's and that of Java. The server would take each for a setting of its own, and refuse the connection. */
const OF_OTHER_DRIVERS: ReadonlySet<string> = new Set([
  "schema",
  "currentSchema",
  "pgbouncer",
  "connection_limit",
  "pool_timeout",
  "socket_timeout",
  "statement_cache_size",
  "sslaccept",
  "sslidentity",
]);

/**
 * The addresses of a database's URL, in its order, one URL for each: `postgres://app@a:5432,b:5433/signup` names two servers,
 * of which one takes writes.
 */
export const databaseAddresses = (url: string): readonly string[] =>
  urlOfEachHost(url).map((each) => {
    const address = URL.parse(each);
    // What is no URL is refused where the settings are read.
    if (address === null) return url;
    for (const name of OF_LIBPQ) address.searchParams.delete(name);
    return address.href;
  });

const isDecodable = (text: string): boolean => {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
};

/** What is wrong with a database's URL, without its secrets; undefined if nothing is. */
export const faultOfDatabaseUrl = (url: string): string | undefined => {
  const addresses = urlOfEachHost(url).map((each) => URL.parse(each));
  if (addresses.some((address) => !/^postgres(ql)?:$/.test(address?.protocol ?? "")))
    return "expected a URL that begins with postgres:// or postgresql://";
  const parts = addresses.flatMap((address) => [address?.username, address?.password, address?.pathname]);
  if (!parts.every((part = "") => isDecodable(part)))
    return "expected each % in a name or password to be written as %25";
  const foreign = addresses.flatMap((address) => [...(address?.searchParams.keys() ?? [])]);
  const [first] = foreign.filter((name) => OF_OTHER_DRIVERS.has(name));
  return first === undefined ? undefined : `expected no parameter ${first}, which is of another driver`;
};
