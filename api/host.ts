import type { Context } from "hono";
import { ProblemError } from "./problem.ts";

/** A name, an IPv4 address or a bracketed IPv6 address, and a port: RFC 3986, 3.2.2; RFC 9110, 7.2. */
const HOST = /^(?:\[[0-9A-Fa-f:.]{2,45}\]|(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2}){0,255})(?::(\d{0,5}))?$/;
const LAST_PORT = 65_535;

/** Whether the value of a `Host` field is well-formed. Two of them arrive as one, joined by a comma and a space, which is not. */
export const isHost = (value: string): boolean => {
  const found = HOST.exec(value);
  return found !== null && Number(found[1] ?? 0) <= LAST_PORT;
};

/** Refuses what RFC 9112, 3.2 tells a server to refuse: a malformed `Host`, or two. HTTP/1.0 may leave it out. */
export const requireHost = (c: Context): void => {
  if (!isHost(c.req.header("host") ?? "")) throw new ProblemError("bad_request", { headers: { Connection: "close" } });
};
