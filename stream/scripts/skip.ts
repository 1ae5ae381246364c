import type { Redis } from "ioredis";
import ids from "./ids.lua" with { type: "text" };
import rights from "./rights.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";
import source from "./skip.lua" with { type: "text" };

const script = defineScript(ids + rights + source);

/** Entries one after the other, none of which is to be worked on now. */
export interface Skippable {
  /** Id after which they begin. */
  readonly after: string;
  readonly lastId: string;
  readonly count: number;
  /** Those that are the group's: they are due `delayMs` after they were added. */
  readonly delayed: readonly { readonly id: string; readonly fields: readonly string[] }[];
  readonly delayMs: number;
}

/** `isMoved` is false if the group was beyond them, or has been set back. */
export interface Skipped {
  readonly isMoved: boolean;
  /** Id up to which the group has read. */
  readonly upTo: string;
}

/**
 * Moves a group past entries without taking them, and delays those that are its own; without `skippable` only tells how far it has read.
 *
 * @throws NOGROUP if the stream or the group is missing
 */
export const skipEntries = async (
  redis: Redis,
  { stream, group, retrySet }: { readonly stream: string; readonly group: string; readonly retrySet: string },
  skippable?: Skippable,
): Promise<Skipped> => {
  const reply = await runScript(redis, script, [stream, retrySet], [group, ...argumentsOf(skippable)]);
  const [moved, id]: unknown[] = Array.isArray(reply) ? reply : [];
  return { isMoved: moved === 1, upTo: String(id) };
};

const argumentsOf = (skippable: Skippable | undefined): readonly (string | number)[] => {
  if (skippable === undefined) return [];
  const { after, lastId, count, delayed, delayMs } = skippable;
  const members = delayed.flatMap(({ id, fields }) => [id, JSON.stringify(fields)]);
  return [after, lastId, count, delayMs, ...members];
};
