import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { consumerGroupsDashboard } from "./consumer-groups.ts";
import { signupsDashboard } from "./signups.ts";
import { tracesDashboard } from "./traces.ts";

/** Each dashboard's file, as it has to be: name -> JSON. */
export const dashboardFiles = (): ReadonlyMap<string, string> =>
  new Map(
    [signupsDashboard(), consumerGroupsDashboard(), tracesDashboard()].map((each) => [
      `${each.uid}.json`,
      `${JSON.stringify(each, null, 2)}\n`,
    ]),
  );

if (import.meta.main) {
  for (const [name, text] of dashboardFiles()) writeFileSync(join(import.meta.dir, name), text);
  // The formatter folds short lists; what it would change is not worth a fault in the checks.
  Bun.spawnSync(["bunx", "biome", "format", "--write", ...dashboardFiles().keys()], { cwd: import.meta.dir });
}
