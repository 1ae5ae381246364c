import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** A script of the pages, and where a browser finds it: the address changes with the content. */
export interface PageScript {
  readonly path: string;
  readonly href: string;
  readonly content: string;
}

/** Reads what `bun run generate` has written of `browser/`. */
export const readScript = (name: "signup" | "status"): PageScript => {
  const content = readFileSync(new URL(`./scripts/${name}.min.js`, import.meta.url), "utf8");
  const path = `/${name}.js`;
  return { path, content, href: `${path}?v=${createHash("sha256").update(content).digest("hex").slice(0, 12)}` };
};
