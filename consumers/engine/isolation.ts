import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { claimThese, type Entry } from "../../stream/entries.ts";
import type { Keys } from "../../stream/keys.ts";
import { readSignsOfLife, type SignOfLife } from "../../stream/scripts/beat.ts";
import type { Suspect } from "../../stream/scripts/claim.ts";
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
import { deathsIn, isReserve, nextOfIdle, nextTrial, type TriedSuspect } from "./suspects.ts";

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
  readonly random: () => number;
}

/** What the reader does next: read as usual, wait until nothing is in flight, or deliver these and nothing else. */
export type NextTurn = "read" | "wait" | readonly Entry[];

/** Runs suspects apart from other work (`suspects.ts` has the rules). */
export interface Isolation {
  /** `mayStart`: whether suspects may run now; `isIdle`: the last read found nothing; `admit`: how many of so many may begin. */
  next(
    now: { readonly mayStart: boolean; readonly isIdle: boolean },
    admit: (count: number) => Promise<number>,
  ): Promise<NextTurn>;
  /** Whether there are suspects that an idle consumer may look at now. */
  hasMore(): boolean;
  /** Notes that the work of a suspect begins, and forgets it when it has ended. */
  readonly around: AroundAttempt;
}

/** Suspects whose trials are read at a time. */
const MAX_SUSPECTS = 400;
/** An idle consumer looks at so many for each that it may run: peers may have some of them. */
const LOOKS = 3;

/**
 * Half of its time at most: after the time that it took, a consumer reads as usual for as long, or until it finds nothing. Suspects that have
 * been tried run in one consumer of a group at a time, and so do all while there is other work; idle consumers, but one, run those that have not
 * been tried beside each other. A consumer with other work in flight leaves suspects to its peers for half a threshold, so that an idle one
 * takes them.
 */
export const createIsolation = (deps: IsolationDeps, options: { readonly claimMinIdleMs: number }): Isolation => {
  const { redis, keys, group, consumer, inFlight, claimer, log, now, random } = deps;
  const { claimMinIdleMs } = options;
  const place = keys.isolation(group);
  let state: "none" | "emptying" | "running" = "none";
  let startedAt = 0;
  let restUntil = Number.NEGATIVE_INFINITY;
  /** Not its turn: it looks again then. */
  let againAt = Number.NEGATIVE_INFINITY;
  let holdsPlace = false;
  /** After a trial it reads once, whatever it found before. */
  let mustRead = false;
  let suspectsSince: number | undefined;
  let running = new Map<string, number>();

  const isEmpty = () => inFlight.size() === 0;

  const end = async (): Promise<void> => {
    state = "none";
    running = new Map();
    mustRead = true;
    restUntil = 2 * now() - startedAt;
    if (holdsPlace) await leaveIsolation(redis, place, consumer);
    holdsPlace = false;
  };

  const isDue = (isIdle: boolean): boolean => {
    if (claimer.suspects().length === 0) suspectsSince = undefined;
    else suspectsSince ??= now();
    if (suspectsSince === undefined || now() < againAt || (now() < restUntil && !isIdle)) return false;
    return isEmpty() || now() - suspectsSince >= claimMinIdleMs / 2;
  };

  const readSigns = () => readSignsOfLife(redis, keys.signsOfLife(group));

  const tried = (suspects: readonly Suspect[], signs: readonly SignOfLife[]): Promise<readonly TriedSuspect[]> =>
    Promise.all(
      suspects.map(async (suspect) => {
        const trials = await readTrials(redis, keys.trials(group, suspect.eventId));
        return { ...suspect, deaths: deathsIn(trials, signs, claimMinIdleMs), isTried: trials.length > 0 };
      }),
    );

  const first = async () => tried(claimer.suspects().slice(0, MAX_SUSPECTS), await readSigns());

  const claimThem = async (chosen: readonly TriedSuspect[]): Promise<readonly Entry[]> => {
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

  const run = (entries: readonly Entry[]): NextTurn => {
    log.warn(
      { entry_ids: entries.map(({ id }) => id), deaths_alone: entries.map((entry) => entry.deathsAlone) },
      "suspects run apart",
    );
    running = new Map(entries.map((entry) => [keyOf(entry), entries.length]));
    state = "running";
    return entries;
  };

  /** Some that have not been tried, beside idle peers; undefined: there are none. */
  const runIdle = async (admit: (count: number) => Promise<number>): Promise<NextTurn | undefined> => {
    const all = claimer.suspects();
    const from = Math.min(all.length - 1, Math.floor(random() * all.length));
    const some = [...all.slice(from), ...all.slice(0, from)].slice(0, LOOKS * inFlight.room());
    const signs = await readSigns();
    const fresh = (await tried(some, signs)).filter(({ isTried }) => !isTried);
    if (fresh.length === 0) return undefined;
    if (isReserve(consumer, signs, claimMinIdleMs) && now() - (suspectsSince ?? 0) < claimMinIdleMs) {
      againAt = now() + claimMinIdleMs / 4;
      return "read";
    }
    if (isReserve(consumer, signs, claimMinIdleMs)) return undefined;
    const most = await admit(inFlight.room());
    const total = some.length < all.length ? all.length : fresh.length;
    const entries = most > 0 ? await claimThem(nextOfIdle(fresh, total, most)) : [];
    startedAt = now();
    return entries.length === 0 ? "read" : run(entries);
  };

  return {
    hasMore: () => claimer.suspects().length > 0 && now() >= againAt && isEmpty(),
    async next({ mayStart, isIdle }, admit) {
      if (state === "running" && isEmpty()) await end();
      if (state === "none") {
        if (mustRead) {
          mustRead = false;
          return "read";
        }
        if (!isDue(isIdle) || !mayStart) return "read";
        if (isIdle && isEmpty()) {
          const turn = await runIdle(admit);
          if (turn !== undefined) return turn;
        }
        // Refused, too, while Redis is full: suspects wait, nothing else does.
        if (!(await takeIsolation(redis, place, consumer, claimMinIdleMs).catch(() => false))) {
          againAt = now() + claimMinIdleMs / 4;
          return "read";
        }
        holdsPlace = true;
        // It is not known yet whose death the last one was of any of them: nothing is emptied for that.
        if (nextTrial(await first(), 1).length === 0) {
          againAt = now() + claimMinIdleMs / 4;
          holdsPlace = false;
          await leaveIsolation(redis, place, consumer);
          return "read";
        }
        state = "emptying";
        startedAt = now();
      } else if (holdsPlace) {
        await keepIsolation(redis, place, consumer, claimMinIdleMs);
      }
      if (state === "running" || !isEmpty()) return "wait";
      const most = await admit(inFlight.room());
      const entries = most > 0 ? await claimThem(nextTrial(await first(), most)) : [];
      if (entries.length === 0) {
        await end();
        return "read";
      }
      return run(entries);
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
