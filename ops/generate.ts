import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withCommandsTable } from "./document.ts";

const DOCUMENT = "docs/operating.md";

/** The page for operators, with a table of the commands there are. */
export const commandFiles = (): ReadonlyMap<string, string> =>
  new Map([[DOCUMENT, withCommandsTable(readFileSync(join(import.meta.dir, "..", DOCUMENT), "utf8"))]]);
