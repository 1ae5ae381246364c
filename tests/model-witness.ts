import { expect } from "bun:test";
import type { Redis } from "ioredis";
import { POISON_AFTER, SUSPECT_AFTER } from "../consumers/engine/suspects.ts";
import type { Database } from "../database/connection.ts";
import { type DeliveryStatus, findDeliveries } from "../database/ledger/status.ts";
import type { NewSignup } from "../database/users/signup-rows.ts";
import { type Group, WELCOME_EMAIL } from "../stream/groups.ts";
import type { Keys } from "../stream/keys.ts";
import { EXAMPLE_GROUP } from "./example-group.ts";
import { areDoubtsExplained } from "./model-steps.ts";

/** What the world outside knows of a pipeline, and what must hold by that. */
export class Witness {
  readonly #db: Database;
  readonly #groups: readonly Group[];
  readonly signups: NewSignup[] = [];
  /** What the mail server took, by event. */
  readonly copies = new Map<string, number>();
  /** Events whose other work took place. */
  readonly worked = new Set<string>();
  readonly refused = new Set<string>();
  readonly killed = new Set<string>();
  /** Consumers that were killed while one entry of a group, and no other, was in flight in them, and no other died with them, after the group's name. */
  readonly killedAlone = new Set<string>();
  /** Consumers that were asked to stop: they have little time to say what they began. */
  readonly stopped = new Set<string>();
  /** What passed its commit point, by consumer and event: from then on it is a try. */
  readonly committed = new Set<string>();
  wasFlushed = false;

  constructor(db: Database, groups: readonly Group[]) {
    this.#db = db;
    this.#groups = groups;
  }

  /** Deliveries that count as doubtful because their lease ran out, though their owner lives, and never passed its commit point. */
  async unexplained(): Promise<readonly DeliveryStatus[]> {
    const eventIds = this.signups.map(({ event }) => event.eventId);
    const unexplained = ({ eventId, ...status }: DeliveryStatus) =>
      !areDoubtsExplained(
        { eventId, ...status },
        (owner) => this.killed.has(owner) || this.stopped.has(owner) || this.committed.has(`${owner} ${eventId}`),
      );
    return (await findDeliveries(this.#db, ...eventIds)).filter(unexplained);
  }

  async check(redis: Redis, keys: Keys): Promise<void> {
    expect(await this.unexplained()).toEqual([]);
    const mayBeDead = { [WELCOME_EMAIL.name]: new Set(this.refused), [EXAMPLE_GROUP.name]: new Set<string>() };
    for (const { event } of this.signups) {
      const { eventId } = event;
      const deliveries = await findDeliveries(this.#db, eventId);
      expect(deliveries.map(({ group }) => group)).toEqual([EXAMPLE_GROUP.name, WELCOME_EMAIL.name].sort());
      for (const status of deliveries) {
        const dead = mayBeDead[status.group] ?? new Set();
        if (status.reason === "poison" && this.#looksLikePoison(status)) dead.add(eventId);
        const isMail = status.group === WELCOME_EMAIL.name;
        const copies = isMail ? (this.copies.get(eventId) ?? 0) : Number(this.worked.has(eventId));
        const known = { copies, ...status };
        if (status.state === "done") expect([known, copies >= 1]).toEqual([known, true]);
        else expect([known, dead.has(eventId)]).toEqual([known, true]);
        expect([known, copies <= 1 + status.uncertain]).toEqual([known, true]);
        if (!isMail) expect([known, status.uncertain]).toEqual([known, 0]);
      }
    }
    for (const { name } of this.#groups) {
      const letters = await redis.xrange(keys.dead(name), "-", "+");
      const lettered = letters.map(([, fields]) => fields[fields.indexOf("event_id") + 1] ?? "");
      if (!this.wasFlushed) expect(lettered.length).toBe(new Set(lettered).size);
      for (const eventId of lettered) expect(mayBeDead[name]?.has(eventId)).toBe(true);
    }
  }

  /** Whether enough consumers were killed while they had the delivery, and enough of them had no other in flight. */
  #looksLikePoison({ group, timeline }: DeliveryStatus): boolean {
    const killed = timeline.filter(({ state, by }) => state === "active" && this.killed.has(by ?? ""));
    const alone = killed.filter(({ by }) => this.killedAlone.has(`${group} ${by}`));
    return killed.length >= SUSPECT_AFTER + POISON_AFTER && alone.length >= POISON_AFTER;
  }
}
