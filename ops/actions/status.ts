import { type Pause, pausesOf } from "../../database/groups/pauses.ts";
import { countLedger, type LedgerCounts } from "../../database/ledger/counts.ts";
import { type RetentionFacts, readRetention } from "../../database/ledger/retention-record.ts";
import { type ReportedApi, readApiReports } from "../../stream/api-reports.ts";
import { type GroupStatus, readGroupStatuses } from "../../stream/group-status.ts";
import { type RedisFacts, readRedisFacts } from "../../stream/redis-facts.ts";
import { findWriteRefusal, type WritesRefusedFor } from "../../stream/scripts/probe-writes.ts";
import { isAtEnd } from "../../stream/watermark.ts";
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
  /** Streams to which Redis adds nothing any more, since they have had the highest id. */
  readonly ended: readonly EndedStream[];
  /** What keeps apis from their work. */
  readonly apis: readonly ReportedApi[];
}

/** A stream that is at its end; the group, if it is one's retries stream. */
export interface EndedStream {
  readonly key: string;
  readonly group: string | null;
}

const readEnded = async ({ redis, keys, groups }: Pick<Operator, "redis" | "keys" | "groups">) => {
  const streams: readonly EndedStream[] = [
    { key: keys.events, group: null },
    ...groups.map(({ name }) => ({ key: keys.retriesStream(name), group: name })),
  ];
  const ended = await Promise.all(streams.map(({ key }) => isAtEnd(redis, key)));
  return streams.filter((_, index) => ended[index]);
};

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
  const [groups, pauses, ledger, facts, retention, apis, writesRefusedFor, ended] = await Promise.all([
    readGroupStatuses(redis, keys, known),
    pausesOf(db).list(),
    countLedger(db),
    readRedisFacts(redis),
    readRetention(db),
    readApiReports(redis, keys),
    findWriteRefusal(redis, keys),
    readEnded({ redis, keys, groups: known }),
  ]);
  return {
    groups: groups.map((group) => withPause(group, pauses)),
    ledger,
    redis: facts,
    retention,
    pauses,
    apis,
    ended,
    writesRefusedFor,
  };
};
