import type { Redis } from "ioredis";
import { defineScript, runScript } from "./script.ts";
import source from "./skip.lua" with { type: "text" };

const script = defineScript(source);

/** How far a group has read a stream. */
export interface ReadUpTo {
  readonly id: string;
  /** How many entries that are; -1 if Redis does not know. */
  readonly entries: number;
}

/** Entries one after the other, of which none is for the group. */
export interface Skippable {
  /** After which they begin. */
  readonly after: ReadUpTo;
  readonly lastId: string;
  readonly count: number;
}

/** `isMoved` is false if the group was beyond them, or has been set back. */
export interface Skipped {
  readonly isMoved: boolean;
  readonly upTo: ReadUpTo;
}

/**
 * Moves a group past entries without taking them; without `skippable` only tells how far it has read.
 *
 * @throws NOGROUP if the stream or the group is missing
 */
export const skipEntries = async (
  redis: Redis,
  { stream, group }: { readonly stream: string; readonly group: string },
  skippable?: Skippable,
): Promise<Skipped> => {
  const range =
    skippable === undefined ? [] : [skippable.after.id, skippable.lastId, skippable.count, skippable.after.entries];
  const reply = await runScript(redis, script, [stream], [group, ...range]);
  const [moved, id, entries]: unknown[] = Array.isArray(reply) ? reply : [];
  return { isMoved: moved === 1, upTo: { id: String(id), entries: Number(entries) } };
};
