import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { ALERT_GROUPS } from "./rules.ts";

/** Where the rules are, for Prometheus to load. */
export const RULES_FILE = join(import.meta.dir, "signup-stream.yaml");

/** The rules file, as it has to be. */
export const rulesFile = (): string =>
  `# Written by \`bun observability/alerts/generate.ts\` from rules.ts.\n${stringify({ groups: ALERT_GROUPS }, { lineWidth: 0 })}`;

if (import.meta.main) writeFileSync(RULES_FILE, rulesFile());
