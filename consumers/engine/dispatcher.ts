import type { Redis } from "ioredis";
import type { ClaimedEmail, TakenEmail } from "../../database/claim-emails.ts";
import type { Logger } from "../../observability/logger.ts";
import { randomHex, randomTraceContext } from "../../observability/trace-context.ts";
import type { Entry } from "../../stream/entries.ts";
import type { StreamEvent } from "../../stream/event.ts";
import type { Group } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";
import { announceState } from "../../stream/publish.ts";
import { findSentNotes } from "../../stream/sent-note.ts";
import type { Breaker } from "./breaker.ts";
import type { AtCheckpoint } from "./checkpoint.ts";
import { type Delivery, mayStartBody } from "./delivery.ts";
import type { Hands } from "./hands.ts";
import type { Ledger } from "./ledger.ts";
import type { AroundDelivery } from "./observe.ts";
import type { Outcome } from "./outcome.ts";
import { GaveUp, persist } from "./persist.ts";
import type { Settler } from "./settler.ts";
import { sortEntry } from "./sort-entry.ts";

/** What a handler may know while it works. */
export interface HandlerContext {
  /** Aborted: end the try if the body has not begun to go out. */
  readonly signal: AbortSignal;
  /** Asked in the moment before the body goes out; false: it must not. */
  readonly beforeBody: () => boolean;
}

/** Does the work of one event. It knows nothing of Redis, and says what became of it. */
export type Handler = (mail: TakenEmail, context: HandlerContext) => Promise<Outcome>;

export interface DispatcherDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: Group;
  readonly hands: Hands;
  readonly ledger: Ledger;
  readonly settler: Settler;
  readonly handler: Handler;
  readonly breaker: Breaker;
  readonly around: AroundDelivery;
  readonly leaseMs: number;
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly at: AtCheckpoint;
  readonly log: Logger;
}

export interface Dispatcher {
  /**
   * Takes entries from read to move. Returns when the ledger has said whose they are; the tries themselves go on. Aborting
   * the signal gives back what is not claimed yet.
   */
  deliver(entries: readonly Entry[], signal: AbortSignal, progress: () => void): Promise<void>;
}

/** A second entry of an event that this very batch claims looks again after this time, in ms. */
const DUPLICATE_WAIT_MS = 1_000;
/** Deliveries without an outcome: the one after these is a burial. */
const POISON_AFTER = 3;

interface Readable {
  readonly entry: Entry;
  readonly event: StreamEvent;
}

export const createDispatcher = (deps: DispatcherDeps): Dispatcher => {
  const { redis, keys, group, hands, ledger, settler, handler, breaker, around, leaseMs, now, at, log } = deps;

  /** Runs to its end beside the reader. Only a give-up may end it early: then the entry stays pending for a peer. */
  const inBackground = (entry: Entry, work: Promise<void>): void => {
    void work
      .catch((error: unknown) => {
        if (!(error instanceof GaveUp)) log.error({ entry_id: entry.id, error }, "an entry was left to its claim");
      })
      .finally(() => hands.release(entry));
  };

  /** The event of an entry that is this group's and can be read; every other entry is seen off. */
  const readable = (entry: Entry): Readable | undefined => {
    const sorted = sortEntry(group, entry, randomTraceContext(randomHex));
    switch (sorted.kind) {
      case "event":
        return { entry, event: sorted.event };
      case "gone":
        log.warn({ entry_id: entry.id }, "a pending entry's payload is gone; the ledger will bring its mail back");
        inBackground(entry, settler.dismiss(entry));
        return undefined;
      case "foreign":
        log.debug({ entry_id: entry.id, type: sorted.type }, "not an event of this group");
        inBackground(entry, settler.dismiss(entry));
        return undefined;
      case "unreadable":
        bury(entry, sorted.reason, sorted.detail);
        return undefined;
    }
  };

  const bury = (entry: Entry, reason: string, detail: string): void => {
    log.warn({ entry_id: entry.id, reason, detail }, "an entry cannot be read; it becomes a dead letter");
    inBackground(entry, settler.reject(entry, reason, detail));
  };

  const tryMail = async (delivery: Delivery, isNoted: boolean): Promise<Outcome> => {
    const { mail, giveUp, entry } = delivery;
    if (isNoted) return { kind: "sent", reply: "noted before the ledger could be told", messageId: "" };
    if (mail.expired) return { kind: "permanent", reason: "expired", suppressAddress: false };
    // Replies that were lost count as deliveries, too; each consumer that really had the mail raised its fence.
    if (Math.min(entry.deliveries, mail.fence) > POISON_AFTER)
      return { kind: "permanent", reason: "poison", suppressAddress: false };
    try {
      return await Promise.race([
        handler(mail, {
          signal: giveUp.signal,
          beforeBody: () => {
            delivery.bodyStarted = mayStartBody(delivery, now);
            return delivery.bodyStarted;
          },
        }),
        delivery.cutOff.promise,
      ]);
    } catch (error) {
      log.error({ event_id: mail.eventId, error }, "the handler threw; the event is tried again");
      return delivery.bodyStarted
        ? { kind: "uncertain", reason: "handler_error" }
        : { kind: "transient", reason: "handler_error" };
    }
  };

  /**
   * What failed only because the mail system is down goes back unharmed. Not the probe: if it was the mail's own fault,
   * the next probe must be another one.
   */
  const learnFrom = (outcome: Outcome, delivery: Delivery): Outcome => {
    breaker.record(outcome, delivery.event.id);
    if (outcome.kind === "permanent" && delivery.isProbe && breaker.isAccountRefused) {
      // The account is refused, not this mail: a probe must not cost anybody theirs.
      return {
        kind: "system",
        reason: "account_refused",
        ...(outcome.reply === undefined ? {} : { reply: outcome.reply }),
      };
    }
    const isSystems = outcome.kind === "system" && breaker.state === "open" && !delivery.isProbe;
    return isSystems ? { kind: "released", reason: "breaker_open" } : outcome;
  };

  const work = async (delivery: Delivery, isNoted: boolean): Promise<void> => {
    await at("claimed", delivery.event.id);
    const outcome = learnFrom(await tryMail(delivery, isNoted), delivery);
    await at("tried", delivery.event.id);
    log[outcome.kind === "sent" || outcome.kind === "released" ? "info" : "warn"](
      { event_id: delivery.event.id, outcome: outcome.kind, reason: "reason" in outcome ? outcome.reason : undefined },
      "tried",
    );
    await settler.settle(delivery, outcome);
  };

  const start = ({ entry, event }: Readable, mail: TakenEmail, leaseUntil: number, isNoted: boolean): Delivery => {
    const delivery: Delivery = {
      entry,
      event,
      mail,
      giveUp: new AbortController(),
      isProbe: breaker.state !== "closed",
      cutOff: Promise.withResolvers(),
      leaseUntil,
      bodyStarted: false,
      lost: false,
    };
    hands.claimed(delivery);
    announceState(redis, keys.status, event.id, "sending");
    inBackground(
      entry,
      around(delivery, () => work(delivery, isNoted)),
    );
    return delivery;
  };

  /** Undefined when asked to stop before it worked. */
  const unlessStopped = async <Result>(
    what: string,
    action: () => Promise<Result>,
    signal: AbortSignal,
    progress: () => void,
  ): Promise<Result | undefined> => {
    try {
      return await persist(action, { what, log, signal, onFailure: progress });
    } catch (error) {
      if (error instanceof GaveUp) return undefined;
      throw error;
    }
  };

  const notedOf = (claimed: ReadonlyMap<string, ClaimedEmail>): Promise<Set<string>> => {
    const doubtful = [...claimed.values()].flatMap((mail) =>
      mail.kind === "taken" && mail.mayBeSent ? [keys.sent(group.name, mail.eventId)] : [],
    );
    return findSentNotes(redis, doubtful);
  };

  return {
    async deliver(entries, signal, progress) {
      const fresh = entries.filter((entry) => !hands.holds(entry));
      for (const entry of fresh) hands.take(entry);
      const wanted = fresh.flatMap((entry) => readable(entry) ?? []);
      if (wanted.length === 0) return;
      for (const { event } of wanted) await at("read", event.id);

      let leaseUntil = 0;
      const askForAll = () => {
        // Seen from before the question was asked: the ledger's lease begins later.
        leaseUntil = now() + leaseMs;
        return ledger.claim(wanted.map(({ event }) => event));
      };
      const claimed = await unlessStopped("claiming mails in the ledger", askForAll, signal, progress);
      if (claimed === undefined) {
        for (const { entry } of wanted) inBackground(entry, settler.giveBack(entry));
        return;
      }
      const asking = "asking for notes of sent mails";
      const noted = await unlessStopped(asking, () => notedOf(claimed), signal, progress);
      const started = new Set<string>();
      for (const item of wanted) {
        const { entry, event } = item;
        const answer = claimed.get(event.id);
        if (answer === undefined) {
          bury(entry, "malformed", "Postgres refuses one of its values");
        } else if (started.has(event.id)) {
          inBackground(entry, settler.postpone(entry, DUPLICATE_WAIT_MS));
        } else if (answer.kind === "wait") {
          inBackground(entry, settler.postpone(entry, answer.delayMs));
        } else if (answer.kind === "closed") {
          inBackground(entry, settler.complete(entry, event, answer));
        } else {
          started.add(event.id);
          const isNoted = noted?.has(keys.sent(group.name, event.id)) === true;
          const delivery = start(item, answer, leaseUntil, isNoted);
          // Nobody can say whether it was sent before, and we are to stop: a peer will ask.
          if (noted === undefined) delivery.giveUp.abort("stopped");
        }
      }
    },
  };
};
