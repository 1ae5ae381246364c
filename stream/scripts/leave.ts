import type { Redis } from "ioredis";
import source from "./leave.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(source);

/** Removes a consumer without pending entries. Returns from how many of the two streams it was removed. */
export const leaveGroup = async (
  redis: Redis,
  keys: { readonly events: string; readonly retries: string },
  group: string,
  consumer: string,
): Promise<number> => Number(await runScript(redis, script, [keys.events, keys.retries], [group, consumer]));
