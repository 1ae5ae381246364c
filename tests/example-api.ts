import { runApi } from "../api/run.ts";
import { failedToStart } from "../runtime/process.ts";
import { GROUPS } from "../stream/groups.ts";
import { EXAMPLE_GROUP } from "./example-group.ts";

/** The API of a system that has the example's group, too. */
process.exit(await runApi({ groups: [...GROUPS, EXAMPLE_GROUP], environment: process.env }).catch(failedToStart));
