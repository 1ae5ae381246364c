import { Redis } from "ioredis";
import { type Database, openDatabase } from "../../database/connection.ts";
import { type AuditLog, createAuditLog } from "../../ops/actions/audit-log.ts";
import { releaseAll } from "../../ops/actions/held.ts";
import { REMINDER_EMAIL, WELCOME_EMAIL } from "../../stream/groups.ts";
import { keysOf } from "../../stream/keys.ts";
import { CHAOS_GROUPS } from "./groups.ts";
import type { ChaosSystem } from "./system.ts";
import { STREAM_NAME } from "./system.ts";

/** What the operator of a run does outside of the faults. */
export interface ChaosOperator {
  /** Releases the mails that are held, as `ops held release --all` does. */
  releaseHeld(): Promise<void>;
  /** How many were released so far. */
  released(): number;
}

/** Where the actions of the run's operator are recorded. */
export const chaosAudit = (db: Database): AuditLog =>
  createAuditLog({
    db,
    actor: "chaos",
    surface: "ops",
    host: "chaos",
    newId: () => Bun.randomUUIDv7(),
    warn: () => {},
  });

export const createChaosOperator = (system: ChaosSystem): ChaosOperator => {
  let released = 0;
  return {
    async releaseHeld() {
      const db = openDatabase({ url: system.databaseUrl, poolSize: 1, applicationName: "chaos" });
      const redis = new Redis(system.redisUrl, { retryStrategy: () => null });
      redis.on("error", () => {});
      const operator = {
        db,
        redis,
        keys: keysOf(STREAM_NAME),
        groups: CHAOS_GROUPS,
        signal: new AbortController().signal,
        onProgress: () => {},
        at: () => {},
        audit: chaosAudit(db),
      };
      try {
        for (const group of [WELCOME_EMAIL, REMINDER_EMAIL]) released += (await releaseAll(operator, group)).released;
      } catch {
        // A store is away. What is held is released at the end of the run.
      } finally {
        redis.disconnect();
        await db.destroy();
      }
    },
    released: () => released,
  };
};
