import type { Router } from "hono/router";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { SmartRouter } from "hono/router/smart-router";
import { TrieRouter } from "hono/router/trie-router";
import { createRecent } from "../runtime/recent.ts";

/** Paths that are remembered, and how long they may be. */
const MOST_PATHS = 256;
const LONGEST_PATH = 64;

/**
 * Hono's own choice of routers, which remembers what it has found. A path with a parameter beside one without, as `/user/:user_id`
 * and `/user/resend` are, is more than the fast one can express, and the other one searches a tree at each request.
 */
export const createRouter = <Route>(): Router<Route> => {
  const router = new SmartRouter<Route>({ routers: [new RegExpRouter(), new TrieRouter()] });
  const found = createRecent<ReturnType<Router<Route>["match"]>>(MOST_PATHS);
  return {
    name: router.name,
    add: (method, path, route) => router.add(method, path, route),
    match(method, path) {
      const key = `${method} ${path}`;
      const known = found.get(key);
      if (known !== undefined) return known;
      const matched = router.match(method, path);
      if (path.length <= LONGEST_PATH) found.set(key, matched);
      return matched;
    },
  };
};
