import { fingerprint } from "../fingerprint.ts";
import signup from "./scripts/signup.min.js" with { type: "text" };
import status from "./scripts/status.min.js" with { type: "text" };

/** A script of the pages, and where a browser finds it. */
export interface PageScript {
  readonly path: string;
  readonly href: string;
  readonly content: string;
}

const named = (name: string, content: string): PageScript => {
  const path = `/${name}.js`;
  return { path, content, href: `${path}?v=${fingerprint(content)}` };
};

/** What `bun run generate` has built of `browser/`. */
export const pageScripts = () => ({ signup: named("signup", signup), status: named("status", status) });
