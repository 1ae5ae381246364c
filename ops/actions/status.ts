import { type Pause, pausesOf } from "../../database/groups/pauses.ts";
import { countLedger, type LedgerCounts } from "../../database/ledger/counts.ts";
import { type RetentionFacts, readRetention } from "../../database/ledger/retention-record.ts";
import { type ReportedApi, readApiReports } from "../../stream/api-reports.ts";
import { type GroupStatus, readGroupStatuses } from "../../stream/group-status.ts";
import { type RedisFacts, readRedisFacts } from "../../stream/redis-facts.ts";
import { findWriteRefusal, type WritesRefusedFor } from "../../stream/scripts/probe-writes.ts";
import type { Operator } from "./operator.ts";

/** The state of the whole pipeline. */
export interface PipelineStatus {
  readonly groups: readonly GroupStatus[];
  readonly ledger: LedgerCounts;
  readonly redis: RedisFacts;
  readonly retention: RetentionFacts;
  readonly pauses: readonly Pause[];
  /** For what Redis refuses writes, though it answers; undefined: for nothing, or nobody knows. */
  readonly writesRefusedFor: WritesRefusedFor | undefined;
  /** What keeps apis from their work. */
  readonly apis: readonly ReportedApi[];
}

/** Redis may have lost its copy of a pause. */
const withPause = (group: GroupStatus, pauses: readonly Pause[]): GroupStatus => {
  const pause = pauses.find((each) => each.group === group.group);
  return pause === undefined ? group : { ...group, paused: true, pausedFor: pause.reason };
};

/** Asks both stores. Cheap, however long the backlog is. */
export const readStatus = async ({
  db,
  redis,
  keys,
  groups: known,
}: Pick<Operator, "db" | "redis" | "keys" | "groups">): Promise<PipelineStatus> => {
  const [groups, pauses, ledger, facts, retention, apis, writesRefusedFor] = await Promise.all([
    readGroupStatuses(redis, keys, known),
    pausesOf(db).list(),
    countLedger(db),
    readRedisFacts(redis),
    readRetention(db),
    readApiReports(redis, keys),
    findWriteRefusal(redis, keys),
  ]);
  return {
    groups: groups.map((group) => withPause(group, pauses)),
    ledger,
    redis: facts,
    retention,
    pauses,
    apis,
    writesRefusedFor,
  };
};
