import type { Redis } from "ioredis";
import source from "./renew.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(source);

/** Renews entries of one stream; returns the ids that are still this consumer's. */
export const renewEntries = async (
  redis: Redis,
  from: { readonly stream: string; readonly group: string; readonly consumer: string },
  entryIds: readonly string[],
): Promise<Set<string>> => {
  const owned = await runScript(redis, script, [from.stream], [from.group, from.consumer, ...entryIds]);
  return new Set(Array.isArray(owned) ? owned.map(String) : []);
};
