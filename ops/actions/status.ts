import { countLedger, type LedgerCounts } from "../../database/ledger/counts.ts";
import { type GroupStatus, readGroupStatuses } from "../../stream/group-status.ts";
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
  groups: known,
}: Pick<Operator, "db" | "redis" | "keys" | "groups">): Promise<PipelineStatus> => {
  const [groups, ledger, facts] = await Promise.all([
    readGroupStatuses(redis, keys, known),
    countLedger(db),
    readRedisFacts(redis),
  ]);
  return { groups, ledger, redis: facts };
};
