import type { Redis } from "ioredis";
import source from "./promote.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(source);

/** Moves at most `limit` due retries back in line; returns how many. */
export const promoteDue = async (
  redis: Redis,
  keys: { readonly retrySet: string; readonly retries: string },
  limit: number,
): Promise<number> => Number(await runScript(redis, script, [keys.retrySet, keys.retries], [limit]));
