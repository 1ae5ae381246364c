import type { Redis } from "ioredis";
import source from "./add-entries.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(source);

/** Entries per call: a script blocks Redis while it runs, and so many take about 2 ms. */
const MAX_ENTRIES = 128;

/** What became of one entry: the id that Redis assigned, or why none is known. Then the effect is unknown: the entry may exist. */
export type Added = PromiseSettledResult<string>;

const rejected = (reason: unknown): Added => ({ status: "rejected", reason });

const addedOf = (reply: unknown): Added => {
  if (typeof reply === "string") return { status: "fulfilled", value: reply };
  return rejected(reply instanceof Error ? reply : new Error("the script that adds entries returned no id"));
};

const addSome = async (redis: Redis, stream: string, entries: readonly (readonly string[])[]): Promise<Added[]> => {
  try {
    const reply = await runScript(
      redis,
      script,
      [stream],
      entries.map((entry) => JSON.stringify(entry)),
    );
    const ids: readonly unknown[] = Array.isArray(reply) ? reply : [];
    return entries.map((_, index) => addedOf(ids[index]));
  } catch (error) {
    return entries.map(() => rejected(error));
  }
};

/** Adds entries to a stream in their order. Never rejects: each has a result of its own, in its place. */
export const addEntries = async (
  redis: Redis,
  stream: string,
  entries: readonly (readonly string[])[],
): Promise<readonly Added[]> => {
  const calls: Promise<Added[]>[] = [];
  // Sent one behind the other, not one after the other: the connection keeps their order.
  for (let start = 0; start < entries.length; start += MAX_ENTRIES) {
    calls.push(addSome(redis, stream, entries.slice(start, start + MAX_ENTRIES)));
  }
  return (await Promise.all(calls)).flat();
};
