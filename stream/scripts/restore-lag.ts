import type { Redis } from "ioredis";
import { infoRecords, orNone } from "../info-records.ts";
import source from "./restore-lag.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(source);

/** Entries per slice, outside and inside the script: each blocks Redis for well under a millisecond. */
const SLICE = 500;
const MAX_TRIES = 5;

/** Counts the entries after an id in slices, and keeps the count at the end of each slice. */
const countAfter = async (redis: Redis, stream: string, id: string): Promise<(string | number)[]> => {
  const landmarks: (string | number)[] = [id, 0];
  let last = id;
  for (let counted = 0; ; ) {
    const slice = await redis.xrange(stream, `(${last}`, "+", "COUNT", SLICE);
    counted += slice.length;
    last = slice.at(-1)?.[0] ?? last;
    if (slice.length > 0) landmarks.push(last, counted);
    if (slice.length < SLICE) return landmarks;
  }
};

/**
 * Restores the `lag` of every group on a stream where it is nil; returns the names of those groups. Pending lists and
 * last-delivered ids do not change.
 */
export const restoreLag = async (redis: Redis, stream: string): Promise<string[]> => {
  const restored: string[] = [];
  for (const record of infoRecords(await orNone(redis.xinfo("GROUPS", stream)))) {
    if (record.get("lag") !== null && record.get("lag") !== undefined) continue;
    const name = String(record.get("name"));
    for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
      const landmarks = await countAfter(redis, stream, String(record.get("last-delivered-id")));
      const result = await runScript(redis, script, [stream], [name, SLICE, ...landmarks]);
      if (result === 1) restored.push(name);
      if (result !== 0) break;
    }
  }
  return restored;
};
