import type { Redis } from "ioredis";
import source from "./release.lua" with { type: "text" };
import rights from "./rights.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(rights + source);

/** Entries per call: a script blocks Redis while it runs. */
const MAX_ENTRIES = 200;

/** Acks entries that are still this consumer's and queues them again, unchanged. Returns how many. */
export const releaseEntries = async (
  redis: Redis,
  from: { readonly stream: string; readonly group: string; readonly consumer: string },
  retriesStream: string,
  entryIds: readonly string[],
): Promise<number> => {
  let released = 0;
  for (let start = 0; start < entryIds.length; start += MAX_ENTRIES) {
    const slice = entryIds.slice(start, start + MAX_ENTRIES);
    released += Number(
      await runScript(redis, script, [from.stream, retriesStream], [from.group, from.consumer, ...slice]),
    );
  }
  return released;
};
