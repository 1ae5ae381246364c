import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { outsideOfTraces } from "../../observability/tracing.ts";
import type { Keys } from "../../stream/keys.ts";
import { type QuotaAnswer, type QuotaLimit, type QuotaRequest, takeQuotas } from "../../stream/scripts/take-quota.ts";

/** A limit on pieces of work that have something in common, of all consumers and groups together. */
export interface Quota extends QuotaLimit {
  /** What they have in common, the same in every group; it is part of a key in Redis, so it must not be personal. */
  readonly name: string;
  /** Why a piece is held when the quota is used up. */
  readonly reason: string;
}

/** A piece of work that is about to begin. */
export interface QuotaUse {
  readonly eventId: string;
  readonly quotas: readonly Quota[];
  /** An operator has decided: it is counted, and not held. */
  readonly isForced: boolean;
}

export interface Quotas {
  /**
   * Counts a piece whose work is about to begin; undefined: it may. Else which quota is used up, and for how long to hold the piece.
   * A piece counts once in a window, however often it is attempted. Never rejects: where Redis does not count, nothing is held.
   */
  take(use: QuotaUse): Promise<{ readonly reason: string; readonly forMs: number } | undefined>;
}

export interface QuotasDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly log: Logger;
}

interface Waiting {
  readonly request: QuotaRequest;
  readonly resolve: (answer: QuotaAnswer) => void;
}

/** Quotas in Redis; the pieces that begin in one turn of the event loop share a call: those of one claim do. */
export const createQuotas = ({ redis, keys, group, log }: QuotasDeps): Quotas => {
  let waiting: Waiting[] = [];
  let isFailing = false;

  const count = async (requests: readonly QuotaRequest[]): Promise<readonly QuotaAnswer[]> => {
    try {
      // A call belongs to no single piece's trace.
      const answers = await outsideOfTraces(() => takeQuotas(redis, requests));
      isFailing = false;
      return answers;
    } catch (error) {
      if (!isFailing) log.warn({ error }, "Redis does not count what is limited; nothing is held for it meanwhile");
      isFailing = true;
      return [];
    }
  };

  const countAll = async (): Promise<void> => {
    const batch = waiting;
    waiting = [];
    const answers = await count(batch.map(({ request }) => request));
    batch.forEach(({ resolve }, index) => {
      resolve(answers[index] ?? { kind: "counted" });
    });
  };

  const ask = (request: QuotaRequest): Promise<QuotaAnswer> =>
    new Promise((resolve) => {
      waiting.push({ request, resolve });
      if (waiting.length === 1) setImmediate(() => void countAll());
    });

  return {
    async take({ eventId, quotas, isForced }) {
      if (quotas.length === 0) return undefined;
      const answer = await ask({
        piece: `${group} ${eventId}`,
        isForced,
        quotas: quotas.map(({ name, limit, windowMs }) => ({
          limit,
          windowMs,
          keys: { only: keys.quotaOnly(name), counted: keys.quota(name), refused: keys.quotaRefused(name) },
        })),
      });
      const usedUp = answer.kind === "used-up" ? quotas[answer.index] : undefined;
      return answer.kind === "used-up" && usedUp !== undefined
        ? { reason: usedUp.reason, forMs: answer.waitMs }
        : undefined;
    },
  };
};
