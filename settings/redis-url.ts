import { z } from "zod";
import { urlOfEachHost } from "./hosts.ts";

/** Name and password of a user. */
export interface Login {
  readonly username?: string;
  readonly password?: string;
}

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** A Redis whose primary changes place: the servers that know where it is now, and how to log in there. */
export type MovingRedis = {
  /** Sentinels, or nodes of the cluster; at least one. */
  readonly seeds: readonly [HostAndPort, ...HostAndPort[]];
  readonly isEncrypted: boolean;
  readonly login: Login;
  /** Of all hosts: its `sslrootcert`, for example, is the URL of one server. */
  readonly first: URL;
} & (
  | {
      readonly kind: "sentinel";
      /** Name under which the sentinels watch it. */
      readonly master: string;
      readonly database: number;
      /** At the sentinels. */
      readonly sentinelLogin: Login;
    }
  | { readonly kind: "cluster" }
);

const SCHEME = /^redis(?<tls>s?)(?:\+(?<kind>sentinel|cluster))?:$/;
const PORT = { sentinel: 26_379, cluster: 6_379 } as const;
const DATABASE = /^\/?\d{0,4}$/;
const PATH = /^\/(?<master>[A-Za-z0-9._-]+)(?:\/(?<database>\d{1,4}))?$/;

const loginOf = (username: string, password: string): Login => ({
  ...(username === "" ? {} : { username }),
  ...(password === "" ? {} : { password }),
});

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};

/**
 * What a URL of Redis names: one server; or, by `redis+sentinel://[USER:PASSWORD@]HOST[:PORT],.../MASTER[/DATABASE]` and
 * `redis+cluster://[USER:PASSWORD@]HOST[:PORT],...`, one whose primary changes place; undefined if it is not such a URL.
 */
export const parseRedisUrl = (text: string): { readonly kind: "server" } | MovingRedis | undefined => {
  const urls = urlOfEachHost(text).map((each) => URL.parse(each));
  const [first] = urls;
  const scheme = SCHEME.exec(first?.protocol ?? "")?.groups;
  if (!first || scheme === undefined || urls.some((url) => !url?.hostname)) return undefined;
  const kind = scheme["kind"] === "sentinel" || scheme["kind"] === "cluster" ? scheme["kind"] : "server";
  const [username, password] = [decoded(first.username), decoded(first.password)];
  if (username === undefined || password === undefined) return undefined;
  if (kind === "server") return urls.length === 1 && DATABASE.test(first.pathname) ? { kind } : undefined;
  const [seed, ...others] = urls.map((url) => ({
    host: (url?.hostname ?? "").replace(/^\[(.*)\]$/, "$1"),
    port: url?.port ? Number(url.port) : PORT[kind],
  }));
  if (seed === undefined) return undefined;
  const common = {
    seeds: [seed, ...others] as const,
    isEncrypted: scheme["tls"] === "s",
    login: loginOf(username, password),
    first,
  };
  // A cluster has database 0 alone.
  if (kind === "cluster") return /^\/?0?$/.test(first.pathname) ? { ...common, kind } : undefined;
  const { master, database = "0" } = PATH.exec(first.pathname)?.groups ?? {};
  if (master === undefined) return undefined;
  const sentinel = (name: string): string => first.searchParams.get(`sentinel_${name}`) ?? "";
  const sentinelLogin = loginOf(sentinel("username"), sentinel("password"));
  return { ...common, kind, master, database: Number(database), sentinelLogin };
};

/** A URL of Redis; see `parseRedisUrl`. */
export const redisUrl: z.ZodType<string, string> = z
  .string()
  .refine(
    (value) => parseRedisUrl(value) !== undefined,
    "expected redis://HOST, redis://HOST/DATABASE, redis+sentinel://HOST,HOST/MASTER or redis+cluster://HOST,HOST; rediss instead of redis encrypts; % in a password is %25",
  );
