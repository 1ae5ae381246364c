import type { LedgerCounts } from "../../database/ledger/counts.ts";
import type { LockWait } from "../../database/lock-waits.ts";
import type { PostgresFacts } from "../../database/postgres-facts.ts";
import { CORRECT_SEARCH_PATH, type TablesElsewhere, wordsOfTablesElsewhere } from "../../database/tables-elsewhere.ts";
import { bytes, counted, duration } from "../../runtime/quantity.ts";
import type { GroupStatus } from "../../stream/group-status.ts";
import type { RedisFacts } from "../../stream/redis-facts.ts";
import { checkRedisPolicy, type PolicyFinding } from "../../stream/redis-policy.ts";
import { isNew } from "./group-state.ts";

/** The result of one check. */
export interface Check {
  readonly name: string;
  readonly verdict: "ok" | "warn" | "fail" | "skipped";
  /** What was found. */
  readonly finding: string;
  /** What to do about it. */
  readonly remedy?: string;
}

const ok = (name: string, finding: string): Check => ({ name, verdict: "ok", finding });
const warn = (name: string, finding: string, remedy: string): Check => ({ name, verdict: "warn", finding, remedy });
const fail = (name: string, finding: string, remedy: string): Check => ({ name, verdict: "fail", finding, remedy });

const OLDEST_POSTGRES = 14;
const NEWEST_POSTGRES = 18;

const checkMigrations = (pending: readonly string[], elsewhere: TablesElsewhere | undefined): Check => {
  if (pending.length === 0) return ok("migrations", "up to date");
  return elsewhere === undefined
    ? fail("migrations", `not applied: ${pending.join(", ")}`, "bun run migrate")
    : fail("migrations", wordsOfTablesElsewhere(elsewhere), CORRECT_SEARCH_PATH);
};

/** Judges Postgres by its own report, and by the migrations that are not applied, or are where it is not looked for them. */
export const checkPostgres = (
  facts: PostgresFacts,
  pendingMigrations: readonly string[],
  elsewhere?: TablesElsewhere,
): readonly Check[] => {
  const { majorVersion, version } = facts;
  const tooOld = "upgrade to PostgreSQL 14 to 18";
  const commits = facts.synchronousCommit;
  return [
    majorVersion < OLDEST_POSTGRES
      ? fail("postgres version", version, tooOld)
      : majorVersion > NEWEST_POSTGRES
        ? warn("postgres version", `${version}, newer than the tested versions`, "run the tests against it first")
        : ok("postgres version", version),
    checkMigrations(pendingMigrations, elsewhere),
    commits === "off"
      ? fail("synchronous_commit", "off: an accepted signup may be lost", "set synchronous_commit = on")
      : ok("synchronous_commit", commits),
    facts.fsync === "on"
      ? ok("fsync", "on")
      : warn("fsync", "off: a power failure may destroy the database", "set fsync = on, except on a test machine"),
    facts.statementTimeout === "0"
      ? warn(
          "statement_timeout",
          "none: a pooler does not pass it on",
          "bun run migrate through the pooler, then reload it",
        )
      : ok("statement_timeout", facts.statementTimeout),
    facts.mayHideRows
      ? warn(
          "row_security",
          "on: row level security would hide people who wait for a mail",
          "bun run migrate and bun run migrate --roles through the pooler, then reload it",
        )
      : ok("row_security", "off"),
    facts.isStandby || facts.isReadOnly
      ? fail(
          "postgres writable",
          facts.isStandby ? "a standby: it refuses writes" : "read-only",
          "point DATABASE_URL at the primary, or name all servers in it",
        )
      : ok("postgres writable", "yes"),
  ];
};

/** Share of maxmemory from which memory is a warning, and from which it is a failure. */
const MEMORY_WARN = 0.75;
const MEMORY_FAIL = 0.95;

const POLICY_NAMES: Readonly<Record<PolicyFinding["name"], string>> = {
  version: "redis version",
  writable: "redis writable",
  persistence: "redis persistence",
  eviction: "maxmemory-policy",
};

/** Judges Redis by its own report: the policy that its processes warn of, too, and how much memory is left. */
export const checkRedis = (facts: RedisFacts): readonly Check[] => {
  const share = facts.maxMemory === 0 ? 0 : facts.usedMemory / facts.maxMemory;
  const memory = `${bytes(facts.usedMemory)} of ${facts.maxMemory === 0 ? "no limit" : bytes(facts.maxMemory)}`;
  const moreRoom = "raise maxmemory, or shorten STREAM_RETENTION_MS";
  return [
    ...checkRedisPolicy(facts).map((found) => ({ ...found, name: POLICY_NAMES[found.name] })),
    share >= MEMORY_FAIL
      ? fail("redis memory", memory, moreRoom)
      : share >= MEMORY_WARN
        ? warn("redis memory", memory, moreRoom)
        : ok("redis memory", memory),
    ...(facts.lastSnapshotOk
      ? []
      : [warn("redis snapshot", "the last one could not be saved", "look at the disk and the log of Redis")]),
  ];
};

const MAX_CLOCK_DIFFERENCE_MS = 2_000;

/** Judges how far Redis' clock is ahead of Postgres'. No code compares the two, but people who read times do. */
export const checkClocks = (differenceMs: number): Check =>
  Math.abs(differenceMs) <= MAX_CLOCK_DIFFERENCE_MS
    ? ok("clocks", `Redis and Postgres differ by ${duration(Math.abs(differenceMs))}`)
    : warn(
        "clocks",
        `Redis is ${duration(Math.abs(differenceMs))} ${differenceMs > 0 ? "ahead of" : "behind"} Postgres`,
        "synchronise both by NTP",
      );

/** Judges a group: whether it exists, whether Redis knows its lag, and whether a consumer reads it. */
export const checkGroup = (group: GroupStatus): readonly Check[] => {
  const name = `group ${group.group}`;
  if (group.orphaned) {
    const effect = "no consumer reads it, and it holds back trimming";
    return [warn(name, `orphaned: ${effect}`, `ops group drop ${group.group}, if it is no longer needed`)];
  }
  if (!group.exists.events || !group.exists.retries) {
    const where = [group.exists.events ? [] : ["events"], group.exists.retries ? [] : ["retries"]].flat().join(" and ");
    return [fail(name, `missing on ${where}`, "start the api: it creates missing groups within seconds")];
  }
  if (!group.declared) {
    const finding = `${counted(group.consumers.length, "consumer reads", "consumers read")} it, and it is not declared here`;
    return [warn(name, finding, "set WEBHOOKS as the consumers have it, or use their version")];
  }
  const lagUnknown = group.lag === null || group.retriesLag === null;
  const work = (group.lag ?? 1) + (group.retriesLag ?? 1) + group.pending + group.dueRetries;
  const isUnread = group.consumers.length === 0 && work > 0;
  return [
    lagUnknown
      ? warn(name, "Redis does not know its lag (7.0 loses it at a restart)", "the api repairs it: is one running?")
      : ok(name, "on both streams, lag known"),
    ...(group.paused ? [warn(`${name} paused`, pausedWords(group), `ops resume ${group.group}`)] : []),
    ...(isUnread && !group.paused && !isNew(group)
      ? [warn(`${name} consumers`, "there is work but no consumer", "start one: bun run consumer")]
      : []),
    ...(group.deadLetters > 0
      ? [warn(`${name} dead letters`, counted(group.deadLetters, "letter"), "ops dead list")]
      : []),
  ];
};

const pausedWords = ({ pausedFor }: GroupStatus): string =>
  pausedFor === null ? "it reads no entries" : `it reads no entries: ${pausedFor}`;

/** Judges whether statements wait for somebody's lock. */
export const checkLocks = (wait: LockWait | undefined): Check => {
  if (wait === undefined || wait.longestMs < LOCK_WARN_MS) return ok("postgres locks", "no statement waits for long");
  const { waiting, longestMs, waiter, blockedBy, blocker } = wait;
  return warn(
    "postgres locks",
    `${counted(waiting, "statement waits", "statements wait")}, ${waiter} for ${duration(longestMs)}, on pid ${blockedBy} (${blocker})`,
    blockedBy === 0
      ? "commit or roll back what pg_prepared_xacts lists"
      : `end that transaction, or: select pg_terminate_backend(${blockedBy})`,
  );
};

const LOCK_WARN_MS = 1_000;

/** Judges deliveries that the reconciler has brought back in vain. */
export const checkLost = (held: number): Check =>
  held === 0
    ? ok("lost repeatedly", "no delivery")
    : warn(
        "lost repeatedly",
        `${counted(held, "delivery is", "deliveries are")} held: published ten times, and no consumer ever had one`,
        "ops held list, then ops held release --reason lost_repeatedly",
      );

/** The relay publishes rows that are older than 2 s: a much older row is stuck. */
const OUTBOX_WARN_MS = 30_000;
const OUTBOX_FAIL_MS = 300_000;

/** Judges whether committed events are published. */
export const checkOutbox = ({ rows, oldestAgeMs }: LedgerCounts["outbox"]): Check => {
  const finding = rows === 0 ? "empty" : `${counted(rows, "row")}, the oldest for ${duration(oldestAgeMs)}`;
  const remedy = "the api publishes them: is one running, and does it reach Redis?";
  if (oldestAgeMs >= OUTBOX_FAIL_MS) return fail("outbox", finding, remedy);
  return oldestAgeMs >= OUTBOX_WARN_MS ? warn("outbox", finding, remedy) : ok("outbox", finding);
};
