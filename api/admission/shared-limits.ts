import type { Logger } from "../../observability/logger.ts";
import type { LimitAnswer, LimitedRequest } from "../../stream/scripts/take-limits.ts";

/** The limits that all processes share, in Redis. */
export interface SharedLimits {
  /** The answer, or undefined if Redis does not give one in time. Never rejects. */
  take(request: LimitedRequest): Promise<LimitAnswer | undefined>;
  /** The same within some ms, for a request that does not wait for the answer: many share a call. */
  takeLater(request: LimitedRequest, onAnswer: (answer: LimitAnswer | undefined) => void): void;
}

export interface SharedLimitsDeps {
  /** Decides on requests in their order. */
  readonly take: (requests: readonly LimitedRequest[]) => Promise<readonly LimitAnswer[]>;
  readonly now: () => number;
  readonly log: Logger;
}

/** Nobody waits longer for Redis. */
const TIME_LIMIT_MS = 100;
/** After a failure nobody waits: as often as this, one request asks for itself and is not waited for. */
const ASK_AGAIN_MS = 1_000;
/** Requests in one call: each takes Redis some µs. */
const MAX_BATCH = 256;
/** What nobody waits for is collected for so long. */
const LATER_MS = 25;

interface Waiting {
  readonly request: LimitedRequest;
  readonly resolve: (answer: LimitAnswer | undefined) => void;
}

/**
 * Requests share calls: those of one turn of the event loop, those that come while a call is under way, and those that nobody waits for,
 * which are collected meanwhile. After a call that failed,
 * or was not answered in time, the answer is undefined at once, until Redis has answered again.
 */
export const createSharedLimits = ({ take, now, log }: SharedLimitsDeps): SharedLimits => {
  let waiting: Waiting[] = [];
  let isAsking = false;
  /** Somebody waits for an answer, or what is asked later has been collected for long enough. */
  let isDue = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Since a failure: when to ask again. */
  let askAgainAt: number | undefined;

  const answersInTime = async (requests: readonly LimitedRequest[]): Promise<readonly LimitAnswer[]> => {
    const tooLate = Promise.withResolvers<never>();
    const reject = () => tooLate.reject(new Error(`no answer within ${TIME_LIMIT_MS} ms`));
    // After what has arrived is read: if the process itself was busy, Redis is not at fault.
    const limit = setTimeout(() => setImmediate(reject), TIME_LIMIT_MS);
    return await Promise.race([take(requests), tooLate.promise]).finally(() => clearTimeout(limit));
  };

  const ask = async (batch: readonly Waiting[]): Promise<void> => {
    let answers: readonly LimitAnswer[] = [];
    try {
      answers = await answersInTime(batch.map(({ request }) => request));
      if (askAgainAt !== undefined) log.info({}, "all processes limit signups together again");
      askAgainAt = undefined;
    } catch (error) {
      if (askAgainAt === undefined) log.warn({ error }, "each process limits signups by itself: Redis does not answer");
      askAgainAt = now() + ASK_AGAIN_MS;
    }
    for (const [index, { resolve }] of batch.entries()) resolve(answers[index]);
  };

  const askAll = async (): Promise<void> => {
    while (isDue && waiting.length > 0 && askAgainAt === undefined) {
      const batch = waiting.slice(0, MAX_BATCH);
      waiting = waiting.slice(MAX_BATCH);
      // What came meanwhile to be asked later is collected on.
      isDue = waiting.length > 0;
      await ask(batch);
    }
    isAsking = false;
    if (askAgainAt === undefined) return;
    for (const { resolve } of waiting) resolve(undefined);
    waiting = [];
  };

  /** Whether Redis is to be asked. While it is away, one request a second asks for nobody. */
  const isAvailable = (request: LimitedRequest): boolean => {
    if (askAgainAt === undefined) return true;
    if (now() < askAgainAt) return false;
    askAgainAt = now() + ASK_AGAIN_MS;
    void ask([{ request, resolve: () => {} }]);
    return false;
  };

  const askSoon = (): void => {
    clearTimeout(timer);
    timer = undefined;
    isDue = true;
    if (!isAsking) setImmediate(() => void askAll());
    isAsking = true;
  };

  return {
    async take(request) {
      if (!isAvailable(request)) return undefined;
      const { promise, resolve } = Promise.withResolvers<LimitAnswer | undefined>();
      // Behind what was to be asked later: it was admitted before.
      waiting.push({ request, resolve });
      askSoon();
      return await promise;
    },
    takeLater(request, onAnswer) {
      if (!isAvailable(request)) return;
      waiting.push({ request, resolve: onAnswer });
      if (waiting.length >= MAX_BATCH) askSoon();
      else timer ??= setTimeout(askSoon, LATER_MS);
    },
  };
};
