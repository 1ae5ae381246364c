import type { Redis } from "ioredis";
import type { Logger } from "../observability/logger.ts";
import { type RedisFacts, readRedisFacts } from "./redis-facts.ts";

/** What was found about one part of a Redis' set-up, and what to do about it. */
export interface PolicyFinding {
  readonly name: "version" | "writable" | "persistence" | "eviction";
  readonly verdict: "ok" | "warn" | "fail";
  readonly finding: string;
  /** Missing where all is well. */
  readonly remedy?: string;
}

const OLDEST_MAJOR = 7;

const version = ({ version }: RedisFacts): PolicyFinding =>
  Number.parseInt(version, 10) >= OLDEST_MAJOR
    ? { name: "version", verdict: "ok", finding: version }
    : { name: "version", verdict: "fail", finding: version, remedy: "upgrade to Redis 7.0 or later, or Valkey" };

const writable = ({ isReplica }: RedisFacts): PolicyFinding =>
  isReplica
    ? {
        name: "writable",
        verdict: "fail",
        finding: "a replica: it refuses writes",
        remedy: "point REDIS_URL at the primary",
      }
    : { name: "writable", verdict: "ok", finding: "yes" };

const persistence = ({ appendOnly, lastAppendOk }: RedisFacts): PolicyFinding => {
  if (!appendOnly) {
    return {
      name: "persistence",
      verdict: "warn",
      finding: "appendonly is off: a restart forgets entries, and the ledger has to bring them back",
      remedy: "set appendonly yes",
    };
  }
  return lastAppendOk
    ? { name: "persistence", verdict: "ok", finding: "appendonly" }
    : {
        name: "persistence",
        verdict: "fail",
        finding: "the last write to the append-only file failed",
        remedy: "look at the disk of Redis",
      };
};

const eviction = ({ evictionPolicy, maxMemory }: RedisFacts): PolicyFinding =>
  evictionPolicy === "noeviction"
    ? { name: "eviction", verdict: "ok", finding: "noeviction" }
    : {
        name: "eviction",
        verdict: maxMemory === 0 ? "warn" : "fail",
        finding: `${evictionPolicy}: entries are thrown away when memory is short`,
        remedy: "set maxmemory-policy noeviction",
      };

/** How a Redis must be set up so that it keeps entries: what its processes warn of, and what `ops doctor` checks. */
export const checkRedisPolicy = (facts: RedisFacts): readonly PolicyFinding[] => [
  version(facts),
  writable(facts),
  persistence(facts),
  eviction(facts),
];

/** Looks at each connecting how Redis is set up, and warns of what would lose entries: once per finding. */
export const warnOfRisks = (redis: Redis, log: Logger): void => {
  const reported = new Set<string>();
  const look = async () => {
    // INFO may be forbidden to us; then somebody else has to look.
    const facts = await readRedisFacts(redis).catch(() => undefined);
    for (const { name, verdict, finding, remedy } of facts === undefined ? [] : checkRedisPolicy(facts)) {
      if (verdict === "ok" || reported.has(finding)) continue;
      reported.add(finding);
      log.warn({ policy: name }, `Redis is set up to lose entries: ${finding}; ${remedy}`);
    }
  };
  if (redis.status === "ready") void look();
  redis.on("ready", () => void look());
};
