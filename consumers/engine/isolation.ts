import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { jitteredMs } from "../../runtime/backoff.ts";
import { claimThese, type Entry } from "../../stream/entries.ts";
import type { Keys } from "../../stream/keys.ts";
import { readSignsOfLife, type SignOfLife } from "../../stream/scripts/beat.ts";
import type { Suspect } from "../../stream/scripts/claim.ts";
import {
  endRunning,
  forgetTrials,
  isRunning,
  keepIsolation,
  leaveIsolation,
  noteTrial,
  readTrials,
  sayRunning,
  takeIsolation,
} from "../../stream/trials.ts";
import type { AroundAttempt } from "./attempt.ts";
import type { Claimer } from "./claimer.ts";
import { type InFlight, keyOf } from "./in-flight.ts";
import { asKnownTo, deathsIn, leavesOneFree, nextOfIdle, nextTrial, type TriedSuspect } from "./suspects.ts";

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
 * been tried run in one consumer of a group at a time, and so do all while there is other work; idle consumers run those that have not been
 * tried beside each other, while one peer at least runs none. A consumer with other work in flight leaves suspects to its peers for half a threshold, so that an idle one
 * takes them.
 */
export const createIsolation = (deps: IsolationDeps, options: { readonly claimMinIdleMs: number }): Isolation => {
  const { redis, keys, group, consumer, inFlight, claimer, log, now, random } = deps;
  const { claimMinIdleMs } = options;
  const place = keys.isolation(group);
  const own = keys.running(group, consumer);
  let state: "none" | "emptying" | "running" = "none";
  let startedAt = 0;
  let restUntil = Number.NEGATIVE_INFINITY;
  /** Not its turn: it looks again then. */
  let againAt = Number.NEGATIVE_INFINITY;
  let holdsPlace = false;
  let suspectsSince: number | undefined;
  let running = new Map<string, number>();

  const isEmpty = () => inFlight.size() === 0;

  const leave = async (): Promise<void> => {
    const leaving = [endRunning(redis, own), ...(holdsPlace ? [leaveIsolation(redis, place, consumer)] : [])];
    holdsPlace = false;
    await Promise.all(leaving);
  };

  const end = async (): Promise<void> => {
    state = "none";
    running = new Map();
    restUntil = 2 * now() - startedAt;
    await leave();
  };

  /** Not its turn: with jitter, so that two do not see each other again and again. */
  const lookAgainLater = (): void => {
    againAt = now() + claimMinIdleMs / 8 + jitteredMs(claimMinIdleMs / 8, random);
  };

  /** Said first, asked then: of two that begin at the same time, one sees the other at least. Refused while Redis is full: suspects wait, nothing else does. */
  const mayBegin = async (signs: readonly SignOfLife[]): Promise<boolean> => {
    try {
      await sayRunning(redis, own, claimMinIdleMs);
    } catch {
      return false;
    }
    const names = signs.map((sign) => sign.consumer);
    const are = await Promise.all(names.map((name) => isRunning(redis, keys.running(group, name))));
    return leavesOneFree(consumer, signs, new Set(names.filter((_, at) => are[at])), claimMinIdleMs);
  };

  const isDue = (isIdle: boolean): boolean => {
    if (claimer.suspects().length === 0) suspectsSince = undefined;
    else suspectsSince ??= now();
    if (suspectsSince === undefined || now() < againAt || (now() < restUntil && !isIdle)) return false;
    return isEmpty() || now() - suspectsSince >= claimMinIdleMs / 2;
  };

  const readSigns = async () => asKnownTo(consumer, await readSignsOfLife(redis, keys.signsOfLife(group)));

  const tried = (suspects: readonly Suspect[], signs: readonly SignOfLife[]): Promise<readonly TriedSuspect[]> =>
    Promise.all(
      suspects.map(async (suspect) => {
        const trials = await readTrials(redis, keys.trials(group, suspect.eventId));
        return { ...suspect, deaths: deathsIn(trials, signs, claimMinIdleMs), isTried: trials.length > 0 };
      }),
    );

  const first = (signs: readonly SignOfLife[]) => tried(claimer.suspects().slice(0, MAX_SUSPECTS), signs);

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
    if (!(await mayBegin(signs))) {
      await leave();
      lookAgainLater();
      return "read";
    }
    const most = await admit(inFlight.room());
    const total = some.length < all.length ? all.length : fresh.length;
    const entries = most > 0 ? await claimThem(nextOfIdle(fresh, total, most)) : [];
    startedAt = now();
    if (entries.length > 0) return run(entries);
    await leave();
    return "read";
  };

  return {
    hasMore: () => claimer.suspects().length > 0 && now() >= againAt && isEmpty(),
    async next({ mayStart, isIdle }, admit) {
      if (state === "running" && isEmpty()) {
        await end();
        // Whatever it found before.
        return "read";
      }
      if (state === "none") {
        if (!isDue(isIdle) || !mayStart) return "read";
        if (isIdle && isEmpty()) {
          const turn = await runIdle(admit);
          if (turn !== undefined) return turn;
        }
        // Refused, too, while Redis is full.
        holdsPlace = await takeIsolation(redis, place, consumer, claimMinIdleMs).catch(() => false);
        const signs = holdsPlace ? await readSigns() : [];
        // It may not be known yet whose death the last one was of any of them: nothing is emptied for that.
        const isTime = holdsPlace && nextTrial(await first(signs), 1).length > 0 && (await mayBegin(signs));
        if (!isTime) {
          if (holdsPlace) await leave();
          lookAgainLater();
          return "read";
        }
        state = "emptying";
        startedAt = now();
      } else {
        const keeping = holdsPlace ? [keepIsolation(redis, place, consumer, claimMinIdleMs)] : [];
        await Promise.all([sayRunning(redis, own, claimMinIdleMs).catch(() => {}), ...keeping]);
      }
      if (state === "running" || !isEmpty()) return "wait";
      const most = await admit(inFlight.room());
      const entries = most > 0 ? await claimThem(nextTrial(await first(await readSigns()), most)) : [];
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
