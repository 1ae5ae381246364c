import type { Redis } from "ioredis";
import source from "./redrive.lua" with { type: "text" };
import rights from "./rights.lua" with { type: "text" };
import { defineScript, inSlices, runScript } from "./script.ts";

const script = defineScript(rights + source);

/** Letters per call: a script blocks Redis while it runs, and 100 take about 2 ms. */
const MAX_LETTERS = 100;

export type Redriven = "moved" | "gone" | "unreadable";

const MEANING = new Map<unknown, Redriven>([
  [1, "moved"],
  [0, "gone"],
  [-1, "unreadable"],
]);

/**
 * Moves letters from the dead stream to the retries stream, counters reset; one result per id of a letter or of an event, in order. The
 * calls are sent together: Redis serves others between them, and nobody waits for an answer before the next.
 */
export const redriveLetters = async (
  redis: Redis,
  keys: { readonly dead: string; readonly deadIndex: string; readonly retriesStream: string },
  ids: readonly string[],
): Promise<readonly Redriven[]> => {
  const replies = await inSlices(ids, MAX_LETTERS, async (slice) => {
    const reply = await runScript(redis, script, [keys.dead, keys.deadIndex, keys.retriesStream], slice);
    if (!Array.isArray(reply)) throw new Error("the redrive script did not answer with a list");
    return reply.map((value: unknown) => MEANING.get(value) ?? "gone");
  });
  return replies.flat();
};
