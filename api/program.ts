import { failedToStart } from "../runtime/process.ts";
import { GROUPS } from "../stream/groups.ts";
import { runApi } from "./run.ts";

/** The API of this code, by the environment. Returns the exit code. */
export const run = (): Promise<number> => runApi({ groups: GROUPS, environment: process.env }).catch(failedToStart);
