import { readFileSync } from "node:fs";
import { join } from "node:path";
import { environmentExample, withSettingsTable } from "./document.ts";

const README = join(import.meta.dir, "..", "README.md");

/** For `bun run generate`: the README with its table of settings, and `.env.example`; path from the root -> content. */
export const settingsFiles = (): ReadonlyMap<string, string> =>
  new Map([
    ["README.md", withSettingsTable(readFileSync(README, "utf8"))],
    [".env.example", environmentExample()],
  ]);
