import { parseArgs } from "node:util";
import { failedToStart } from "../runtime/process.ts";
import { GROUPS } from "../stream/groups.ts";
import { FACTORIES } from "./registry.ts";
import { runConsumer } from "./run.ts";

const runWith = async (args: readonly string[]): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: { group: { type: "string", multiple: true, default: [] } },
  });
  return await runConsumer({
    groups: GROUPS,
    factories: FACTORIES,
    named: values.group,
    environment: process.env,
  });
};

/** A consumer of this code, by its arguments and the environment. Returns the exit code. */
export const run = (args: readonly string[]): Promise<number> => runWith(args).catch(failedToStart);
