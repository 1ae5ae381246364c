import { countLedger, type LedgerCounts } from "../../database/ledger-counts.ts";
import { type GroupStatus, listGroups, readGroupStatus } from "../../stream/group-status.ts";
import { type RedisFacts, readRedisFacts } from "../../stream/redis-facts.ts";
import type { Operator } from "./operator.ts";

/** The state of the whole pipeline. */
export interface PipelineStatus {
  readonly groups: readonly GroupStatus[];
  readonly ledger: LedgerCounts;
  readonly redis: RedisFacts;
}

/** Asks both stores. Cheap, however long the backlog is. */
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
