import type { Redis } from "ioredis";
import source from "./hasten.lua" with { type: "text" };
import readingSource from "./read-waiting.lua" with { type: "text" };
import rights from "./rights.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(rights + source);
const reading = defineScript(readingSource);

/** An entry that waits for its next attempt. */
export interface WaitingEntry {
  /** The entry as the retry set has it. */
  readonly member: string;
  readonly fields: readonly string[];
  /** When it is due, in ms of Redis' clock. */
  readonly dueMs: number;
}

const fieldsIn = (member: string): readonly string[] => {
  try {
    const fields: unknown = JSON.parse(member);
    return Array.isArray(fields) ? fields.map(String) : [];
  } catch {
    // Written by hand: the group dead-letters it when it is due.
    return [];
  }
};

/** At most `limit` entries that are due within a time from now, and no earlier than `from` (ms of Redis' clock), the next one first. */
export const readWaiting = async (
  redis: Redis,
  retrySet: string,
  { from, withinMs, limit }: { readonly from: number; readonly withinMs: number; readonly limit: number },
): Promise<readonly WaitingEntry[]> => {
  const answer: unknown = await runScript(redis, reading, [retrySet], [from, withinMs, limit]);
  const range = Array.isArray(answer) ? answer.map(String) : [];
  const entries: WaitingEntry[] = [];
  for (let at = 0; at + 1 < range.length; at += 2) {
    const member = range[at] ?? "";
    entries.push({ member, fields: fieldsIn(member), dueMs: Number(range[at + 1]) });
  }
  return entries;
};

/** Makes waiting entries due now, with the fields that they have then; returns how many were still waiting. */
export const hastenEntries = async (
  redis: Redis,
  retrySet: string,
  entries: readonly { readonly member: string; readonly fields: readonly string[] }[],
): Promise<number> => {
  const args = entries.flatMap(({ member, fields }) => [member, JSON.stringify(fields)]);
  return entries.length === 0 ? 0 : Number(await runScript(redis, script, [retrySet], args));
};
