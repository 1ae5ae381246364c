import type { Redis } from "ioredis";
import type { ClaimedEmail } from "../../database/claim-emails.ts";
import type { Logger } from "../../observability/logger.ts";
import { isMissingGroup } from "../../stream/connection.ts";
import { ensureGroup } from "../../stream/ensure-group.ts";
import { acknowledge, type Entry, fieldsOf, heldEntry } from "../../stream/entries.ts";
import type { StreamEvent } from "../../stream/event.ts";
import type { Group } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";
import { announceState } from "../../stream/publish.ts";
import { bury, type DeadLetter } from "../../stream/scripts/bury.ts";
import { handBack } from "../../stream/scripts/hand-back.ts";
import { setAside } from "../../stream/scripts/retry.ts";
import { noteSent } from "../../stream/sent-note.ts";
import type { AtCheckpoint } from "./checkpoint.ts";
import { type Decision, decide, type RetryPolicy } from "./decide.ts";
import type { Delivery } from "./delivery.ts";
import { withCrashes, withFailure } from "./failure-fields.ts";
import type { Ledger } from "./ledger.ts";
import type { Outcome } from "./outcome.ts";
import { persist } from "./persist.ts";

/*
 * The order of writes. Ledger first, then Redis, always. If the process dies between two writes, the next one sees:
 *
 * | transition | order of writes                                | died in between: the next owner finds                     |
 * | ---------- | ---------------------------------------------- | --------------------------------------------------------- |
 * | deliver    | XREADGROUP; ledger `sending`                   | a pending entry, `queued`: claims it, sends               |
 * | send       | up to 354; body; 250; ledger `sent`; XACK      | `sending`, lease over: uncertain, the policy decides.     |
 * |            |                                                | After the ledger: `sent`, acks                            |
 * | ledger     | `sent:` key; ledger, again and again (entry    | `sending`, lease over, but the key says "sent": records   |
 * | away       | kept and renewed); XACK                        | it, sends nothing                                         |
 * | retry      | ledger `retrying`, next_try_at; script         | pending, not due: puts it into the retry set              |
 * | bury       | ledger `dead`; script                          | pending, `dead`: completes the burial, once               |
 * | hand back  | ledger `queued`; script: XACK, XADD to retries | pending, `queued`: claims it, sends                       |
 * | promote    | one script: XADD to retries, ZREM              | nothing: it is atomic                                     |
 *
 * Every row is a test that stops a consumer at that checkpoint.
 */

export interface SettlerDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: Group;
  readonly consumer: string;
  readonly ledger: Ledger;
  readonly policy: RetryPolicy;
  readonly random: () => number;
  readonly wallClock: () => Date;
  readonly at: AtCheckpoint;
  readonly log: Logger;
  /** Aborted when the process must go, whatever is left. */
  readonly abandon: AbortSignal;
}

export interface Settler {
  /** Records what became of a try and moves its entry on. Returns when both are done, or neither is ours any more. */
  settle(delivery: Delivery, outcome: Outcome): Promise<void>;
  /** Completes what the last owner of a closed mail may have left undone. */
  complete(entry: Entry, event: StreamEvent, closed: Extract<ClaimedEmail, { kind: "closed" }>): Promise<void>;
  /** Puts an entry aside whose time has not come; no counter moves. */
  postpone(entry: Entry, delayMs: number): Promise<void>;
  /** Buries an entry that cannot be read. */
  reject(entry: Entry, reason: string, detail: string): Promise<void>;
  /** Acks an entry that is none of this group's business, or whose payload is gone. */
  dismiss(entry: Entry): Promise<void>;
  /** Gives an entry back untouched. */
  giveBack(entry: Entry): Promise<void>;
}

export const createSettler = (deps: SettlerDeps): Settler => {
  const { redis, keys, group, consumer, ledger, policy, random, wallClock, at, log, abandon } = deps;
  const retries = keys.retries(group.name);
  const retrySet = keys.retry(group.name);
  const deadKeys = { dead: keys.dead(group.name), deadIndex: keys.deadIndex(group.name) };
  const held = (entry: Entry) => heldEntry(entry, group.name, consumer);

  /** A group that is gone took its pending list along: nothing is ours, and the reconciler brings back what is unsent. */
  const move = (what: string, action: () => Promise<unknown>): Promise<void> =>
    persist(
      async () => {
        try {
          await action();
        } catch (error) {
          if (!isMissingGroup(error)) throw error;
          await ensureGroup(redis, keys, group);
        }
      },
      { what, log, signal: abandon },
    );

  const ack = (entry: Entry) => move("acking an entry", () => acknowledge(redis, entry.stream, group.name, entry.id));

  const burial = (
    entry: Entry,
    letter: Pick<DeadLetter, "eventId" | "indexed" | "reason" | "detail" | "attempts">,
  ): Promise<void> => {
    const nowIso = wallClock().toISOString();
    const raw = entry.raw ?? [];
    return move("burying an entry", () =>
      bury(redis, held(entry), deadKeys, {
        ...letter,
        firstFailureAt: fieldsOf(raw)["firstfailure"] ?? nowIso,
        lastFailureAt: nowIso,
        fields: raw,
      }),
    );
  };

  const record = (delivery: Delivery, decision: Decision): Promise<boolean> => {
    const { mail, event } = delivery;
    const settlement = { ...decision.ledger, event_id: event.id, fence: mail.fence, consumer };
    const isSent = decision.ledger.state === "sent";
    let noted = false;
    return persist(() => ledger.settle(settlement), {
      what: `recording ${decision.ledger.state} in the ledger`,
      log,
      signal: abandon,
      onFailure: async () => {
        if (!isSent || noted) return;
        noted = await noteSent(redis, keys.sent(group.name, event.id)).catch(() => false);
        if (noted) await at("sent-noted", event.id);
      },
    });
  };

  const moveOn = (delivery: Delivery, decision: Decision): Promise<void> => {
    const { entry, event, mail } = delivery;
    const { move: next, ledger: written } = decision;
    const attempts = mail.attempts + written.attempts;
    switch (next.kind) {
      case "ack":
        return ack(entry);
      case "set-aside": {
        const failure = { attempts, at: wallClock().toISOString(), reason: written.reason ?? written.state };
        const fields = withFailure(entry.raw ?? [], failure);
        return move("setting an entry aside", () => setAside(redis, held(entry), retrySet, next.delayMs, fields));
      }
      case "bury":
        return burial(entry, { eventId: event.id, indexed: true, reason: next.reason, detail: next.detail, attempts });
      case "hand-back":
        return giveBack(entry);
    }
  };

  const giveBack = (entry: Entry): Promise<void> =>
    move("handing an entry back", () =>
      handBack(redis, { stream: entry.stream, group: group.name, consumer }, retries, [entry.id]),
    );

  return {
    giveBack,
    dismiss: ack,
    async settle(delivery, outcome) {
      const { event, mail } = delivery;
      const decision = decide(outcome, mail, policy, random);
      const recorded = await record(delivery, decision);
      if (!recorded && outcome.kind !== "sent") {
        // Another claim has the mail. What becomes of it, and of this entry, is for its owner to say.
        log.info({ event_id: event.id, outcome: outcome.kind }, "the mail is another consumer's by now");
        return;
      }
      await at("recorded", event.id);
      announceState(redis, keys.status, event.id, decision.ledger.state);
      await moveOn(delivery, decision);
      await at("moved", event.id);
    },
    async complete(entry, event, closed) {
      if (closed.state !== "dead") return ack(entry);
      const reason = closed.reason ?? "dead";
      return burial(entry, { eventId: event.id, indexed: true, reason, detail: "", attempts: closed.attempts });
    },
    postpone: (entry, delayMs) =>
      move("postponing an entry", () =>
        setAside(redis, held(entry), retrySet, delayMs, withCrashes(entry.raw ?? [], entry.deliveries)),
      ),
    reject: (entry, reason, detail) => {
      const eventId = fieldsOf(entry.raw ?? [])["id"] ?? "";
      return burial(entry, { eventId, indexed: false, reason, detail, attempts: 0 });
    },
  };
};
