import { isIP } from "node:net";
import type { MiddlewareHandler } from "hono";

/** `127.0.0.1:8025`, `[::1]:8025`, `localhost` -> without brackets and port. */
const nameOf = (host: string): string =>
  host
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "")
    .toLowerCase();

/**
 * Whether a request was meant for this server. A page from elsewhere can make its own name lead to this machine (DNS rebinding), and
 * would then read the mails; it cannot do that with an address, nor with `localhost`.
 */
export const isOwnHost = (host: string): boolean => {
  const name = nameOf(host);
  return isIP(name) !== 0 || name === "localhost" || name.endsWith(".localhost");
};

const isOwnOrigin = (origin: string, host: string): boolean => URL.parse(origin)?.host === host.toLowerCase();

/** Refuses what was not meant for this server, and changes that another site asks for. */
export const ownHostOnly = (): MiddlewareHandler => async (c, next) => {
  const host = c.req.header("host") ?? URL.parse(c.req.url)?.host ?? "";
  if (!isOwnHost(host)) return c.text("the inbox answers under localhost, or under an address, alone\n", 421);
  const origin = c.req.header("origin");
  if (!["GET", "HEAD"].includes(c.req.method) && origin !== undefined && !isOwnOrigin(origin, host)) {
    return c.text("the request comes from another site\n", 403);
  }
  return next();
};
