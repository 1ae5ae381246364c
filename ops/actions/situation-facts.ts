import type { Pause } from "../../database/groups/pauses.ts";
import type { OrderedRate } from "../../database/groups/rates.ts";
import type { Job } from "../../database/jobs.ts";
import { BACKLOG_BOUND, type Backlog, type RetryingCount } from "../../database/ledger/counts.ts";
import type { PostgresFacts } from "../../database/postgres-facts.ts";
import type { SuppressionCount } from "../../database/users/suppressions.ts";
import { bytes } from "../../runtime/quantity.ts";
import {
  type ApiFacts,
  type ConsumerFacts,
  type Facts,
  type GroupFacts,
  missesSigns,
  type StoreFault,
} from "../../runtime/situation/facts.ts";
import type { ReportedApi } from "../../stream/api-reports.ts";
import type { LatestLetter } from "../../stream/dead-letters.ts";
import type { ConsumerStatus, GroupStatus } from "../../stream/group-status.ts";
import { budgetOf, type Group } from "../../stream/groups.ts";
import type { RedisFacts } from "../../stream/redis-facts.ts";
import type { WritesRefusedFor } from "../../stream/scripts/probe-writes.ts";
import { notInRedis } from "./not-in-redis.ts";
import type { PipelineStatus } from "./status.ts";

/** The status, with what each group has to do. */
export interface CountedStatus extends PipelineStatus {
  /** By the group's name. */
  readonly backlogs: Readonly<Record<string, Backlog>>;
  readonly retrying: readonly RetryingCount[];
  readonly rates: readonly OrderedRate[];
  /** Of the last hour, by reason. */
  readonly suppressed: readonly SuppressionCount[];
  /** Jobs that run, and those of the last hour that did not come to their end. */
  readonly jobs: readonly Job[];
  /** The dead letter that was written last, by the group's name. */
  readonly latestLetters: Readonly<Record<string, LatestLetter>>;
}

const consumerFacts = ({ name, silentMs, pending, report }: ConsumerStatus): readonly ConsumerFacts[] =>
  report === null || silentMs === null ? [] : [{ ...report, name, silentMs, pending }];

export const apiFacts = ({ name, host, postgres, refusal, loops }: ReportedApi): ApiFacts => ({
  name: `${name} on ${host}`,
  postgres: postgres && { ...postgres, since: new Date(postgres.since) },
  refusal: refusal && { ...refusal, since: new Date(refusal.since), at: new Date(refusal.at) },
  loops,
});

const SHOWN_FOR_MS = 3_600_000;

const isShown = ({ state, begunAt, endedAt }: Job, now: Date): boolean =>
  state === "running" || (state !== "done" && now.getTime() - (endedAt ?? begunAt).getTime() < SHOWN_FOR_MS);

/** Jobs that run, and those of the last hour that did not come to their end. */
export const shownJobs = (jobs: readonly Job[], now: Date): readonly Job[] => jobs.filter((job) => isShown(job, now));

const pauserOf = ({ by, reason }: Pause): string => (reason === null ? by : `${by} (${reason})`);

/** It gave no sign of life, nor did it ask for entries lately, as one does whose sign went with a Redis that was emptied. */
const isStray = ({ silentMs, idleMs }: ConsumerStatus): boolean =>
  silentMs === null && (idleMs === null || missesSigns({ silentMs: idleMs }));

const groupFacts = (
  group: GroupStatus,
  known: CountedStatus,
  groups: readonly Group[],
  now: Date,
): GroupFacts | undefined => {
  const { group: name, consumers } = group;
  const { backlogs, retrying, ledger, pauses, rates, latestLetters } = known;
  const backlog = backlogs[name];
  if (backlog === undefined) return undefined;
  const isMore = backlog.unfinished >= BACKLOG_BOUND;
  // Its autoscaler counts what is due within a minute; nobody may begin it yet. Where more is due than is counted, that is none of it.
  const soon = isMore ? 0 : backlog.soon;
  const retries = retrying.filter((each) => each.group === name);
  const count = retries.reduce((sum, each) => sum + each.count, 0);
  const isBound = retries.some((each) => each.isBound);
  const counted = { retrying: { count, isBound }, outbox: ledger.outbox.rows, now };
  const pause = pauses.find((each) => each.group === name);
  const own = groups.find((each) => each.name === name);
  const order = own === undefined ? undefined : rates.find(({ budget }) => budget === budgetOf(own));
  return {
    group: name,
    // Found in Redis alone, nobody knows whose it is.
    pausedBy: pause !== undefined ? pauserOf(pause) : group.paused ? (group.pausedFor ?? "an operator") : null,
    pausedAt: pause?.pausedAt ?? null,
    pausedFor: pause?.reason ?? group.pausedFor,
    ordered: order === undefined ? undefined : { by: order.by, at: order.orderedAt },
    exists: group.exists.events && group.exists.retries,
    unfinished: { count: backlog.unfinished - soon, isBound: isMore },
    delayed: { count: backlog.waiting + soon, isBound: backlog.waiting >= BACKLOG_BOUND },
    retrying: retries,
    notInRedis: notInRedis(group, backlog, counted),
    oldestMs: group.oldestUnfinishedMs,
    held: ledger.held.filter((each) => each.group === name),
    dead: group.deadLetters,
    latestDead: latestLetters[name],
    consumers: consumers.flatMap(consumerFacts),
    strayEntries: consumers.filter(isStray).reduce((sum, { pending }) => sum + pending, 0),
    lastHour: group.lastHour,
  };
};

/** Why Redis refuses writes, though it answers. Over its limit it does not while it may evict. */
export const redisRefuses = (facts: RedisFacts, refusedFor: WritesRefusedFor | undefined): StoreFault => {
  const { isReplica, lacksReplicas, usedMemory, maxMemory, appendOnly, lastAppendOk, evictionPolicy } = facts;
  if (isReplica) return "is a replica that refuses writes";
  if (lacksReplicas || refusedFor === "NOREPLICAS")
    return "has too few replicas that keep up, and refuses writes (NOREPLICAS)";
  if (refusedFor === "MISCONF" || (appendOnly && !lastAppendOk)) return "cannot write to its disk, and refuses writes";
  const isFull = maxMemory > 0 && usedMemory >= maxMemory && evictionPolicy === "noeviction";
  if (refusedFor === "OOM" || isFull) return `is full (${bytes(usedMemory)} of ${bytes(maxMemory)})`;
  return refusedFor === undefined ? undefined : `refuses writes (${refusedFor})`;
};

const postgresRefuses = ({ isStandby, isReadOnly }: PostgresFacts): StoreFault =>
  isStandby ? "is a standby that refuses writes" : isReadOnly ? "is read-only" : undefined;

/** What the answers of the stores mean for the sentences. */
export const factsOf = (
  known: CountedStatus,
  groups: readonly Group[],
  postgres: PostgresFacts,
  differenceMs: number,
  now: Date,
): Facts => {
  const { ledger, redis, retention, jobs, suppressed, apis, writesRefusedFor } = known;
  const { retentionMs, lookedAt } = retention;
  const { ended } = known;
  return {
    now,
    postgres: postgresRefuses(postgres),
    redis: redisRefuses(redis, writesRefusedFor),
    outbox: { rows: ledger.outbox.rows, oldestMs: ledger.outbox.oldestAgeMs },
    clockDifferenceMs: differenceMs,
    groups: known.groups.flatMap((group) => groupFacts(group, known, groups, now) ?? []),
    redisMemory: { used: redis.usedMemory, most: redis.maxMemory },
    redisAppends: redis.lastAppendOk && writesRefusedFor !== "MISCONF",
    redisLacksReplicas: redis.lacksReplicas || writesRefusedFor === "NOREPLICAS",
    redisSaves: redis.lastSnapshotOk,
    suppressed,
    pruning: retentionMs === null || lookedAt === null ? undefined : { lookedAt, retentionMs },
    ended,
    apis: apis.map(apiFacts),
    jobs: jobs.map(({ action, actor: by, state, done, total, begunAt: at }) => ({
      action,
      by,
      state,
      done,
      total,
      at,
    })),
  };
};
