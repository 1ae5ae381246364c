import type { Hono } from "hono";
import graphStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import { fingerprint } from "../fingerprint.ts";
import { resource } from "../resource.ts";
import consoleScript from "./scripts/console.min.js" with { type: "text" };
import graphScript from "./scripts/graph.min.js" with { type: "text" };
import nowScript from "./scripts/now.min.js" with { type: "text" };
import { CONSOLE_STYLE } from "./style.ts";

const CSS = "text/css; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";
const IMMUTABLE = "public, max-age=31536000, immutable";

interface Asset {
  readonly type: string;
  readonly text: string;
}

/** The console's own files, by name. */
const ASSETS: Readonly<Record<string, Asset>> = {
  "console.css": { type: CSS, text: `${graphStyle}\n${CONSOLE_STYLE}` },
  "console.js": { type: SCRIPT, text: consoleScript },
  "now.js": { type: SCRIPT, text: nowScript },
  "graph.js": { type: SCRIPT, text: graphScript },
};

const HREFS = new Map(
  Object.entries(ASSETS).map(([name, { text }]) => [name, `/console/assets/${name}?v=${fingerprint(text)}`]),
);

/** The address of a file; it changes with the file, so that browsers may cache it forever. */
export const assetHref = (name: string): string => {
  const href = HREFS.get(name);
  if (href === undefined) throw new Error(`the console has no file ${name}`);
  return href;
};

/** Serves them to anybody: they hold nothing but our source. */
export const addAssets = (app: Hono): void => {
  for (const [name, { type, text }] of Object.entries(ASSETS)) {
    resource(app, `/console/assets/${name}`, {
      get: (c) => c.body(text, 200, { "Content-Type": type, "Cache-Control": IMMUTABLE }),
    });
  }
};
