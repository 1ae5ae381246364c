import type { Redis } from "ioredis";
import type { Logger } from "../observability/logger.ts";
import { type RedisFacts, readRedisFacts } from "./redis-facts.ts";

/** A finding about one setting of a Redis, and its remedy. */
export interface PolicyFinding {
  readonly name: "version" | "writable" | "persistence" | "eviction";
  readonly verdict: "ok" | "warn" | "fail";
  readonly finding: string;
  /** Missing when the verdict is `ok`. */
  readonly remedy?: string;
}

const OLDEST_MAJOR = 7;
const BRING_BACK_A_REPLICA = "bring a replica back, or lower min-replicas-to-write";

const version = ({ version }: RedisFacts): PolicyFinding =>
  Number.parseInt(version, 10) >= OLDEST_MAJOR
    ? { name: "version", verdict: "ok", finding: version }
    : { name: "version", verdict: "fail", finding: version, remedy: "upgrade to Redis 7.0 or later, or Valkey" };

const writable = ({ isReplica, lacksReplicas }: RedisFacts): PolicyFinding => {
  const refused = { name: "writable", verdict: "fail" } as const;
  if (isReplica)
    return { ...refused, finding: "a replica: it refuses writes", remedy: "point REDIS_URL at the primary" };
  if (lacksReplicas)
    return { ...refused, finding: "it has no replica that keeps up, and refuses writes", remedy: BRING_BACK_A_REPLICA };
  return { name: "writable", verdict: "ok", finding: "yes" };
};

const persistence = ({ appendOnly, lastAppendOk }: RedisFacts): PolicyFinding => {
  if (!appendOnly) {
    return {
      name: "persistence",
      verdict: "warn",
      finding: "appendonly is off: a restart loses entries, and the reconciler queues them again",
      remedy: "set appendonly yes",
    };
  }
  return lastAppendOk
    ? { name: "persistence", verdict: "ok", finding: "appendonly" }
    : {
        name: "persistence",
        verdict: "fail",
        finding: "the last write to the append-only file failed",
        remedy: "check the disk of Redis",
      };
};

const eviction = ({ evictionPolicy, maxMemory }: RedisFacts): PolicyFinding =>
  evictionPolicy === "noeviction"
    ? { name: "eviction", verdict: "ok", finding: "noeviction" }
    : {
        name: "eviction",
        verdict: maxMemory === 0 ? "warn" : "fail",
        finding: `${evictionPolicy}: entries are evicted when memory is full`,
        remedy: "set maxmemory-policy noeviction",
      };

/** Checks that a Redis is configured to keep entries. Processes warn by it, and `ops doctor` reports it. */
export const checkRedisPolicy = (facts: RedisFacts): readonly PolicyFinding[] => [
  version(facts),
  writable(facts),
  persistence(facts),
  eviction(facts),
];

/** Checks the policy at each connect, and warns of each finding once. */
export const warnOfRisks = (redis: Redis, log: Logger): void => {
  const reported = new Set<string>();
  const look = async () => {
    // INFO may be forbidden by an ACL; then the policy is not checked.
    const facts = await readRedisFacts(redis).catch(() => undefined);
    for (const { name, verdict, finding, remedy } of facts === undefined ? [] : checkRedisPolicy(facts)) {
      if (verdict === "ok" || reported.has(finding)) continue;
      reported.add(finding);
      log.warn({ policy: name }, `Redis is configured to lose entries: ${finding}; ${remedy}`);
    }
  };
  if (redis.status === "ready") void look();
  redis.on("ready", () => void look());
};
