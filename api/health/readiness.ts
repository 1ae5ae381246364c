import { faultSince } from "../../runtime/loop.ts";
import { describe } from "../../runtime/situation/describe.ts";
import type { Facts, WriteRefusal } from "../../runtime/situation/facts.ts";
import { notAnswered } from "../../runtime/situation/words.ts";
import { createStoreAnswers, type StoreAnswers, type StoreAway } from "../../runtime/store-answers.ts";

/** What keeps an api from its work, as others are to hear it. */
export interface Troubles {
  readonly postgres?: { readonly since: string; readonly refusal?: string | undefined };
  readonly refusal?: { readonly fault: string; readonly since: string; readonly at: string };
  readonly loops: Readonly<Record<string, string>>;
}

export interface Readiness {
  /** Ready: Postgres answers, and the process is not draining. Redis is reported, but signups succeed without it. */
  check(): Promise<{
    readonly ready: boolean;
    readonly why: string;
    readonly checks: Readonly<Record<string, string>>;
  }>;
  /** What `check` finds, but for Redis, for who asks others than this process; undefined: it is draining. */
  troubles(): Promise<Troubles | undefined>;
  /** From now on not ready: new requests should go elsewhere. */
  drain(): void;
}

/** What this process knows by itself, in the sentence that operators' commands have, too. Without a host or a driver's words. */
const sentenceOf = (stores: StoreAnswers, { loops, refusal }: Pick<Facts, "loops" | "refusal">): string => {
  const now = new Date();
  const [first] = describe({
    now,
    postgres: notAnswered(stores.postgres, now),
    redis: notAnswered(stores.redis, now),
    outbox: { rows: 0, oldestMs: 0 },
    clockDifferenceMs: 0,
    groups: [],
    ...(loops === undefined ? {} : { loops }),
    refusal,
  });
  return first.level === "well" ? "All is well" : first.sentence;
};

const troublesOf = (
  { postgres }: StoreAnswers,
  loops: Readonly<Record<string, string>>,
  refusal: WriteRefusal | undefined,
): Troubles => ({
  ...(postgres && { postgres: { ...postgres, since: postgres.since.toISOString() } }),
  ...(refusal && {
    refusal: { ...refusal, since: refusal.since.toISOString(), at: refusal.at.toISOString() },
  }),
  loops,
});

const stateOf = (store: StoreAway | undefined, words: string): string =>
  store === undefined ? "ok" : faultSince(words, store.since);

export const createReadiness = (deps: {
  readonly pingDatabase: () => Promise<void>;
  readonly pingRedis: () => Promise<unknown>;
  /** Faults of the background loops, by loop, in words that anybody may read. They do not make the process unready. */
  readonly faults: () => Readonly<Record<string, string>>;
  /** What Postgres refuses signups with, though it answers. It does not make the process unready: another one would be refused, too. */
  readonly refusal?: () => WriteRefusal | undefined;
}): Readiness => {
  let draining = false;
  const storeAnswers = createStoreAnswers({ postgres: deps.pingDatabase, redis: deps.pingRedis });

  return {
    async check() {
      const stores = await storeAnswers();
      const loops = deps.faults();
      const refusal = deps.refusal?.();
      const checks = {
        database: stateOf(stores.postgres, "away"),
        redis: stateOf(stores.redis, `${stores.redis?.refusal ?? "away"}; signups wait in the outbox`),
        process: draining ? "draining" : "serving",
        ...(refusal === undefined ? {} : { signups: faultSince(refusal.fault, refusal.since) }),
        ...loops,
      };
      const why = draining
        ? "This process is stopping; requests should go to another"
        : sentenceOf(stores, { loops, refusal });
      return { ready: stores.postgres === undefined && !draining, why, checks };
    },
    troubles: async () => (draining ? undefined : troublesOf(await storeAnswers(), deps.faults(), deps.refusal?.())),
    drain: () => {
      draining = true;
    },
  };
};
