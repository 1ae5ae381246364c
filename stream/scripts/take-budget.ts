import type { Redis } from "ioredis";
import { defineScript, runScript } from "./script.ts";
import source from "./take-budget.lua" with { type: "text" };

const script = defineScript(source);

/** The limits of a budget; 0: none. */
export interface BudgetLimits {
  readonly perSecond: number;
  readonly perDay: number;
}

/** What a consumer asks of a budget. */
export interface BudgetRequest {
  readonly consumer: string;
  /** Of its group; 0 is served first. */
  readonly priority: number;
  readonly wanted: number;
  /** Tokens that it took and did not use. */
  readonly givenBack?: number;
  /** The other system said that it is too fast. */
  readonly isTooFast?: boolean;
  /** Time in ms instead of Redis' clock. */
  readonly atMs?: number;
}

/** What a budget answers. */
export interface BudgetAnswer {
  readonly granted: number;
  /** If nothing is granted: ms after which to ask again. */
  readonly waitMs: number;
  /** Share of the configured rate that is in force, up to 1. */
  readonly factor: number;
  /** Consumers that asked within the last minute. */
  readonly consumers: number;
}

/** Takes tokens from a shared budget, on Redis' clock. */
export const takeBudget = async (
  redis: Redis,
  keys: { readonly budget: string; readonly consumers: string },
  { perSecond, perDay }: BudgetLimits,
  { consumer, priority, wanted, givenBack = 0, isTooFast = false, atMs }: BudgetRequest,
): Promise<BudgetAnswer> => {
  const answer = await runScript(
    redis,
    script,
    [keys.budget, keys.consumers],
    [consumer, priority, wanted, givenBack, perSecond, perDay, isTooFast ? 1 : 0, atMs ?? ""],
  );
  const [granted = 0, waitMs = 0, thousandths = 1_000, consumers = 1] = Array.isArray(answer) ? answer.map(Number) : [];
  return { granted, waitMs, factor: thousandths / 1_000, consumers };
};
