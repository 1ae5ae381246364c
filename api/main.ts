import { failedToStart } from "../runtime/process.ts";
import { GROUPS } from "../stream/groups.ts";
import { runApi } from "./run.ts";

/** The `api` command. */
process.exit(await runApi({ groups: GROUPS, environment: process.env }).catch(failedToStart));
