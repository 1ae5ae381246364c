import type { Redis } from "ioredis";
import source from "./redrive.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(source);

/** Letters per call: a script blocks Redis while it runs, and 100 take about 2 ms. */
const MAX_LETTERS = 100;

export type Redriven = "moved" | "gone" | "unreadable";

const MEANING = new Map<unknown, Redriven>([
  [1, "moved"],
  [0, "gone"],
  [-1, "unreadable"],
]);

/** Moves letters from the dead stream to the retries stream, counters reset; one result per letter id, in order. */
export const redriveLetters = async (
  redis: Redis,
  keys: { readonly dead: string; readonly deadIndex: string; readonly retriesStream: string },
  letterIds: readonly string[],
): Promise<readonly Redriven[]> => {
  const results: Redriven[] = [];
  for (let start = 0; start < letterIds.length; start += MAX_LETTERS) {
    const slice = letterIds.slice(start, start + MAX_LETTERS);
    const reply = await runScript(redis, script, [keys.dead, keys.deadIndex, keys.retriesStream], slice);
    if (!Array.isArray(reply)) throw new Error("the redrive script did not answer with a list");
    results.push(...reply.map((value: unknown) => MEANING.get(value) ?? "gone"));
  }
  return results;
};
