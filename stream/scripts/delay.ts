import type { Redis } from "ioredis";
import type { HeldBy } from "../entries.ts";
import { isBelow } from "../watermark.ts";
import source from "./delay.lua" with { type: "text" };
import held from "./held.lua" with { type: "text" };
import rights from "./rights.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(`${held}\n${rights}\n${source}`);

/** An entry whose next attempt is due in `delayMs` of Redis' clock, with the fields that it has then. */
export interface DelayedEntry {
  readonly id: string;
  readonly delayMs: number;
  readonly fields: readonly string[];
}

/** Acks entries and puts them into the retry set, in one step; returns the ids of those that were still this consumer's. */
export const delayEntries = async (
  redis: Redis,
  { stream, group, consumer }: HeldBy,
  retrySet: string,
  entries: readonly DelayedEntry[],
): Promise<Set<string>> => {
  const inOrder = entries.toSorted((one, other) => (isBelow(one.id, other.id) ? -1 : 1));
  const moved = await runScript(
    redis,
    script,
    [stream, retrySet],
    [
      ...[group, consumer, inOrder.length],
      ...inOrder.map(({ id }) => id),
      ...inOrder.map(({ delayMs }) => Math.ceil(delayMs)),
      ...inOrder.map(({ fields }) => JSON.stringify(fields)),
    ],
  );
  return new Set(Array.isArray(moved) ? moved.map(String) : []);
};
