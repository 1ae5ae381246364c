import type { Redis } from "ioredis";
import source from "./drop-letters.lua" with { type: "text" };
import rights from "./rights.lua" with { type: "text" };
import { defineScript, inSlices, runScript } from "./script.ts";

const script = defineScript(rights + source);

/** Letters per call: a script blocks Redis while it runs. */
const MAX_LETTERS = 200;

/** Deletes letters, given by their ids or by those of their events, and their index entries; returns how many existed. */
export const dropLetters = async (
  redis: Redis,
  keys: { readonly dead: string; readonly deadIndex: string },
  ids: readonly string[],
): Promise<number> => {
  const dropped = await inSlices(ids, MAX_LETTERS, async (slice) =>
    Number(await runScript(redis, script, [keys.dead, keys.deadIndex], slice)),
  );
  return dropped.reduce((sum, each) => sum + each, 0);
};
