import { parseArgs } from "node:util";
import { failedToStart } from "../runtime/process.ts";
import { GROUPS } from "../stream/groups.ts";
import { FACTORIES } from "./registry.ts";
import { runConsumer } from "./run.ts";

/** The `consumer` command: `--group NAME`, may be repeated; all groups if not given. */
const main = async (): Promise<number> => {
  const { values } = parseArgs({ options: { group: { type: "string", multiple: true, default: [] } } });
  return await runConsumer({
    groups: GROUPS,
    factories: FACTORIES,
    named: values.group,
    environment: process.env,
  });
};

process.exit(await main().catch(failedToStart));
