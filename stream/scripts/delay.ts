import type { Redis } from "ioredis";
import source from "./delay.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(source);

/** An entry pending for a consumer. */
export interface HeldEntry {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  readonly entryId: string;
}

/**
 * Acks an entry and puts it into the retry set, due in `delayMs` of Redis' clock. False if it is no longer this
 * consumer's.
 */
export const delayEntry = async (
  redis: Redis,
  entry: HeldEntry,
  retrySet: string,
  delayMs: number,
  fields: readonly string[],
): Promise<boolean> =>
  (await runScript(
    redis,
    script,
    [entry.stream, retrySet],
    [entry.group, entry.consumer, entry.entryId, Math.ceil(delayMs), JSON.stringify(fields)],
  )) === 1;
