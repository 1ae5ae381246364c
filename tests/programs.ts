import { parseArgs } from "node:util";
import { runApi } from "../api/run.ts";
import { FACTORIES } from "../consumers/registry.ts";
import { runConsumer } from "../consumers/run.ts";
import { failedToStart } from "../runtime/process.ts";
import { GROUPS } from "../stream/groups.ts";
import { EXAMPLE_GROUP, exampleFactory } from "./example-group.ts";

const { env: environment } = process;

const runWith = ([program, ...args]: readonly string[]): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: { example: { type: "boolean", default: false }, group: { type: "string", multiple: true, default: [] } },
  });
  const groups = values.example ? [...GROUPS, EXAMPLE_GROUP] : GROUPS;
  if (program === "api") return runApi({ groups, environment });
  const factories = values.example
    ? new Map([...FACTORIES, [EXAMPLE_GROUP.name, exampleFactory(environment)]])
    : FACTORIES;
  return runConsumer({ groups, factories, named: values.group, environment });
};

/**
 * `api` or `consumer`, as tests start them; with `--example`, the example's group is among the others. Without an `await` of
 * its own, as bytecode demands.
 */
void runWith(process.argv.slice(2)).catch(failedToStart).then(process.exit);
