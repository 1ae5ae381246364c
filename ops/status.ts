import { countLedger, type LedgerCounts } from "../database/ledger-counts.ts";
import { type GroupStatus, listGroups, readGroupStatus } from "../stream/group-status.ts";
import { type RedisFacts, readRedisFacts } from "../stream/redis-facts.ts";
import type { Operator } from "./operator.ts";

/** Where the whole pipeline stands. */
export interface PipelineStatus {
  readonly groups: readonly GroupStatus[];
  readonly ledger: LedgerCounts;
  readonly redis: RedisFacts;
}

/** Asks both stores; every part of it is cheap at any depth. */
export const readStatus = async ({
  db,
  redis,
  keys,
}: Pick<Operator, "db" | "redis" | "keys">): Promise<PipelineStatus> => {
  const [groups, ledger, facts] = await Promise.all([
    listGroups(redis, keys).then((all) => Promise.all(all.map((group) => readGroupStatus(redis, keys, group)))),
    countLedger(db),
    readRedisFacts(redis),
  ]);
  return { groups, ledger, redis: facts };
};
