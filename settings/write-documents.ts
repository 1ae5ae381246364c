import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { environmentExample, withSettingsTable } from "./document.ts";

/** `bun settings/write-documents.ts`: brings the README's table and `.env.example` up to date with the schema. */
const root = join(import.meta.dir, "..");
const readme = join(root, "README.md");
writeFileSync(readme, withSettingsTable(readFileSync(readme, "utf8")));
writeFileSync(join(root, ".env.example"), environmentExample());
