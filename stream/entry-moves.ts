import type { Redis } from "ioredis";
import { type Batcher, createBatcher } from "../runtime/batcher.ts";
import { acknowledge, type Entry } from "./entries.ts";
import { type DelayedEntry, delayEntries } from "./scripts/delay.ts";

type Moved = Pick<Entry, "stream" | "id">;

/** Ends the pending of entries that one consumer has read. */
export interface EntryMoves {
  /** XACK, whichever consumer owns the entry. */
  acknowledge(entry: Moved): Promise<void>;
  /** Acks an entry and puts it into the retry set, unless it is no longer this consumer's. */
  delay(entry: Moved, delayMs: number, fields: readonly string[]): Promise<void>;
}

/** Entries per command: a script blocks Redis while it runs. */
const MAX_ENTRIES = 200;

/**
 * Entries that are moved in one turn of the event loop, or while the last command is under way, share the next one: for Redis a
 * command costs more than an entry. A command that fails, or whose effect is unknown, fails all of its entries; each may be repeated.
 */
export const createEntryMoves = (
  redis: Redis,
  { group, consumer, retrySet }: { readonly group: string; readonly consumer: string; readonly retrySet: string },
): EntryMoves => {
  /** One for each stream: a group that is missing on one says nothing of the other. */
  const perStream = <Input>(run: (stream: string, inputs: readonly Input[]) => Promise<unknown>) => {
    const batchers = new Map<string, Batcher<Input, undefined>>();
    const batcherOf = (stream: string): Batcher<Input, undefined> =>
      createBatcher({
        maxBatch: MAX_ENTRIES,
        maxInFlight: 1,
        run: async (inputs) => {
          await run(stream, inputs);
          return inputs.map(() => undefined);
        },
      });
    return (stream: string, input: Input): Promise<void> => {
      const batcher = batchers.get(stream) ?? batcherOf(stream);
      batchers.set(stream, batcher);
      return batcher.add(input);
    };
  };
  const acks = perStream<string>((stream, ids) => acknowledge(redis, stream, group, ids));
  const delays = perStream<DelayedEntry>((stream, entries) =>
    delayEntries(redis, { stream, group, consumer }, retrySet, entries),
  );
  return {
    acknowledge: ({ stream, id }) => acks(stream, id),
    delay: ({ stream, id }, delayMs, fields) => delays(stream, { id, delayMs, fields }),
  };
};
