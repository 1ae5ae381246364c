import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import type { Keys } from "../../stream/keys.ts";
import { type BudgetLimits, takeBudget } from "../../stream/scripts/take-budget.ts";
import type { GroupBudget } from "./handler.ts";

/**
 * Bounds the work that a consumer may start, by tokens: each piece of work costs one. The reader reads no more entries than
 * there are tokens for, so that what must wait stays in the stream, and uses up neither a lease nor an attempt.
 */
export interface Admission {
  /** Whether anything limits it now. If not, there are always tokens. */
  readonly isLimited: boolean;
  /** From now on this rate is in force, in pieces a second; undefined: that of the settings. The limit of a day stays. */
  follow(perSecond: number | undefined): void;
  /** Takes tokens until there are `wanted`, as far as the budget allows; returns how many there are. Never rejects. */
  fill(wanted: number): Promise<number>;
  /** If `fill` returned less than was wanted: ms after which to ask again. */
  readonly waitMs: number;
  /** Uses a token: the work begins. */
  spend(): void;
  /** The work ended without an effect: its token is good for another piece. */
  refund(): void;
  /** Gives tokens beyond `keep` back to the budget, for other consumers. */
  giveBack(keep: number): Promise<void>;
  /** The other system said that it is too fast: lowers the rate for a while. */
  slowDown(): void;
  /** Pieces a second that are allowed now, for all consumers together; undefined if a second is not limited. */
  readonly ratePerSecond: number | undefined;
}

export interface AdmissionDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly consumer: string;
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly log: Logger;
}

/** A budget, by its name. */
export interface NamedBudget extends GroupBudget {
  readonly name: string;
}

const DAY_S = 86_400;
/** A consumer that does not ask must not be forgotten: the budget counts those of the last minute. */
const REPORT_EVERY_MS = 20_000;
const LOCAL_WAIT_MS = 1_000;

/** Tokens a second of one consumer's share of the limits. */
export const shareOf = ({ perSecond, perDay }: BudgetLimits, factor: number, consumers: number): number => {
  const rates = [...(perSecond > 0 ? [perSecond * factor] : []), ...(perDay > 0 ? [perDay / DAY_S] : [])];
  return Math.min(...rates) / Math.max(1, consumers);
};

/**
 * Admission by a budget in Redis. While Redis does not answer, the consumer keeps to its share of the rate among the
 * consumers that were last known.
 */
export const createAdmission = (
  deps: AdmissionDeps,
  { name, limits: configured, priority }: NamedBudget,
): Admission => {
  const { redis, keys, group, consumer, now, log } = deps;
  const names = { budget: keys.budget(name), consumers: keys.budgetConsumers(name) };
  const asking = { consumer: `${group} ${consumer}`, priority };
  const isLimit = ({ perSecond, perDay }: BudgetLimits): boolean => perSecond > 0 || perDay > 0;
  let limits = configured;
  let tokens = isLimit(limits) ? 0 : Number.POSITIVE_INFINITY;
  let factor = 1;
  let consumers = 1;
  let waitMs = LOCAL_WAIT_MS;
  let askedAt = Number.NEGATIVE_INFINITY;
  /** Since when tokens come from the share; undefined while Redis answers. */
  let localSince: number | undefined;

  const ask = async (request: { wanted: number; givenBack?: number; isTooFast?: boolean }): Promise<void> => {
    askedAt = now();
    const answer = await takeBudget(redis, names, limits, { ...asking, ...request });
    tokens += answer.granted;
    ({ factor, consumers, waitMs } = answer);
    if (localSince !== undefined) log.info({ budget: name }, "the budget answers again");
    localSince = undefined;
  };

  const takeLocally = (error: unknown): void => {
    if (localSince === undefined) {
      log.warn({ error, budget: name, consumers }, "the budget does not answer; keeping to a share of the rate");
      localSince = now();
    }
    const share = shareOf(limits, factor, consumers);
    waitMs = Math.min(LOCAL_WAIT_MS, Math.ceil(1_000 / share));
    // At most one: a share that was not used is not saved up.
    if (tokens < 1 && (now() - localSince) * share >= 1_000) {
      tokens += 1;
      localSince = now();
    }
  };

  return {
    get isLimited() {
      return isLimit(limits);
    },
    follow(ordered) {
      const perSecond = ordered ?? configured.perSecond;
      if (perSecond === limits.perSecond) return;
      const wasLimited = isLimit(limits);
      limits = { ...configured, perSecond };
      if (isLimit(limits) !== wasLimited) tokens = wasLimited ? Number.POSITIVE_INFINITY : 0;
      const rate = perSecond > 0 ? `${perSecond} a second` : "not limited by the second";
      log.info({ budget: name, perSecond, isOrdered: ordered !== undefined }, `the rate is now ${rate}`);
    },
    async fill(wanted) {
      if (!isLimit(limits)) return tokens;
      if (tokens >= wanted && now() - askedAt < REPORT_EVERY_MS) return tokens;
      try {
        await ask({ wanted: Math.max(0, wanted - tokens) });
      } catch (error) {
        takeLocally(error);
      }
      return tokens;
    },
    get waitMs() {
      return waitMs;
    },
    spend: () => {
      tokens -= 1;
    },
    refund: () => {
      tokens += 1;
    },
    async giveBack(keep) {
      const givenBack = tokens - keep;
      if (givenBack <= 0 || !isLimit(limits)) return;
      // First: if the answer is lost, the tokens are, too. They must not be used twice.
      tokens = keep;
      await ask({ wanted: 0, givenBack }).catch(takeLocally);
    },
    slowDown: () => {
      if (!isLimit(limits)) return;
      void ask({ wanted: 0, isTooFast: true }).catch((error: unknown) => {
        factor /= 2;
        takeLocally(error);
      });
    },
    get ratePerSecond() {
      return limits.perSecond > 0 ? limits.perSecond * factor : undefined;
    },
  };
};
