import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, pause, startLoop } from "../../runtime/loop.ts";
import type { BlockingReader } from "../../stream/blocking-reader.ts";
import { isMissingGroup } from "../../stream/connection.ts";
import { ensureGroup } from "../../stream/ensure-group.ts";
import { type Entry, readNew } from "../../stream/entries.ts";
import type { Group } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";
import type { Admission } from "./admission.ts";
import type { Breaker } from "./breaker.ts";
import { type Claimer, SUSPECT_DELIVERY } from "./claimer.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { InFlight } from "./in-flight.ts";
import type { Settler } from "./settler.ts";

export interface ReaderDeps {
  readonly redis: Redis;
  readonly blocking: BlockingReader;
  readonly keys: Keys;
  readonly group: Group;
  readonly consumer: string;
  readonly inFlight: InFlight;
  readonly claimer: Claimer;
  readonly dispatcher: Dispatcher;
  readonly breaker: Breaker;
  /** Undefined: unlimited. */
  readonly admission: Admission | undefined;
  readonly settler: Settler;
  /** Asks whether the group is paused. */
  readonly checkPaused: () => Promise<boolean>;
  readonly log: Logger;
  /** Monotonic, ms. */
  readonly now: () => number;
}

export interface Reader extends Loop {
  readonly isPaused: () => boolean;
}

const MAX_BLOCK_MS = 2_000;
const PAUSE_CHECK_MS = 1_000;
const ROOM_WAIT_MS = 1_000;
const BREAKER_CHECK_MS = 100;

/**
 * Reads only as many entries as may be in flight: a backlog stays in the stream, not in one consumer's pending list. Entries
 * of dead peers come first, then due retries, then new entries; it blocks on both streams when both are empty. A missing
 * group or stream is created again.
 */
export const startReader = (deps: ReaderDeps, options: { readonly claimMinIdleMs: number }): Reader => {
  const { redis, blocking, keys, group, consumer, inFlight, claimer, dispatcher, log, now } = deps;
  const { breaker, admission, settler, checkPaused } = deps;
  const retriesStream = keys.retriesStream(group.name);
  const blockMs = Math.min(MAX_BLOCK_MS, Math.ceil(options.claimMinIdleMs / 4));
  let paused = false;
  let hasRead = false;
  let isIdle = true;
  let pauseCheckedAt = Number.NEGATIVE_INFINITY;

  const checkPause = async (): Promise<void> => {
    if (now() - pauseCheckedAt < PAUSE_CHECK_MS) return;
    const before = paused;
    paused = await checkPaused();
    pauseCheckedAt = now();
    if (paused !== before) log.info({}, paused ? "the group is paused" : "the group is resumed");
  };

  const readWhatIsThere = async (room: number): Promise<Entry[]> => {
    const entries = await claimer.claimDue(room);
    for (const stream of [retriesStream, keys.events]) {
      const count = room - entries.length;
      if (count > 0) entries.push(...(await readNew(redis, { group: group.name, consumer, stream, count })));
    }
    return entries;
  };

  const releaseBeyond = (count: number, entries: readonly Entry[]): Entry[] => {
    for (const surplus of entries.slice(count)) void settler.release(surplus).catch(() => {});
    return entries.slice(0, count);
  };

  const waitForEntries = async (room: number, signal: AbortSignal): Promise<Entry[]> => {
    // COUNT is per stream. With room for one, both streams may return one: the second is released.
    const entries = await blocking.read(
      [retriesStream, keys.events],
      Math.max(1, Math.floor(room / 2)),
      blockMs,
      signal,
    );
    return releaseBeyond(room, entries);
  };

  const readUnlimited = async (room: number, signal: AbortSignal): Promise<Entry[]> => {
    const entries = await readWhatIsThere(room);
    return entries.length === 0 && !signal.aborted ? await waitForEntries(room, signal) : entries;
  };

  /** How many entries may be read, at most `room`, by the tokens that those in flight do not need. */
  const admitted = async (room: number, allowed: Admission): Promise<number> => {
    const needed = inFlight.unpaid();
    return Math.max(0, Math.min(room, (await allowed.fill(needed + room)) - needed));
  };

  /**
   * Reads as many entries as there are tokens for. While there is nothing to read, it holds no token that another consumer could
   * use: it waits for one entry without, and takes its token then, or releases it to its peers.
   */
  const readAdmitted = async (room: number, allowed: Admission, signal: AbortSignal): Promise<Entry[]> => {
    if (!isIdle) {
      const count = await admitted(room, allowed);
      if (count === 0) {
        await pause(Math.min(ROOM_WAIT_MS, Math.max(1, allowed.waitMs)), signal);
        return [];
      }
      const entries = await readWhatIsThere(count);
      isIdle = entries.length === 0;
      if (isIdle) await giveBackUnused();
      if (!isIdle || signal.aborted) return entries;
    }
    let entries = await readWhatIsThere(1);
    if (entries.length === 0 && !signal.aborted) entries = await waitForEntries(1, signal);
    isIdle = entries.length === 0;
    // Idle consumers count among those that share the rate.
    if (isIdle) await allowed.fill(inFlight.unpaid());
    return isIdle ? entries : releaseBeyond(await admitted(entries.length, allowed), entries);
  };

  /** While this consumer may not read, its tokens are of use to others only. */
  const giveBackUnused = async () => admission?.giveBack(inFlight.unpaid());

  const isRunningAlone = () => inFlight.entries().some((entry) => entry.deliveries === SUSPECT_DELIVERY);

  const turn = async (signal: AbortSignal, progress: () => void): Promise<"again" | "idle"> => {
    await checkPause();
    if (paused) {
      await giveBackUnused();
      await pause(PAUSE_CHECK_MS, signal);
      return "again";
    }
    if (isRunningAlone() || (claimer.suspectsWait() && inFlight.entries().length > 0)) {
      await inFlight.untilEmpty(ROOM_WAIT_MS);
      return "again";
    }
    if (claimer.suspectsWait()) {
      if (admission !== undefined && (await admitted(1, admission)) === 0) {
        await pause(Math.min(ROOM_WAIT_MS, Math.max(1, admission.waitMs)), signal);
        return "again";
      }
      const suspect = await claimer.claimSuspect();
      await dispatcher.deliver(suspect === undefined ? [] : [suspect], signal, progress);
      return "again";
    }
    const room = Math.min(inFlight.room(), breaker.allowance() - inFlight.entries().length);
    if (room <= 0) {
      // Wakes up when an attempt ends, and at intervals, because the breaker may allow more.
      if (inFlight.room() === 0) await Promise.race([inFlight.untilRoom(signal), pause(ROOM_WAIT_MS, signal)]);
      else {
        await giveBackUnused();
        await pause(BREAKER_CHECK_MS, signal);
      }
      return "again";
    }
    const entries = await (admission === undefined
      ? readUnlimited(room, signal)
      : readAdmitted(room, admission, signal));
    await dispatcher.deliver(entries, signal, progress);
    return "again";
  };

  const loop = startLoop({
    name: `reader of ${group.name}`,
    log,
    everyMs: 0,
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
