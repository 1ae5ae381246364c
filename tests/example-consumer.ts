import { parseArgs } from "node:util";
import { FACTORIES } from "../consumers/registry.ts";
import { runConsumer } from "../consumers/run.ts";
import { failedToStart } from "../runtime/process.ts";
import { GROUPS } from "../stream/groups.ts";
import { EXAMPLE_GROUP, exampleFactory } from "./example-group.ts";

/** A consumer that has the example's group, too: `--group NAME`, as often as wanted; every group without it. */
const main = async (): Promise<number> => {
  const { values } = parseArgs({ options: { group: { type: "string", multiple: true, default: [] } } });
  return await runConsumer({
    groups: [...GROUPS, EXAMPLE_GROUP],
    factories: new Map([...FACTORIES, [EXAMPLE_GROUP.name, exampleFactory(process.env)]]),
    named: values.group,
    environment: process.env,
  });
};

process.exit(await main().catch(failedToStart));
