import { expect } from "bun:test";
import type { Redis } from "ioredis";
import { createAnnouncer } from "../api/background/announcer.ts";
import type { Checkpoint } from "../consumers/engine/checkpoint.ts";
import type { Handler } from "../consumers/engine/dispatcher.ts";
import { type RunningGroup, startGroup } from "../consumers/engine/group.ts";
import type { Outcome } from "../consumers/engine/outcome.ts";
import type { Database } from "../database/connection.ts";
import { type EventStatus, findEventStatus } from "../database/event-status.ts";
import type { NewSignup, SignupWriter } from "../database/signup.ts";
import { randomHex } from "../observability/trace-context.ts";
import { openBlockingConnection, openCommandConnection, untilReady } from "../stream/connection.ts";
import { ensureGroup } from "../stream/ensure-group.ts";
import { encodeEvent, userSignedUp } from "../stream/event.ts";
import { WELCOME_EMAIL } from "../stream/groups.ts";
import { type Keys, keysOf } from "../stream/keys.ts";
import { eventually } from "./eventually.ts";
import { aSignup, redisUrl, silentLog } from "./pipeline.ts";

const group = WELCOME_EMAIL.name;

/** A mail whose consumers died this often is buried by the next one. */
const POISON_AFTER = 3;
export const CHECKPOINTS: readonly Checkpoint[] = ["read", "claimed", "tried", "recorded", "moved"];
export type Scripted = "transient" | "system" | "permanent" | "uncertain" | "lost-250";

export type Step =
  | { readonly do: "sign up" }
  | { readonly do: "sign up, die before XADD" }
  | { readonly do: "second entry" }
  | { readonly do: "start a consumer" }
  | { readonly do: "crash a consumer" }
  | { readonly do: "stop a consumer" }
  | { readonly do: "die at"; readonly checkpoint: Checkpoint }
  | { readonly do: "next try"; readonly outcome: Scripted }
  | { readonly do: "trim" }
  | { readonly do: "flush" }
  | { readonly do: "wait"; readonly ms: number };

const entryOf = ({ eventId, userId, traceparent }: NewSignup): string[] =>
  encodeEvent(userSignedUp({ eventId, userId, locale: "vi", time: new Date(), trace: { traceparent } }));

export interface Shared {
  readonly db: Database;
  readonly writer: SignupWriter;
}

interface TestedConsumer {
  readonly name: string;
  readonly running: RunningGroup;
  readonly redis: Redis;
  readonly death: PromiseWithResolvers<void>;
  isDead: boolean;
}

/** One pipeline, its consumers, and what the world outside knows of it. */
export class World {
  readonly #shared: Shared;
  readonly #keys: Keys;
  readonly #redis: Redis;
  readonly #consumers = new Set<TestedConsumer>();
  readonly #scripted: Scripted[] = [];
  readonly #deaths: Checkpoint[] = [];
  readonly #killed = new Set<string>();
  /** What the mail server took, by event. */
  readonly copies = new Map<string, number>();
  readonly refused = new Set<string>();
  readonly signups: NewSignup[] = [];
  wasFlushed = false;

  private constructor(shared: Shared, keys: Keys, redis: Redis) {
    this.#shared = shared;
    this.#keys = keys;
    this.#redis = redis;
  }

  static async create(shared: Shared): Promise<World> {
    const keys = keysOf(`model-${randomHex(8)}`);
    const redis = openCommandConnection({ url: redisUrl(), name: "model", log: silentLog, commandTimeoutMs: 10_000 });
    await untilReady(redis, 5_000);
    await ensureGroup(redis, keys, WELCOME_EMAIL);
    return new World(shared, keys, redis);
  }

  #handler(isDead: () => boolean): Handler {
    return async (mail, { beforeBody }): Promise<Outcome> => {
      await Bun.sleep(Math.random() * 8);
      if (isDead()) return new Promise(() => {});
      const scripted = this.#scripted.shift();
      if (scripted === "transient") return { kind: "transient", reason: "try_later" };
      if (scripted === "system") return { kind: "system", reason: "dns" };
      if (scripted === "permanent") {
        this.refused.add(mail.eventId);
        return { kind: "permanent", reason: "policy", suppressAddress: false };
      }
      if (!beforeBody()) return { kind: "released", reason: "lease_lost" };
      if (scripted === "uncertain") return { kind: "uncertain", reason: "deadline_after_data" };
      this.copies.set(mail.eventId, (this.copies.get(mail.eventId) ?? 0) + 1);
      if (scripted === "lost-250") return { kind: "uncertain", reason: "connection_lost_after_data" };
      return { kind: "sent", reply: "250", messageId: "m" };
    };
  }

  async startConsumer(): Promise<void> {
    const url = redisUrl();
    const redis = openCommandConnection({ url, name: "model", log: silentLog, commandTimeoutMs: 10_000 });
    await untilReady(redis, 5_000);
    const name = `consumer-${randomHex(4)}`;
    const holder = { name, isDead: false, death: Promise.withResolvers<void>() };
    const running = startGroup(
      {
        redis,
        connectBlocking: () => openBlockingConnection({ url, name: "model", log: silentLog }),
        db: this.#shared.db,
        keys: this.#keys,
        handler: this.#handler(() => holder.isDead),
        log: silentLog,
        now: () => performance.now(),
        wallClock: () => new Date(),
        random: Math.random,
        at: (checkpoint) => {
          if (holder.isDead) return new Promise(() => {});
          const at = this.#deaths.indexOf(checkpoint);
          if (at < 0) return;
          this.#deaths.splice(at, 1);
          this.#kill(consumer);
          return new Promise(() => {});
        },
      },
      {
        group: WELCOME_EMAIL,
        consumer: name,
        concurrency: 4,
        // Long enough that a busy machine's heartbeat is in time: three thefts in a row would look like poison.
        claimMinIdleMs: 400,
        retryMax: 50,
        retryDelayMs: 10,
        uncertain: "resend",
        expireAfterMs: 600_000,
        drainTimeoutMs: 200,
      },
    );
    const consumer = Object.assign(holder, { running, redis });
    this.#consumers.add(consumer);
  }

  #kill(consumer: TestedConsumer): void {
    consumer.isDead = true;
    this.#killed.add(consumer.name);
    consumer.death.resolve();
    consumer.running.abandon();
    consumer.redis.disconnect();
    this.#consumers.delete(consumer);
  }

  async run(each: Step): Promise<void> {
    const [consumer] = this.#consumers;
    switch (each.do) {
      case "sign up":
      case "sign up, die before XADD": {
        const signup = aSignup();
        await this.#shared.writer.write(signup);
        this.signups.push(signup);
        if (each.do === "sign up") await this.#announce(signup);
        return;
      }
      case "second entry": {
        const signup = this.signups.at(-1);
        if (signup !== undefined) await this.#redis.xadd(this.#keys.events, "*", ...entryOf(signup));
        return;
      }
      case "start a consumer":
        if (this.#consumers.size < 3) await this.startConsumer();
        return;
      case "crash a consumer":
        if (consumer !== undefined) this.#kill(consumer);
        return;
      case "stop a consumer":
        if (consumer === undefined) return;
        this.#consumers.delete(consumer);
        // It may die at a checkpoint while it stops.
        await Promise.race([consumer.running.stop(), consumer.death.promise]);
        consumer.redis.disconnect();
        return;
      case "die at":
        this.#deaths.push(each.checkpoint);
        return;
      case "next try":
        // Five failures of the system would open the breaker, whose probes take seconds: it has tests of its own.
        if (each.outcome !== "system" || !this.#scripted.includes("system")) this.#scripted.push(each.outcome);
        return;
      case "trim":
        await this.#redis.xtrim(this.#keys.events, "MAXLEN", 0);
        return;
      case "flush":
        this.wasFlushed = true;
        await this.#redis.del(...this.#streams(), this.#keys.retry(group), this.#keys.deadIndex(group));
        return;
      case "wait":
        await Bun.sleep(each.ms);
        return;
    }
  }

  async #announce(signup: NewSignup): Promise<void> {
    const announcer = createAnnouncer({ db: this.#shared.db, redis: this.#redis, keys: this.#keys, log: silentLog });
    const { userId, eventId, traceparent } = signup;
    await announcer.announce({ userId, eventId, traceparent, locale: "vi", createdAt: new Date() });
    await announcer.idle();
  }

  #streams(): string[] {
    return [this.#keys.events, this.#keys.retries(group), this.#keys.dead(group)];
  }

  /** No more faults: one healthy consumer, the relay, the reconciler. Resolves when every mail is final and nothing moves. */
  async heal(relayAndReconcile: (redis: Redis, keys: Keys) => AsyncDisposable): Promise<void> {
    this.#deaths.length = 0;
    this.#scripted.length = 0;
    if (this.#consumers.size === 0) await this.startConsumer();
    await using _background = relayAndReconcile(this.#redis, this.#keys);
    await eventually(() => this.#isAtRest(), 60_000);
  }

  async #isAtRest(): Promise<boolean> {
    // The lane's database holds the mails of this world, and of those before it, which are final.
    const unfinished = this.#shared.db
      .selectFrom("emails")
      .select("event_id")
      .where("state", "not in", ["sent", "dead"]);
    if ((await unfinished.limit(1).execute()).length > 0) return false;
    for (const stream of [this.#keys.events, this.#keys.retries(group)]) {
      const pending = await this.#redis.xpending(stream, group).catch(() => [1]);
      if (Array.isArray(pending) && pending[0] !== 0) return false;
    }
    return (await this.#redis.zcard(this.#keys.retry(group))) === 0;
  }

  async check(): Promise<void> {
    const mayBeDead = new Set(this.refused);
    for (const { eventId } of this.signups) {
      const status = await findEventStatus(this.#shared.db, eventId);
      if (status?.reason === "poison" && this.#deathsWith(status) >= POISON_AFTER) mayBeDead.add(eventId);
      const copies = this.copies.get(eventId) ?? 0;
      const told = { eventId, copies, ...status };
      if (status?.state === "sent") expect([told, copies >= 1]).toEqual([told, true]);
      else expect([told, mayBeDead.has(eventId)]).toEqual([told, true]);
      expect([told, copies <= 1 + (status?.uncertain ?? 0)]).toEqual([told, true]);
    }
    const letters = await this.#redis.xrange(this.#keys.dead(group), "-", "+");
    const buried = letters.map(([, fields]) => fields[fields.indexOf("event_id") + 1] ?? "");
    if (!this.wasFlushed) expect(buried.length).toBe(new Set(buried).size);
    for (const eventId of buried) expect(mayBeDead.has(eventId)).toBe(true);
  }

  /** How many consumers were killed while they had the mail. */
  #deathsWith({ timeline }: EventStatus): number {
    return timeline.filter(({ state, by }) => state === "sending" && this.#killed.has(by ?? "")).length;
  }

  async end(): Promise<void> {
    for (const consumer of [...this.#consumers]) this.#kill(consumer);
    await this.#redis.del(...this.#streams(), this.#keys.retry(group), this.#keys.deadIndex(group));
    this.#redis.disconnect();
  }
}
