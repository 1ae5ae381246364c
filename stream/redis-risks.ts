import type { RedisFacts } from "./redis-facts.ts";

/** What in a Redis' set-up would lose entries, each with what to set. The ledger brings mails back, but late. */
export const redisRisks = (facts: RedisFacts): string[] => {
  const risks: string[] = [];
  const major = Number(facts.version.split(".")[0]);
  if (facts.evictionPolicy !== "noeviction") {
    risks.push(
      `maxmemory-policy is ${facts.evictionPolicy}: Redis may drop the stream when memory is short; set it to noeviction`,
    );
  }
  if (!facts.appendOnly) {
    risks.push("appendonly is off: what waits in the stream is gone when Redis restarts; set appendonly yes");
  }
  if (major < 7) risks.push(`Redis ${facts.version} is too old: 7.0 or later is needed`);
  return risks;
};
