import { type Loop, type Progress, pause, startLoop } from "../../runtime/loop.ts";
import { isMissingGroup } from "../../stream/connection.ts";
import { ensureGroup } from "../../stream/ensure-group.ts";
import type { Entry } from "../../stream/entries.ts";
import type { Admission } from "./admission.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { InFlight } from "./in-flight.ts";
import type { Isolation } from "./isolation.ts";
import type { LookAhead } from "./look-ahead.ts";
import type { Probes } from "./probes.ts";
import { createStreamReads, type Room, type StreamReadsDeps } from "./read-streams.ts";

export interface ReaderDeps extends Omit<StreamReadsDeps, "blockMs"> {
  readonly inFlight: InFlight;
  readonly isolation: Isolation;
  readonly dispatcher: Dispatcher;
  readonly lookAhead: Pick<LookAhead<unknown>, "kept" | "isOverdue" | "mayAttempt" | "reads">;
  readonly admission: Admission;
  readonly probes: Pick<Probes, "ask">;
  /** Asks whether the group is paused. */
  readonly checkPaused: () => Promise<boolean>;
  /** Asks which rate an operator ordered; undefined: none. */
  readonly checkRate: () => Promise<number | undefined>;
  /** Monotonic, ms. */
  readonly now: () => number;
}

export interface ReaderOptions {
  readonly claimMinIdleMs: number;
  /** Maximum entries in flight that were read. */
  readonly concurrency: number;
}

export interface Reader extends Loop {
  readonly isPaused: () => boolean;
}

const MAX_BLOCK_MS = 2_000;
const PAUSE_CHECK_MS = 1_000;
const RATE_CHECK_MS = 2_000;
const ROOM_WAIT_MS = 1_000;
const BREAKER_CHECK_MS = 100;
/** Until new entries are looked for while others are kept, and none of them may be attempted. */
const KEPT_CHECK_MS = 50;

/** What a turn has read, and how many of it may be attempted, beside those of dead consumers. */
interface Found {
  readonly entries: readonly Entry[];
  readonly most: number;
}

/**
 * Reads only as many entries as may be in flight: a backlog stays in the stream, not in one consumer's pending list. New
 * entries are half of what it takes while some wait; the other half are entries of dead peers, and retries and what was
 * brought back (`shares.ts`). It blocks on both streams when both are empty. A missing group or stream is created again.
 */
export const startReader = (deps: ReaderDeps, { claimMinIdleMs, concurrency }: ReaderOptions): Reader => {
  const { redis, keys, group, inFlight, claimer, isolation, dispatcher, log, now } = deps;
  const { breaker, lookAhead, admission, probes, gatherer, checkPaused, checkRate } = deps;
  const blockMs = Math.min(MAX_BLOCK_MS, Math.ceil(claimMinIdleMs / 4));
  let paused = false;
  let hasRead = false;
  let isIdle = true;
  let foundNothing = true;
  let pauseCheckedAt = Number.NEGATIVE_INFINITY;
  let rateCheckedAt = Number.NEGATIVE_INFINITY;

  const checkPause = async (): Promise<void> => {
    if (now() - pauseCheckedAt < PAUSE_CHECK_MS) return;
    const before = paused;
    paused = await checkPaused();
    pauseCheckedAt = now();
    if (paused !== before) log.info({}, paused ? "the group is paused" : "the group is resumed");
  };

  const followRate = async (): Promise<void> => {
    if (now() - rateCheckedAt < RATE_CHECK_MS) return;
    admission.follow(await checkRate());
    rateCheckedAt = now();
  };

  const roomNow = (): Room => {
    const [reads, claims] = [inFlight.room(), inFlight.claimRoom()];
    const held = inFlight.size();
    const allowance = breaker.allowance();
    // The allowance may fall below what is in flight.
    const left = (running: number) => Math.max(0, allowance - running);
    if (breaker.state === "closed") return { reads: Math.min(reads, left(held - (concurrency - claims))), claims };
    return { reads: Math.min(reads, left(held)), claims: Math.min(claims, left(held)) };
  };

  const { readWhatIsThere, waitForEntries, releaseBeyond } = createStreamReads({ ...deps, blockMs }, { concurrency });

  const readUnlimited = async (room: Room, signal: AbortSignal): Promise<Found> => {
    const entries = await readWhatIsThere(room.reads + room.claims, room);
    const mayWait = entries.length === 0 && room.reads > 0 && !signal.aborted && !isolation.hasMore();
    return { entries: mayWait ? await waitForEntries(room.reads, signal) : entries, most: room.reads };
  };

  /** How many entries may be read, at most `room`, by the tokens that those in flight do not need. */
  const admitted = async (room: number): Promise<number> => {
    const needed = inFlight.unpaid();
    return Math.max(0, Math.min(room, (await admission.fill(needed + room)) - needed));
  };

  /**
   * Reads as many entries as there are tokens for. While there is nothing to read, it holds no token that another consumer could
   * use: it waits for one entry without, and takes its token then, or releases it to its peers.
   */
  const readAdmitted = async (room: Room, signal: AbortSignal): Promise<Found> => {
    if (!isIdle || room.reads <= 0) {
      const most = await admitted(Math.max(1, room.reads));
      if (most === 0) {
        await pause(Math.min(ROOM_WAIT_MS, Math.max(1, admission.waitMs)), signal);
        return { entries: [], most };
      }
      const entries = await readWhatIsThere(most, room);
      if (room.reads <= 0) return foundWithin(most, room, entries);
      isIdle = entries.length === 0;
      if (isIdle) await giveBackUnused();
      if (!isIdle || signal.aborted) return foundWithin(most, room, entries);
    }
    let entries = await readWhatIsThere(1, room);
    if (entries.length === 0 && !signal.aborted) entries = await waitForEntries(1, signal);
    isIdle = entries.length === 0;
    // Idle consumers count among those that share the rate.
    if (isIdle) await admission.fill(inFlight.unpaid());
    const most = isIdle ? 0 : await admitted(1);
    return foundWithin(most, room, most === 0 ? releaseBeyond(0, entries, signal) : entries);
  };

  /** What there is beside those that are kept: to wait for more would have these wait. */
  const readBesideKept = async (room: Room, signal: AbortSignal): Promise<Found> => {
    const most = admission.isLimited ? await admitted(room.reads) : room.reads;
    const entries = most > 0 ? await readWhatIsThere(most + (admission.isLimited ? 0 : room.claims), room) : [];
    const mayGoOn = entries.length > 0 || lookAhead.mayAttempt(most) || lookAhead.isOverdue();
    if (!mayGoOn) await inFlight.untilOneEnds(most > 0 ? KEPT_CHECK_MS : Math.max(1, admission.waitMs), signal);
    return admission.isLimited ? foundWithin(most, room, entries) : { entries, most };
  };

  /** Each of dead consumers has one of the tokens, too. */
  const foundWithin = (most: number, room: Room, entries: readonly Entry[]): Found => {
    const takenOver = entries.filter(({ isTakenOver }) => isTakenOver).length;
    return { entries, most: Math.max(0, Math.min(room.reads, most - takenOver)) };
  };

  /** While this consumer may not read, its tokens are of use to others only. */
  const giveBackUnused = () => admission.giveBack(inFlight.unpaid());

  /** How many suspects may begin now, at most `count`: they wait for breaker and budget like others. */
  const admitSuspects = async (count: number): Promise<number> => {
    const allowed = Math.min(count, breaker.allowance());
    return allowed <= 0 ? allowed : admitted(allowed);
  };

  const turn = async (signal: AbortSignal, progress: Progress): Promise<"again" | "idle"> => {
    await checkPause();
    breaker.closeIfFull();
    // Others may have a use for what is kept.
    if (paused || breaker.allowance() === 0) await dispatcher.letGo(signal, progress);
    if (paused) {
      await giveBackUnused();
      await pause(PAUSE_CHECK_MS, signal);
      return "again";
    }
    await followRate();
    await probes.ask();
    // A suspect is the last choice for a probe.
    const next = await isolation.next(
      { mayStart: breaker.state === "closed" || foundNothing, isIdle: foundNothing },
      admitSuspects,
    );
    if (next === "wait") {
      // Suspects are tried, and nothing else begins here meanwhile.
      await dispatcher.letGo(signal, progress);
      await inFlight.untilEmpty(ROOM_WAIT_MS);
      return "again";
    }
    if (next !== "read") {
      // Nothing beside them.
      await dispatcher.deliver(next, signal, progress, 0);
      return "again";
    }
    const { waitMs, enough } = gatherer.hands(inFlight.room());
    if (waitMs > 0 && inFlight.room() > 0) await inFlight.untilRoom(enough, waitMs, signal);
    const room = roomNow();
    if (room.reads <= 0 && (room.claims <= 0 || !claimer.isDue())) {
      // Wakes up when an attempt ends, and at intervals, because a scan may be due, or the breaker allow more.
      if (inFlight.room() === 0) await inFlight.untilRoom(1, blockMs, signal);
      else {
        await giveBackUnused();
        await inFlight.untilOneEnds(BREAKER_CHECK_MS, signal);
      }
      if (lookAhead.isOverdue()) await dispatcher.deliver([], signal, progress, 0);
      return "again";
    }
    const isKeeping = lookAhead.kept() > 0 && room.reads > 0;
    const readNow = isKeeping ? readBesideKept : admission.isLimited ? readAdmitted : readUnlimited;
    const found = await readNow(room, signal);
    const entries = await claimer.setSuspectsAside(found.entries);
    foundNothing = entries.length === 0;
    await dispatcher.deliver(entries, signal, progress, found.most);
    return "again";
  };

  const loop = startLoop({
    name: `reader of ${group.name}`,
    log,
    everyMs: 0,
    needs: redis,
    turn: async (signal, progress) => {
      try {
        const next = await turn(signal, progress);
        hasRead = true;
        return next;
      } catch (error) {
        if (!isMissingGroup(error)) throw error;
        const made = await ensureGroup(redis, keys, group);
        // Missing before the first read, it is new.
        const words = hasRead ? "was missing and is created again" : "was missing and is created";
        if (made > 0) log[hasRead ? "warn" : "info"]({ made }, `the group ${words}, from the beginning`);
        return "again";
      }
    },
  });
  return { ...loop, isPaused: () => paused };
};
