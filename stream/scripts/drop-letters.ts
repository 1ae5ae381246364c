import type { Redis } from "ioredis";
import source from "./drop-letters.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(source);

/** Letters per call: a script blocks Redis while it runs. */
const MAX_LETTERS = 200;

/** Deletes letters and their index entries; returns how many existed. */
export const dropLetters = async (
  redis: Redis,
  keys: { readonly dead: string; readonly deadIndex: string },
  letterIds: readonly string[],
): Promise<number> => {
  let dropped = 0;
  for (let start = 0; start < letterIds.length; start += MAX_LETTERS) {
    const slice = letterIds.slice(start, start + MAX_LETTERS);
    dropped += Number(await runScript(redis, script, [keys.dead, keys.deadIndex], slice));
  }
  return dropped;
};
