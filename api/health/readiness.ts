import type { Redis } from "ioredis";
import { pause } from "../../runtime/loop.ts";

export interface Readiness {
  /** Ready: Postgres answers, and the process is not draining. Redis is reported, but signups succeed without it. */
  check(): Promise<{ readonly ready: boolean; readonly checks: Readonly<Record<string, string>> }>;
  /** From now on not ready: new requests should go elsewhere. */
  drain(): void;
}

const TIMEOUT_MS = 1_000;
/** For how long probes share one answer, however many supervisors ask. */
const CACHE_MS = 500;

export const createReadiness = (deps: {
  readonly pingDatabase: () => Promise<void>;
  readonly redis: Pick<Redis, "status">;
  /** Faults of the background loops, by loop. Reported only: they do not make the process unready. */
  readonly faults: () => Readonly<Record<string, string>>;
}): Readiness => {
  let draining = false;
  let askedAt = Number.NEGATIVE_INFINITY;
  let answer: Promise<boolean> = Promise.resolve(false);

  const databaseAnswers = (): Promise<boolean> => {
    if (performance.now() - askedAt >= CACHE_MS) {
      askedAt = performance.now();
      const ping = deps.pingDatabase().then(
        () => true,
        () => false,
      );
      answer = Promise.race([ping, pause(TIMEOUT_MS).then(() => false)]);
    }
    return answer;
  };

  return {
    async check() {
      const database = await databaseAnswers();
      const checks = {
        database: database ? "ok" : "away",
        redis: deps.redis.status === "ready" ? "ok" : "away; signups wait in the outbox",
        process: draining ? "draining" : "serving",
        ...deps.faults(),
      };
      return { ready: database && !draining, checks };
    },
    drain: () => {
      draining = true;
    },
  };
};
