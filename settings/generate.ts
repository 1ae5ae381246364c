import { readFileSync } from "node:fs";
import { join } from "node:path";
import { environmentExample, withSettingsTable } from "./document.ts";

const DOCUMENT = "docs/settings.md";

/** For `bun run generate`: the document with the table of settings, and `.env.example`; path from the root -> content. */
export const settingsFiles = (): ReadonlyMap<string, string> =>
  new Map([
    [DOCUMENT, withSettingsTable(readFileSync(join(import.meta.dir, "..", DOCUMENT), "utf8"))],
    [".env.example", environmentExample()],
  ]);
