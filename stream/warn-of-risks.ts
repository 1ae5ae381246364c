import type { Redis } from "ioredis";
import type { Logger } from "../observability/logger.ts";
import { readRedisFacts } from "./redis-facts.ts";
import { redisRisks } from "./redis-risks.ts";

/** Looks at each connecting how Redis is set up, and warns of what would lose entries: once per risk. */
export const warnOfRisks = (redis: Redis, log: Logger): void => {
  const told = new Set<string>();
  const look = async () => {
    // INFO may be forbidden to us; then somebody else has to look.
    const facts = await readRedisFacts(redis).catch(() => undefined);
    for (const risk of facts === undefined ? [] : redisRisks(facts)) {
      if (told.has(risk)) continue;
      told.add(risk);
      log.warn({ risk }, `Redis is set up to lose entries: ${risk}`);
    }
  };
  if (redis.status === "ready") void look();
  redis.on("ready", () => void look());
};
