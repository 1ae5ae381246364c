import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { claimThese, type Entry } from "../../stream/entries.ts";
import type { Keys } from "../../stream/keys.ts";
import { readSignsOfLife } from "../../stream/scripts/beat.ts";
import {
  forgetTrials,
  keepIsolation,
  leaveIsolation,
  noteTrial,
  readTrials,
  takeIsolation,
} from "../../stream/trials.ts";
import type { AroundAttempt } from "./attempt.ts";
import type { Claimer } from "./claimer.ts";
import { type InFlight, keyOf } from "./in-flight.ts";
import { deathsIn, nextTrial, type TriedSuspect } from "./suspects.ts";

export interface IsolationDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly consumer: string;
  readonly inFlight: InFlight;
  readonly claimer: Claimer;
  readonly log: Logger;
  /** Monotonic, ms. */
  readonly now: () => number;
}

/** What the reader does next: read as usual, wait until nothing is in flight, or deliver these and nothing else. */
export type NextTurn = "read" | "wait" | readonly Entry[];

/** Runs suspects apart from other work (`suspects.ts` has the rules). */
export interface Isolation {
  /** `mayStart`: whether suspects may run now; `admit`: how many of so many may begin. */
  next(mayStart: boolean, admit: (count: number) => Promise<number>): Promise<NextTurn>;
  /** Notes that the work of a suspect begins, and forgets it when it has ended. */
  readonly around: AroundAttempt;
}

/** Suspects whose trials are read at a time. */
const MAX_SUSPECTS = 400;

/**
 * One consumer of a group at a time, half of its time at most: after the time that it took, it reads as usual for as long. A
 * consumer with other work in flight leaves suspects to its peers for half a threshold, so that an idle one takes them.
 */
export const createIsolation = (deps: IsolationDeps, options: { readonly claimMinIdleMs: number }): Isolation => {
  const { redis, keys, group, consumer, inFlight, claimer, log, now } = deps;
  const { claimMinIdleMs } = options;
  const place = keys.isolation(group);
  let state: "none" | "emptying" | "running" = "none";
  let startedAt = 0;
  let restUntil = Number.NEGATIVE_INFINITY;
  let suspectsSince: number | undefined;
  let running = new Map<string, number>();

  const isEmpty = () => inFlight.size() === 0;

  const end = async (): Promise<void> => {
    state = "none";
    running = new Map();
    restUntil = 2 * now() - startedAt;
    await leaveIsolation(redis, place, consumer);
  };

  const isDue = (): boolean => {
    if (claimer.suspects().length === 0) suspectsSince = undefined;
    else suspectsSince ??= now();
    if (suspectsSince === undefined || now() < restUntil) return false;
    return isEmpty() || now() - suspectsSince >= claimMinIdleMs / 2;
  };

  const tried = async (): Promise<readonly TriedSuspect[]> => {
    const suspects = claimer.suspects().slice(0, MAX_SUSPECTS);
    const signs = await readSignsOfLife(redis, keys.signsOfLife(group));
    return Promise.all(
      suspects.map(async (suspect) => {
        const trials = await readTrials(redis, keys.trials(group, suspect.eventId));
        return { ...suspect, deaths: deathsIn(trials, signs, claimMinIdleMs) };
      }),
    );
  };

  const claimTrial = async (most: number): Promise<readonly Entry[]> => {
    const chosen = nextTrial(await tried(), most);
    const entries: Entry[] = [];
    for (const [stream, suspects] of Map.groupBy(chosen, (suspect) => suspect.stream)) {
      const ids = suspects.map(({ id }) => id);
      const args = { group, consumer, stream, minIdleMs: claimMinIdleMs };
      for (const entry of await claimThese(redis, args, ids)) {
        const deathsAlone = suspects.find(({ id }) => id === entry.id)?.deaths.alone ?? 0;
        entries.push({ ...entry, deathsAlone });
      }
    }
    claimer.forgetSuspects(chosen);
    return entries;
  };

  return {
    async next(mayStart, admit) {
      if (state === "running" && isEmpty()) await end();
      if (state === "none") {
        if (!isDue() || !mayStart) return "read";
        // Refused, too, while Redis is full: suspects wait, nothing else does.
        if (!(await takeIsolation(redis, place, consumer, claimMinIdleMs).catch(() => false))) {
          restUntil = now() + claimMinIdleMs / 4;
          return "read";
        }
        // It is not known yet whose death the last one was of any of them: nothing is emptied for that.
        if (nextTrial(await tried(), 1).length === 0) {
          restUntil = now() + claimMinIdleMs / 4;
          await leaveIsolation(redis, place, consumer);
          return "read";
        }
        state = "emptying";
        startedAt = now();
      } else {
        await keepIsolation(redis, place, consumer, claimMinIdleMs);
      }
      if (state === "running" || !isEmpty()) return "wait";
      const most = await admit(inFlight.room());
      const entries = most > 0 ? await claimTrial(most) : [];
      if (entries.length === 0) {
        await end();
        return "read";
      }
      log.warn(
        { entry_ids: entries.map(({ id }) => id), deaths_alone: entries.map((entry) => entry.deathsAlone) },
        "suspects run apart",
      );
      running = new Map(entries.map((entry) => [keyOf(entry), entries.length]));
      state = "running";
      return entries;
    },
    async around(attempt, work) {
      const size = running.get(keyOf(attempt.entry));
      if (size === undefined) return work();
      const key = keys.trials(group, attempt.event.id);
      try {
        await noteTrial(redis, key, { consumer, size });
      } catch (error) {
        log.warn({ error }, "the trial of a suspect could not be noted; its consumer's death would not count");
      }
      await work();
      await forgetTrials(redis, key).catch(() => {});
    },
  };
};
