import type { MiddlewareHandler } from "hono";
import { setLengthOfHead } from "./head.ts";
import { detectLanguage } from "./language.ts";
import { closeAfterUnread } from "./unread-body.ts";

/** What is done around every request. One layer: each costs a request two turns of the promise queue. */
export const aroundEveryRequest = (): MiddlewareHandler => {
  const inItsLanguage = detectLanguage();
  return async (c, next) => {
    await inItsLanguage(c, next);
    closeAfterUnread(c);
    if (c.req.raw.method === "HEAD") await setLengthOfHead(c);
  };
};
