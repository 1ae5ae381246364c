import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withProblemsTable } from "./problem-document.ts";

const DOCUMENT = "docs/http.md";

/** The page for developers, with a table of the problems there are. */
export const problemFiles = (): ReadonlyMap<string, string> =>
  new Map([[DOCUMENT, withProblemsTable(readFileSync(join(import.meta.dir, "..", DOCUMENT), "utf8"))]]);
