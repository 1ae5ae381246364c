import { join } from "node:path";
import { stringify } from "yaml";
import { ALERT_GROUPS } from "./rules.ts";

const FILE = "observability/alerts/signup-stream.yaml";

/** Where the rules are, for Prometheus to load. */
export const RULES_FILE = join(import.meta.dir, "..", "..", FILE);

/** For `bun run generate`: the rules file, path from the root -> content. */
export const alertFiles = (): ReadonlyMap<string, string> =>
  new Map([
    [
      FILE,
      `# Written by \`bun run generate\` from rules.ts.\n${stringify({ groups: ALERT_GROUPS }, { lineWidth: 0, aliasDuplicateObjects: false })}`,
    ],
  ]);
