import type { Redis } from "ioredis";
import type { HeldBy } from "../entries.ts";
import { isBelow } from "../watermark.ts";
import held from "./held.lua" with { type: "text" };
import source from "./renew.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(`${held}\n${source}`);

/** Entries per call: a script blocks Redis while it runs. */
const MAX_ENTRIES = 500;

/**
 * Renews entries of one stream; returns the ids that are still this consumer's. `deliveries`: what Redis' counters of their deliveries are
 * set to.
 */
export const renewEntries = async (
  redis: Redis,
  { stream, group, consumer }: HeldBy,
  entryIds: readonly string[],
  deliveries?: number,
): Promise<Set<string>> => {
  const inOrder = entryIds.toSorted((one, other) => (isBelow(one, other) ? -1 : 1));
  const renewed = new Set<string>();
  for (let start = 0; start < inOrder.length; start += MAX_ENTRIES) {
    const slice = inOrder.slice(start, start + MAX_ENTRIES);
    const owned = await runScript(redis, script, [stream], [group, consumer, deliveries ?? "", ...slice]);
    if (Array.isArray(owned)) for (const id of owned) renewed.add(String(id));
  }
  return renewed;
};
