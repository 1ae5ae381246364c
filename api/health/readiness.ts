import type { Redis } from "ioredis";
import { faultSince, pause } from "../../runtime/loop.ts";
import { describe } from "../../runtime/situation/describe.ts";
import type { Facts, WriteRefusal } from "../../runtime/situation/facts.ts";

export interface Readiness {
  /** Ready: Postgres answers, and the process is not draining. Redis is reported, but signups succeed without it. */
  check(): Promise<{
    readonly ready: boolean;
    readonly why: string;
    readonly checks: Readonly<Record<string, string>>;
  }>;
  /** From now on not ready: new requests should go elsewhere. */
  drain(): void;
}

const ANSWERS_NOT = "does not answer";

/** What this process knows by itself, in the sentence that operators' commands have, too. Without a host or a driver's words. */
const sentenceOf = (
  postgres: boolean,
  redis: boolean,
  { loops, refusal }: Pick<Facts, "loops" | "refusal">,
): string => {
  const [first] = describe({
    now: new Date(),
    postgres: postgres ? undefined : ANSWERS_NOT,
    redis: redis ? undefined : ANSWERS_NOT,
    outbox: { rows: 0, oldestMs: 0 },
    clockDifferenceMs: 0,
    groups: [],
    ...(loops === undefined ? {} : { loops }),
    refusal,
  });
  return first.level === "well" ? "All is well" : first.sentence;
};

const TIMEOUT_MS = 1_000;
/** For how long probes share one answer, however many supervisors ask. */
const CACHE_MS = 500;

export const createReadiness = (deps: {
  readonly pingDatabase: () => Promise<void>;
  readonly redis: Pick<Redis, "status">;
  readonly pingRedis: () => Promise<unknown>;
  /** Faults of the background loops, by loop, in words that anybody may read. They do not make the process unready. */
  readonly faults: () => Readonly<Record<string, string>>;
  /** What Postgres refuses signups with, though it answers. It does not make the process unready: another one would be refused, too. */
  readonly refusal?: () => WriteRefusal | undefined;
}): Readiness => {
  let draining = false;
  /** When each store was first found away. */
  const awaySince = new Map<string, Date>();
  let askedAt = Number.NEGATIVE_INFINITY;
  let answers: Promise<readonly [database: boolean, redis: boolean]> = Promise.resolve([false, false]);

  /** A connection may be open to a store that hangs. */
  const isAnswered = (ping: Promise<unknown>): Promise<boolean> =>
    Promise.race([
      ping.then(
        () => true,
        () => false,
      ),
      pause(TIMEOUT_MS).then(() => false),
    ]);

  const storesAnswer = (): Promise<readonly [database: boolean, redis: boolean]> => {
    if (performance.now() - askedAt >= CACHE_MS) {
      askedAt = performance.now();
      const { redis } = deps;
      answers = Promise.all([
        isAnswered(deps.pingDatabase()),
        redis.status === "ready" ? isAnswered(deps.pingRedis()) : Promise.resolve(false),
      ]);
    }
    return answers;
  };

  const stateOf = (store: string, isThere: boolean, words: string): string => {
    if (isThere) {
      awaySince.delete(store);
      return "ok";
    }
    const since = awaySince.get(store) ?? new Date();
    awaySince.set(store, since);
    return faultSince(words, since);
  };

  return {
    async check() {
      const [database, hasRedis] = await storesAnswer();
      const loops = deps.faults();
      const refusal = deps.refusal?.();
      const checks = {
        database: stateOf("database", database, "away"),
        redis: stateOf("redis", hasRedis, "away; signups wait in the outbox"),
        process: draining ? "draining" : "serving",
        ...(refusal === undefined ? {} : { signups: faultSince(refusal.fault, refusal.since) }),
        ...loops,
      };
      const why = draining
        ? "This process is stopping; requests should go to another"
        : sentenceOf(database, hasRedis, { loops, refusal });
      return { ready: database && !draining, why, checks };
    },
    drain: () => {
      draining = true;
    },
  };
};
