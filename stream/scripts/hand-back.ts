import type { Redis } from "ioredis";
import source from "./hand-back.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(source);

/** Entries per call: a script blocks Redis while it runs. */
const MAX_ENTRIES = 200;

/** Acks entries that are still this consumer's and puts them back in line. Returns how many. */
export const handBack = async (
  redis: Redis,
  from: { readonly stream: string; readonly group: string; readonly consumer: string },
  retries: string,
  entryIds: readonly string[],
): Promise<number> => {
  let handed = 0;
  for (let start = 0; start < entryIds.length; start += MAX_ENTRIES) {
    const slice = entryIds.slice(start, start + MAX_ENTRIES);
    handed += Number(await runScript(redis, script, [from.stream, retries], [from.group, from.consumer, ...slice]));
  }
  return handed;
};
