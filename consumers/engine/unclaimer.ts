import type { Redis } from "ioredis";
import type { UnbegunClaim, Unclaimed } from "../../database/ledger/unclaim.ts";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, pause, startLoop } from "../../runtime/loop.ts";
import { GaveUp } from "../../runtime/persist.ts";
import { enqueueLogged } from "../../stream/enqueue.ts";
import type { Keys } from "../../stream/keys.ts";
import type { Ledger } from "./ledger.ts";

export interface UnclaimerDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly ledger: Pick<Ledger, "unclaim" | "logged">;
  readonly log: Logger;
  /** Monotonic, ms. */
  readonly now: () => number;
}

export interface Unclaimer extends Loop {
  /**
   * Undoes a claim under which nothing was begun here. Resolves when the ledger has answered: then it holds the delivery no more, unless
   * it arrives later.
   *
   * @throws {GaveUp} when the loop ends before that
   */
  undo(eventId: string, token: string): Promise<void>;
  /** Asks for what was never answered, once more and at once: the loop may be in a pause after a failure. For who is about to stop it. */
  askOnceMore(): Promise<void>;
}

/** A claim that may still turn up. */
interface Remembered extends UnbegunClaim {
  readonly since: number;
  dueAt: number;
  readonly answered: PromiseWithResolvers<void>;
  isAnswered: boolean;
  /** Queued again, its delivery has an entry. */
  isPublished: boolean;
}

/** What the ledger is asked for at once, by event. */
type Asked = ReadonlyMap<string, readonly [key: string, each: Remembered]>;

/** So long the ledger is asked for a claim that it does not know; a statement that is under way for longer never arrives. */
const REMEMBERED_MS = 15 * 60_000;
/** Claims that are remembered: a consumer has far fewer in flight. The oldest are forgotten first. */
const MOST = 10_000;
const BATCH = 256;
const LOCKED_WAIT_MS = 250;
const SOONEST_MS = 1_000;
const LATEST_MS = 30_000;

/**
 * How long until a claim that the ledger did not know is asked for again, in ms, by how long ago it was lost. Pure.
 *
 * | lost       | wait | because                                             |
 * | ---------- | ---- | --------------------------------------------------- |
 * | 0          | 1 s  | most that are late are so by seconds                |
 * | 20 s       | 5 s  | a quarter of the time that it has taken             |
 * | 10 min     | 30 s | so long at most a delivery is held in vain          |
 */
export const unclaimWaitMs = (lostMs: number): number => Math.min(LATEST_MS, Math.max(SOONEST_MS, lostMs / 4));

/**
 * Undoes claims of which this process knows that nothing was begun under them: their answers were lost, or their leases ran out before the
 * work's commit point. Only this process knows, so it says so until the delivery is final, or for 15 minutes: a claim that
 * arrives late is undone as well, and what a peer made of one, having taken it over, is taken back. Of who dies before that, it stays in doubt.
 */
export const startUnclaimer = ({ redis, keys, group, ledger, log, now }: UnclaimerDeps): Unclaimer => {
  const remembered = new Map<string, Remembered>();
  let hasEnded = false;
  let wake = () => {};

  const forget = (key: string, each: Remembered): void => {
    remembered.delete(key);
    each.answered.reject(new GaveUp("undoing a claim was given up"));
  };

  /** One claim of an event: a statement changes a row once. */
  const some = (isWanted: (each: Remembered) => boolean): Asked => {
    const found = new Map<string, readonly [string, Remembered]>();
    for (const [key, each] of remembered) {
      if (found.size === BATCH) break;
      if (isWanted(each) && !found.has(each.event_id)) found.set(each.event_id, [key, each]);
    }
    return found;
  };

  const untilDue = async (signal: AbortSignal): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    const soonest = Math.min(...[...remembered.values()].map(({ dueAt }) => dueAt - now()), SOONEST_MS);
    await Promise.race([promise, pause(Math.max(0, soonest), signal)]);
  };

  /** Without an entry the reconciler would publish one, a minute later. */
  const publish = async (unpublished: readonly Remembered[]): Promise<void> => {
    await enqueueLogged(
      redis,
      keys.retriesStream(group),
      await ledger.logged(unpublished.map((each) => each.event_id)),
    );
    for (const each of unpublished) each.isPublished = true;
  };

  const ask = async (asked: Asked): Promise<void> => {
    const claims = [...asked.values()].map(([, { event_id, token }]) => ({ event_id, token }));
    const answers = await ledger.unclaim(claims);
    const unpublished: Remembered[] = [];
    const counts: Partial<Record<Unclaimed, number>> = {};
    for (const { event_id, result, is_final } of answers) {
      const [key, each] = asked.get(event_id) ?? [];
      if (key === undefined || each === undefined) continue;
      counts[result] = (counts[result] ?? 0) + 1;
      // Asked again, it is answered likewise until it is claimed.
      if (result === "requeued" && !each.isPublished) unpublished.push(each);
      const lostMs = now() - each.since;
      each.dueAt = now() + (result === "locked" ? LOCKED_WAIT_MS : unclaimWaitMs(lostMs));
      if (result !== "locked") {
        each.isAnswered = true;
        each.answered.resolve();
      }
      if (is_final || lostMs >= REMEMBERED_MS) forget(key, each);
    }
    const { undone = 0, "taken back": takenBack = 0 } = counts;
    if (undone + takenBack + unpublished.length > 0) {
      log.info(
        { undone, taken_back: takenBack, requeued: unpublished.length },
        "undid claims under which nothing was begun",
      );
    }
    await publish(unpublished);
  };

  const turn = async (signal: AbortSignal): Promise<"again"> => {
    const asked = some(({ dueAt }) => dueAt <= now());
    await (asked.size === 0 ? untilDue(signal) : ask(asked));
    return "again";
  };

  const loop = startLoop({ name: `unclaimer of ${group}`, log, everyMs: 0, turn });
  void loop.done.then(() => {
    hasEnded = true;
    for (const [key, each] of remembered) forget(key, each);
  });

  return {
    ...loop,
    async askOnceMore() {
      const asked = some(({ isAnswered }) => !isAnswered);
      if (asked.size > 0) await ask(asked);
    },
    undo(eventId, token) {
      const key = `${eventId} ${token}`;
      // Two entries of one event were in one claim.
      const known = remembered.get(key);
      if (known !== undefined) {
        known.dueAt = now();
        wake();
        return known.answered.promise;
      }
      const answered = Promise.withResolvers<void>();
      // Whoever does not wait for it need not hear of its end.
      answered.promise.catch(() => {});
      const waiting = { dueAt: now(), answered, isAnswered: false, isPublished: false };
      const each = { event_id: eventId, token, since: now(), ...waiting };
      remembered.set(key, each);
      if (hasEnded) forget(key, each);
      const [oldest] = remembered;
      if (remembered.size > MOST && oldest !== undefined) forget(...oldest);
      wake();
      return answered.promise;
    },
  };
};
