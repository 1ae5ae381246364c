import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { countedOf, type Entry } from "../../stream/entries.ts";
import { renewEntries } from "../../stream/scripts/renew.ts";

/**
 * For which entries the death of this consumer counts. An entry that is only kept did nothing that could kill: so Redis' counter of its
 * deliveries, by which suspects are known, is one less until its attempt begins. Where Redis cannot be told, it stays as it was:
 * then one death more counts, or one less.
 */
export interface CountDeaths {
  /** The entries are kept from now on. */
  kept(entries: readonly Entry[]): void;
  /** The attempts of entries that were kept begin. */
  begin(entries: readonly Entry[]): void;
}

export const createCountDeaths = ({
  redis,
  group,
  consumer,
  log,
}: {
  readonly redis: Redis;
  readonly group: string;
  readonly consumer: string;
  readonly log: Logger;
}): CountDeaths => {
  /** In the order of the calls: all commands of one are sent at once. */
  const setCounters = (entries: readonly Entry[], counterOf: (entry: Entry) => number): void => {
    for (const [stream, some] of Map.groupBy(entries, (entry) => entry.stream)) {
      for (const [counter, same] of Map.groupBy(some, counterOf)) {
        const ids = same.map(({ id }) => id);
        renewEntries(redis, { stream, group, consumer }, ids, counter).catch((error: unknown) => {
          log.debug({ error }, "which entries are kept could not be noted in Redis");
        });
      }
    }
  };
  return {
    kept: (entries) => setCounters(entries, (entry) => Math.max(0, countedOf(entry) - 1)),
    begin: (entries) => setCounters(entries, countedOf),
  };
};
