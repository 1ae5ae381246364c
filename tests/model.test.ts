import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Redis } from "ioredis";
import { createAnnouncer } from "../api/background/announcer.ts";
import { startReconciler } from "../api/background/reconciler.ts";
import { startRelay } from "../api/background/relay.ts";
import type { Checkpoint } from "../consumers/engine/checkpoint.ts";
import type { Handler } from "../consumers/engine/dispatcher.ts";
import { type RunningGroup, startGroup } from "../consumers/engine/group.ts";
import type { Outcome } from "../consumers/engine/outcome.ts";
import { type Database, openDatabase } from "../database/connection.ts";
import { findEventStatus } from "../database/event-status.ts";
import { createSignupWriter, type NewSignup, type SignupWriter } from "../database/signup.ts";
import { randomHex } from "../observability/trace-context.ts";
import { openBlockingConnection, openCommandConnection, untilReady } from "../stream/connection.ts";
import { ensureGroup } from "../stream/ensure-group.ts";
import { encodeEvent, userSignedUp } from "../stream/event.ts";
import { WELCOME_EMAIL } from "../stream/groups.ts";
import { type Keys, keysOf } from "../stream/keys.ts";
import { withTestDatabase } from "./database.ts";
import { eventually } from "./eventually.ts";
import { aSignup, redisUrl, silentLog } from "./pipeline.ts";

/**
 * The engine's state machine under random sequences: signups, second entries, tries of every outcome, consumers that start,
 * stop, crash, or die at a checkpoint, streams that are trimmed or flushed. Real Redis, real Postgres; times are shortened.
 * After each sequence everything heals, and then it must hold:
 *
 * - no mail has vanished: each is sent, or dead by a refusal that was given;
 * - none was sent twice without being counted: copies <= 1 + uncertain;
 * - what is acked is final: nothing is pending, waiting or in the outbox in the end;
 * - a mail that was refused is one dead letter, or none if the flush took it.
 */
const SEQUENCES = Number(process.env["MODEL_SEQUENCES"] ?? 1_000);
/** Sequences at the same time: most of one is waiting. */
const LANES = 30;
const group = WELCOME_EMAIL.name;

const CHECKPOINTS: readonly Checkpoint[] = ["read", "claimed", "tried", "recorded", "moved"];
type Scripted = "transient" | "system" | "permanent" | "uncertain" | "lost-250";

type Step =
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

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Step>({ do: "sign up" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: "sign up, die before XADD" }) },
  { weight: 2, arbitrary: fc.constant<Step>({ do: "second entry" }) },
  { weight: 3, arbitrary: fc.constant<Step>({ do: "start a consumer" }) },
  { weight: 2, arbitrary: fc.constant<Step>({ do: "crash a consumer" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: "stop a consumer" }) },
  { weight: 4, arbitrary: fc.constantFrom(...CHECKPOINTS).map((checkpoint): Step => ({ do: "die at", checkpoint })) },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom<Scripted>("transient", "system", "permanent", "uncertain", "lost-250")
      .map((outcome): Step => ({ do: "next try", outcome })),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ do: "trim" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: "flush" }) },
  { weight: 3, arbitrary: fc.nat(60).map((ms): Step => ({ do: "wait", ms })) },
);

interface Shared {
  readonly db: Database;
  readonly writer: SignupWriter;
}

interface TestedConsumer {
  readonly running: RunningGroup;
  readonly redis: Redis;
  readonly death: PromiseWithResolvers<void>;
  isDead: boolean;
}

/** One pipeline, its consumers, and what the world outside knows of it. */
class World {
  readonly #shared: Shared;
  readonly #keys: Keys;
  readonly #redis: Redis;
  readonly #consumers = new Set<TestedConsumer>();
  readonly #scripted: Scripted[] = [];
  readonly #deaths: Checkpoint[] = [];
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
    const holder = { isDead: false, death: Promise.withResolvers<void>() };
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
        consumer: `consumer-${randomHex(4)}`,
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
    for (const { eventId } of this.signups) {
      const status = await findEventStatus(this.#shared.db, eventId);
      if (status === undefined || !["sent", "dead"].includes(status.state)) return false;
    }
    for (const stream of [this.#keys.events, this.#keys.retries(group)]) {
      const pending = await this.#redis.xpending(stream, group).catch(() => [1]);
      if (Array.isArray(pending) && pending[0] !== 0) return false;
    }
    return (await this.#redis.zcard(this.#keys.retry(group))) === 0;
  }

  async check(): Promise<void> {
    for (const { eventId } of this.signups) {
      const status = await findEventStatus(this.#shared.db, eventId);
      const copies = this.copies.get(eventId) ?? 0;
      const told = { eventId, state: status?.state, copies, uncertain: status?.uncertain };
      if (status?.state === "sent") expect([told, copies >= 1]).toEqual([told, true]);
      else expect([told, this.refused.has(eventId)]).toEqual([told, true]);
      expect([told, copies <= 1 + (status?.uncertain ?? 0)]).toEqual([told, true]);
    }
    const letters = await this.#redis.xrange(this.#keys.dead(group), "-", "+");
    const buried = letters.map(([, fields]) => fields[fields.indexOf("event_id") + 1] ?? "");
    if (!this.wasFlushed) expect(buried.length).toBe(new Set(buried).size);
    for (const eventId of buried) expect(this.refused.has(eventId)).toBe(true);
  }

  async end(): Promise<void> {
    for (const consumer of [...this.#consumers]) this.#kill(consumer);
    await this.#redis.del(...this.#streams(), this.#keys.retry(group), this.#keys.deadIndex(group));
    this.#redis.disconnect();
  }
}

const entryOf = ({ eventId, userId, traceparent }: NewSignup): string[] =>
  encodeEvent(userSignedUp({ eventId, userId, locale: "vi", time: new Date(), trace: { traceparent } }));

/** A step as fast-check runs it. What must hold is checked when all have healed: in between, everything may be under way. */
class StepCommand implements fc.AsyncCommand<object, World> {
  readonly #step: Step;

  constructor(each: Step) {
    this.#step = each;
  }

  check(): boolean {
    return true;
  }

  run(_model: object, world: World): Promise<void> {
    return world.run(this.#step);
  }

  toString(): string {
    return JSON.stringify(this.#step);
  }
}

/** A database with a world in it at a time: relays publish whatever they find. */
const aLane = async () => {
  const database = await withTestDatabase();
  const db = openDatabase({ url: database.url, poolSize: 3, applicationName: "model" });
  const shared: Shared = { db, writer: createSignupWriter(db) };
  const background = (redis: Redis, keys: Keys): AsyncDisposable => {
    const deps = { db, redis, keys, log: silentLog };
    const relay = startRelay(deps, { olderThanMs: 100, everyMs: 50 });
    const reconciler = startReconciler({ ...deps, groups: [WELCOME_EMAIL] }, { reconcileAfterMs: 800 });
    return { [Symbol.asyncDispose]: async () => void (await Promise.all([relay.stop(), reconciler.stop()])) };
  };
  return {
    run: async (steps: Iterable<fc.AsyncCommand<object, World>>): Promise<void> => {
      const world = await World.create(shared);
      try {
        await fc.asyncModelRun(() => ({ model: {}, real: world }), steps);
        await world.heal(background);
        await world.check();
      } finally {
        await world.end();
      }
    },
    drop: async () => {
      await db.destroy();
      await database.drop();
    },
  };
};

const PROMISE = `${SEQUENCES} random sequences of faults: no mail vanishes, none is sent twice uncounted, none is left behind`;

test(PROMISE, async () => {
  const seed = Number(process.env["MODEL_SEED"] ?? Date.now() % 2 ** 31);
  const commands = fc.commands([step.map((each) => new StepCommand(each))], { size: "+1", maxCommands: 20 });
  const sequences = fc.sample(commands, { numRuns: SEQUENCES, seed });
  const lanes = await Promise.all(Array.from({ length: LANES }, aLane));
  await Promise.all(
    lanes.map(async (lane) => {
      for (let next = sequences.pop(); next !== undefined; next = sequences.pop()) {
        await lane.run(next).catch((cause: unknown) => {
          throw new Error(`MODEL_SEED=${seed} repeats the sequences. Broken by:\n${next}`, { cause });
        });
      }
    }),
  );
  await Promise.all(lanes.map((lane) => lane.drop()));
}, 170_000);
