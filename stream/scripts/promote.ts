import type { Redis } from "ioredis";
import source from "./promote.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(source);

/** Moves at most `limit` due retries from the retry set to the retries stream; returns how many. */
export const promoteDue = async (
  redis: Redis,
  keys: { readonly retrySet: string; readonly retriesStream: string },
  limit: number,
): Promise<number> => Number(await runScript(redis, script, [keys.retrySet, keys.retriesStream], [limit]));
