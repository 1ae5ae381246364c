import type { Redis } from "ioredis";
import type { ClaimedDelivery } from "../../database/ledger/claim.ts";
import { isUuid } from "../../database/uuid.ts";
import type { Logger } from "../../observability/logger.ts";
import { randomHex, randomTraceContext } from "../../observability/trace-context.ts";
import type { CallWatch } from "../../runtime/call-watch.ts";
import { persist } from "../../runtime/persist.ts";
import { isMissingGroup } from "../../stream/connection.ts";
import { noteDone } from "../../stream/done-note.ts";
import { ensureGroup } from "../../stream/ensure-group.ts";
import { type Entry, fieldsOf, heldEntry } from "../../stream/entries.ts";
import { createEntryMoves } from "../../stream/entry-moves.ts";
import { decodeEvent, type StreamEvent } from "../../stream/events/envelope.ts";
import type { Group } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";
import { deadLetter, type NewLetter } from "../../stream/scripts/dead-letter.ts";
import { releaseEntries } from "../../stream/scripts/release.ts";
import type { AtCheckpoint } from "./checkpoint.ts";
import { type Decision, decide, type RetryPolicy } from "./decide.ts";
import {
  dueOf,
  unreachedOf,
  withCrashes,
  withDecline,
  withFailure,
  withoutAnAttempt,
  withPass,
  withUnreached,
} from "./failure-fields.ts";
import type { Outcome } from "./handler.ts";
import type { RunningAttempt } from "./in-flight.ts";
import type { Ledger } from "./ledger.ts";
import type { UnreadableEntry } from "./sort-entry.ts";
import type { Unclaimer } from "./unclaimer.ts";

/*
 * The order of writes: always the ledger first, then Redis. If the process dies between two writes, the next owner finds:
 *
 * | transition  | order of writes                                | after a crash the next owner finds                       |
 * | ----------- | ---------------------------------------------- | -------------------------------------------------------- |
 * | deliver     | XREADGROUP; ledger `active`                    | a pending entry, `queued`: claims it, works              |
 * | work        | up to the commit point; the effect; ledger     | `active`, lease over: uncertain, the policy decides (or  |
 * |             | `done`; XACK                                   | once more, if idempotent). After the ledger: `done`, acks |
 * | ledger away | `sent:` key; ledger, again and again (entry    | `active`, lease over, but the key notes that it is done: |
 * |             | kept and renewed); XACK                        | records it, does nothing                                 |
 * | retry       | ledger `retrying`, next_try_at; script         | pending, not due: puts it into the retry set             |
 * | dead-letter | ledger `dead`; script                          | pending, `dead`: completes the dead letter, once         |
 * | unreadable, | ledger `dead`, if the log has it so; script    | pending, `dead`: cannot read it either; one dead letter  |
 * | not bound   |                                                |                                                          |
 * | release     | ledger `queued`; script: XACK, XADD to retries | pending, `queued`: claims it, works                      |
 * | pass over   | ledger `published_at`; script                  | pending, `queued`: claims it, works                      |
 * | promote     | one script: XADD to retries, ZREM              | nothing: it is atomic                                    |
 * | skip, or    | one script: ZADD, XGROUP SETID (`skipper.ts`)  | nothing: it is atomic                                    |
 * | first delay |                                                |                                                          |
 *
 * Every row is a test that stops a consumer at that checkpoint.
 */

export interface SettlerDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: Group;
  readonly consumer: string;
  readonly ledger: Ledger;
  readonly unclaimer: Pick<Unclaimer, "undo">;
  /** Tells of moves that Redis refuses or does not answer: nothing else may find out. */
  readonly watch: Pick<CallWatch, "watched">;
  /** Tells live pages of a new state. */
  readonly publishState: (eventId: string, state: string) => void;
  /** An entry is in the retry set, and due in so many ms. */
  readonly onDelayed: (delayMs: number) => void;
  readonly policy: RetryPolicy;
  readonly random: () => number;
  readonly wallClock: () => Date;
  readonly at: AtCheckpoint;
  readonly log: Logger;
  /** Aborted when the process must end: retries stop, and what is left stays pending. */
  readonly abandon: AbortSignal;
}

/** An entry that is not attempted now, and when it comes back. */
export interface PassedOver {
  readonly entry: Entry;
  /** 0: there was only no room for it here; it comes back as it was. */
  readonly delayMs: number;
}

/** How long a store is waited for. */
export interface Patience {
  readonly signal: AbortSignal;
  /** Called after each failure. */
  readonly progress: (error?: unknown) => void;
}

export interface Settler {
  /** Records an outcome and moves the entry. Resolves when both are done, or when the delivery has another owner. */
  settle(attempt: RunningAttempt, outcome: Outcome): Promise<void>;
  /** Completes the move of an entry whose delivery is closed: its last owner may have died before it. */
  complete(entry: Entry, eventId: string, closed: Extract<ClaimedDelivery, { kind: "closed" }>): Promise<void>;
  /** Delays an entry that is not due; no counter changes. */
  delay(entry: Entry, delayMs: number): Promise<void>;
  /** Dead-letters an entry that cannot be read; its delivery, if the log has the same event, becomes `dead`. */
  reject(entry: Entry, fault: UnreadableEntry): Promise<void>;
  /** Acks an entry whose payload was trimmed. */
  dismiss(entry: Entry): Promise<void>;
  /** Acks an entry of a type that the group does not bind to; dead-letters it if the group has a delivery of it. */
  pass(entry: Entry): Promise<void>;
  /** Releases an entry unchanged. */
  release(entry: Entry): Promise<void>;
  /** Delays entries that are not attempted now; gives up when the signal is aborted: then they stay pending. */
  passOver(entries: readonly PassedOver[], patience: Patience): Promise<void>;
}

/** Delay of an entry whose delivery was not ours to settle, in ms. */
const NOT_OURS_WAIT_MS = 1_000;
/** Reason of a delivery whose event's type the group does not bind to. */
const NOT_BOUND = "not_bound";

const eventOf = ({ raw }: Entry): StreamEvent | undefined => {
  const decoded = decodeEvent(fieldsOf(raw ?? []), randomTraceContext(randomHex));
  return decoded.kind === "event" ? decoded.event : undefined;
};

export const createSettler = (deps: SettlerDeps): Settler => {
  const { redis, keys, group, consumer, ledger, unclaimer, watch, publishState, onDelayed } = deps;
  const { policy, random, wallClock, at, log, abandon } = deps;
  const retriesStream = keys.retriesStream(group.name);
  const moves = createEntryMoves(redis, { group: group.name, consumer, retrySet: keys.retrySet(group.name) });
  const deadKeys = { dead: keys.dead(group.name), deadIndex: keys.deadIndex(group.name) };
  const held = (entry: Entry) => heldEntry(entry, group.name, consumer);

  /**
   * Each kind of move has a name of its own: Redis may refuse one and not another. A group that was destroyed lost its pending list: it is created again,
   * and the reconciler queues unfinished work.
   */
  const mover = (doing: string) => {
    const watched = watch.watched(`${doing} in Redis`, async (action: () => Promise<unknown>) => {
      try {
        await action();
      } catch (error) {
        if (!isMissingGroup(error)) throw error;
        await ensureGroup(redis, keys, group);
      }
    });
    const options = { what: `${doing} an entry`, log, signal: abandon };
    return (action: () => Promise<unknown>): Promise<void> => persist(() => watched(action), options);
  };
  const move = {
    ack: mover("acking"),
    delay: mover("delaying"),
    deadLetter: mover("dead-lettering"),
    release: mover("releasing"),
  };

  const ack = (entry: Entry) => move.ack(() => moves.acknowledge(entry));

  const toDeadLetter = (
    entry: Entry,
    letter: Pick<NewLetter, "eventId" | "indexed" | "reason" | "detail" | "attempts">,
  ): Promise<void> => {
    const nowIso = wallClock().toISOString();
    const raw = entry.raw ?? [];
    return move.deadLetter(() =>
      deadLetter(redis, held(entry), deadKeys, {
        ...letter,
        firstFailureAt: fieldsOf(raw)["firstfailure"] ?? nowIso,
        lastFailureAt: nowIso,
        fields: raw,
      }),
    );
  };

  const record = ({ claim, event }: RunningAttempt, decision: Decision): Promise<boolean> => {
    const settlement = { ...decision.ledger, event_id: event.id, fence: claim.fence };
    const isDone = decision.ledger.state === "done";
    let noted = false;
    return persist(() => ledger.settle(settlement), {
      what: `recording ${decision.ledger.state} in the ledger`,
      log,
      signal: abandon,
      onFailure: async () => {
        if (!isDone || noted) return;
        noted = await noteDone(redis, keys.sent(group.name, event.id)).catch(() => false);
        if (noted) await at("noted", event.id);
      },
    });
  };

  const toRetrySet = (entry: Entry, delayMs: number, fields: readonly string[]): Promise<void> =>
    move.delay(async () => {
      await moves.delay(entry, delayMs, fields);
      onDelayed(delayMs);
    });

  const delay = (entry: Entry, delayMs: number): Promise<void> =>
    toRetrySet(entry, delayMs, withCrashes(entry.raw ?? [], entry.deliveries));

  /** Else its delivery would stay open, and the reconciler bring it back for ever. */
  const refuse = async ({ id, type, data }: StreamEvent, reason: string): Promise<boolean> => {
    const isDead = await persist(() => ledger.refuse({ event_id: id, type, data }, reason), {
      what: "closing the delivery of an event that the group does not handle",
      log,
      signal: abandon,
    });
    if (isDead) await at("recorded", id);
    if (isDead) publishState(id, "dead");
    return isDead;
  };

  const moveOn = ({ entry, event, claim, ...asked }: RunningAttempt, decision: Decision): Promise<void> => {
    const { move: next, ledger: written } = decision;
    const attempts = claim.attempts + written.attempts;
    switch (next.kind) {
      case "ack":
        return ack(entry);
      case "delay": {
        const raw = entry.raw ?? [];
        const nowIso = wallClock().toISOString();
        if (next.isUnreached === true) return toRetrySet(entry, next.delayMs, withUnreached(raw, nowIso));
        const isTried = written.attempts + written.system_failures > 0;
        const failure = { attempts, at: nowIso, reason: written.reason ?? written.state };
        if (next.isDeclined === true) {
          const declined = { askedAtMs: asked.askedAtMs, since: asked.allDeclinedSinceMs };
          return toRetrySet(entry, next.delayMs, withDecline(raw, failure, declined));
        }
        return toRetrySet(entry, next.delayMs, isTried ? withFailure(raw, failure) : withoutAnAttempt(raw));
      }
      case "dead-letter":
        return toDeadLetter(entry, {
          eventId: event.id,
          indexed: true,
          reason: next.reason,
          detail: next.detail,
          attempts,
        });
      case "release":
        return release(entry);
    }
  };

  const release = (entry: Entry): Promise<void> =>
    move.release(() =>
      releaseEntries(redis, { stream: entry.stream, group: group.name, consumer }, retriesStream, [entry.id]),
    );

  return {
    release,
    async passOver(passed, { signal, progress }) {
      const eventIds = passed.flatMap(({ entry }) => fieldsOf(entry.raw ?? [])["id"] ?? []).filter(isUuid);
      const what = "passing over entries in the ledger";
      await persist(() => ledger.requeued(eventIds), { what, log, signal, onFailure: progress });
      const fieldsAfter = ({ entry, delayMs }: PassedOver) =>
        (delayMs > 0 ? withPass : withCrashes)(entry.raw ?? [], entry.deliveries);
      await Promise.all(passed.map((each) => toRetrySet(each.entry, each.delayMs, fieldsAfter(each))));
    },
    dismiss: ack,
    async settle(attempt, outcome) {
      const { entry, event, claim } = attempt;
      const earlyMs = Math.max(0, dueOf(entry.raw) - wallClock().getTime());
      const decision = decide(outcome, { ...claim, unreached: unreachedOf(entry.raw), earlyMs }, policy, random);
      const recorded = await record(attempt, decision);
      if (!recorded && outcome.kind !== "done") {
        // Another claim owns the delivery, and with it the entry.
        log.info({ event_id: event.id, outcome: outcome.kind }, "the delivery is not ours any more");
        // Whoever took it over counts it as a try.
        if (!attempt.isCommitted) void unclaimer.undo(event.id, attempt.token);
        return delay(attempt.entry, NOT_OURS_WAIT_MS);
      }
      await at("recorded", event.id);
      publishState(event.id, decision.ledger.state);
      await moveOn(attempt, decision);
      await at("moved", event.id);
    },
    async complete(entry, eventId, closed) {
      if (closed.state !== "dead") return ack(entry);
      const reason = closed.reason ?? "dead";
      return toDeadLetter(entry, { eventId, indexed: true, reason, detail: "", attempts: closed.attempts });
    },
    delay,
    async pass(entry) {
      // In its own retries stream is what it had a delivery of: its patterns were others when the event was written.
      const event = entry.stream === retriesStream ? eventOf(entry) : undefined;
      if (event === undefined || !(await refuse(event, NOT_BOUND))) return ack(entry);
      log.warn({ entry_id: entry.id, type: event.type }, "a delivery of a type that the group does not bind to");
      const letter = { eventId: event.id, indexed: true, reason: NOT_BOUND, detail: event.type, attempts: 0 };
      await toDeadLetter(entry, letter);
    },
    async reject(entry, { reason, detail, event }) {
      const indexed = event !== undefined && (await refuse(event, reason));
      const eventId = indexed ? event.id : (fieldsOf(entry.raw ?? [])["id"] ?? "");
      await toDeadLetter(entry, { eventId, indexed, reason, detail, attempts: 0 });
    },
  };
};
