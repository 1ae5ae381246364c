import type { Redis } from "ioredis";
import source from "./promote.lua" with { type: "text" };
import rights from "./rights.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(rights + source);

/** What was promoted. */
export interface Promoted {
  readonly moved: number;
  /** Until the next retry is due, by Redis' clock; undefined: none waits. */
  readonly nextInMs: number | undefined;
}

/** Moves at most `limit` due retries from the retry set to the retries stream. */
export const promoteDue = async (
  redis: Redis,
  keys: { readonly retrySet: string; readonly retriesStream: string },
  limit: number,
): Promise<Promoted> => {
  const answer = await runScript(redis, script, [keys.retrySet, keys.retriesStream], [limit]);
  const [moved = 0, nextInMs = -1] = Array.isArray(answer) ? answer.map(Number) : [];
  return { moved, nextInMs: nextInMs < 0 ? undefined : nextInMs };
};
