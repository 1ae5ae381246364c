import type { Redis } from "ioredis";
import source from "./lead.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(source);

/** What a consumer says of what one of its group may have alone. */
export interface LeadWish {
  /** Whether one is to lead, as far as this consumer knows; `follow`: if another one does; `in vain`: it has led, which was of no use. */
  readonly wish: "none" | "follow" | "one" | "in vain";
  /** Pieces that this consumer has done lately, a second. */
  readonly perSecond: number;
}

export interface Leader {
  readonly leader: "this" | "another" | "nobody";
  /** What all others have done lately that heed who leads. */
  readonly othersPerSecond: number;
}

const LEADERS = ["this", "another", "nobody"] as const;

/** Says what a consumer wants, and hears who leads. */
export const sayLead = async (
  redis: Redis,
  key: string,
  consumer: string,
  { wish, perSecond }: LeadWish,
): Promise<Leader> => {
  const answer: unknown = await runScript(redis, script, [key], [consumer, wish, Math.round(1_000 * perSecond)]);
  const [said, thousandths] = Array.isArray(answer) ? answer.map(String) : [];
  return {
    leader: LEADERS.find((each) => each === said) ?? "nobody",
    othersPerSecond: Number(thousandths ?? 0) / 1_000,
  };
};
