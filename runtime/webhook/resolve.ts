import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { isPublicAddress } from "./public-address.ts";

/** All addresses of a host, in the order in which they are to be tried. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** The system's resolver, `/etc/hosts` included. */
export const resolveHost: Resolve = async (host) =>
  (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

/** The addresses of a host that may be connected to. */
export type Resolved =
  | { readonly kind: "addresses"; readonly addresses: readonly string[] }
  | { readonly kind: "failed"; readonly reason: "address_refused" | "host_not_found" };

/**
 * The addresses of a URL's host, looked up once. If one of them is not public all are refused: what connects uses the
 * answer, so a name that resolves differently a moment later changes nothing.
 */
export const resolveTarget = async (
  { hostname }: Pick<URL, "hostname">,
  { resolve, allowPrivate }: { readonly resolve: Resolve; readonly allowPrivate: boolean },
): Promise<Resolved> => {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const addresses = isIP(host) === 0 ? await resolve(host).catch(() => []) : [host];
  if (addresses.length === 0) return { kind: "failed", reason: "host_not_found" };
  const isRefused = !(allowPrivate || addresses.every(isPublicAddress));
  return isRefused ? { kind: "failed", reason: "address_refused" } : { kind: "addresses", addresses };
};
