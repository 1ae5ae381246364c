import { expect } from "bun:test";
import type { Redis } from "ioredis";
import { createPublisher } from "../api/signup/publisher.ts";
import type { Checkpoint } from "../consumers/engine/checkpoint.ts";
import { type GroupDeps, type RunningGroup, startGroup } from "../consumers/engine/group.ts";
import type { Outcome } from "../consumers/engine/handler.ts";
import type { Database } from "../database/connection.ts";
import type { SignupWriter } from "../database/users/signup.ts";
import type { NewSignup } from "../database/users/signup-rows.ts";
import { randomHex } from "../observability/trace-context.ts";
import { openBlockingConnection, openCommandConnection, untilReady } from "../stream/connection.ts";
import { ensureGroup } from "../stream/ensure-group.ts";
import { encodeEvent, loggedEvent } from "../stream/events/envelope.ts";
import { EVENT_TYPES } from "../stream/events/types.ts";
import { WELCOME_EMAIL } from "../stream/groups.ts";
import { type Keys, keysOf } from "../stream/keys.ts";
import { eventually } from "./eventually.ts";
import { anExampleGroup, EXAMPLE_GROUP } from "./example-group.ts";
import { createLostAnswers, type LostAnswers } from "./losing-answers.ts";
import { untilAtRest } from "./model-rest.ts";
import { Spells } from "./model-spells.ts";
import type { Scripted, Step } from "./model-steps.ts";
import { Witness } from "./model-witness.ts";
import { aMailGroup, aSignup, committedEvent, type MailWork, redisUrl, silentLog } from "./pipeline.ts";

/** Both bind to the event of a signup: one sends a mail, the other does idempotent work, slowly or in vain now and then. */
export const MODEL_GROUPS = [WELCOME_EMAIL, EXAMPLE_GROUP];

const entryOf = (signup: NewSignup): string[] => encodeEvent(loggedEvent(committedEvent(signup)));

export interface Shared {
  readonly db: Database;
  readonly writer: SignupWriter;
}

/** More than it takes until everything is known to be declined. */
const DOMAINS = 8;
/** Consumers that run at a time. */
const FLEET = 3;
/** Longer than peers wait before they claim what the dead had. */
const IN_FLIGHT_WITHIN_MS = 3_000;

interface TestedConsumer {
  readonly name: string;
  readonly running: readonly RunningGroup[];
  readonly redis: Redis;
  readonly death: PromiseWithResolvers<void>;
  readonly answers: LostAnswers;
  isDead: boolean;
}

const aRedis = () =>
  openCommandConnection({ url: redisUrl(), name: "model", log: silentLog, commandTimeoutMs: 10_000 });

/** One pipeline, its consumers, and what the world outside knows of it. */
export class World {
  readonly #shared: Shared;
  readonly #keys: Keys;
  readonly #redis: Redis;
  readonly #consumers = new Set<TestedConsumer>();
  readonly #scripted: Scripted[] = [];
  readonly #deaths: Checkpoint[] = [];
  readonly #silences: Promise<void>[] = [];
  readonly #spells = new Spells();
  /** While work hangs: it begins, and has no outcome, until its consumer dies or this resolves. */
  #hanging: Promise<void> | undefined;
  readonly #seen: Witness;

  private constructor(shared: Shared, keys: Keys, redis: Redis) {
    this.#shared = shared;
    this.#keys = keys;
    this.#redis = redis;
    this.#seen = new Witness(shared.db, MODEL_GROUPS);
  }

  static async create(shared: Shared): Promise<World> {
    const keys = keysOf(`model-${randomHex(8)}`);
    const redis = aRedis();
    await untilReady(redis, 5_000);
    for (const group of MODEL_GROUPS) await ensureGroup(redis, keys, group);
    return new World(shared, keys, redis);
  }

  #mailWork(consumer: string, isDead: () => boolean): MailWork {
    return async ({ eventId }, { email }, attempt): Promise<Outcome> => {
      await Bun.sleep(Math.random() * 8);
      await this.#hanging;
      if (isDead()) return new Promise(() => {});
      const told = this.#spells.told(email.slice(email.lastIndexOf("@") + 1));
      if (told !== undefined) return told;
      const scripted = this.#scripted.shift();
      if (scripted === "transient") return { kind: "transient", reason: "try_later" };
      if (scripted === "unavailable") return { kind: "unavailable", reason: "dns" };
      if (scripted === "rejected") {
        this.#seen.refused.add(eventId);
        return { kind: "rejected", reason: "policy", reply: "550 no" };
      }
      if (!attempt.commit()) return { kind: "released", reason: "lease_lost" };
      this.#seen.committed.add(`${consumer} ${eventId}`);
      if (scripted === "uncertain") return { kind: "uncertain", reason: "deadline_after_data" };
      this.#seen.copies.set(eventId, (this.#seen.copies.get(eventId) ?? 0) + 1);
      if (scripted === "lost-250") return { kind: "uncertain", reason: "connection_lost_after_data" };
      return { kind: "done", reply: "250", receipt: "m" };
    };
  }

  #exampleGroup(isDead: () => boolean) {
    const outcome = () => (isDead() ? new Promise<Outcome>(() => {}) : undefined);
    const chance = { slowShare: 0.1, slowMs: 20, failingShare: 0.1 };
    return anExampleGroup(
      { ...chance, outcome, onDone: (eventId) => void this.#seen.worked.add(eventId) },
      { concurrency: 4, retryDelayMs: 10 },
    );
  }

  async startConsumer(): Promise<void> {
    const url = redisUrl();
    const redis = aRedis();
    await untilReady(redis, 5_000);
    const name = `consumer-${randomHex(4)}`;
    const answers = createLostAnswers();
    const holder = { name, answers, isDead: false, death: Promise.withResolvers<void>() };
    const isDead = () => holder.isDead;
    const deps: GroupDeps = {
      redis,
      connectBlocking: () => openBlockingConnection({ url, name: "model", log: silentLog }),
      db: answers.on(this.#shared.db),
      keys: this.#keys,
      knownTypes: EVENT_TYPES,
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
    };
    // Long enough for a claim on a cold connection of a busy machine, which else ends with its lease over, again and again.
    const options = { consumer: name, claimMinIdleMs: 1_000, drainTimeoutMs: 200 };
    const mails = aMailGroup(this.#shared.db, this.#mailWork(name, isDead), {
      concurrency: 4,
      retryMax: 50,
      retryDelayMs: 10,
      expireAfterMs: 600_000,
    });
    const running = [startGroup(deps, mails, options), startGroup(deps, this.#exampleGroup(isDead), options)];
    const consumer = Object.assign(holder, { running, redis });
    this.#consumers.add(consumer);
    this.#spells.started();
  }

  /** `fleet`: consumers that die at the same time. */
  #kill(consumer: TestedConsumer, fleet = 1): void {
    consumer.isDead = true;
    this.#seen.killed.add(consumer.name);
    for (const [index, { name }] of MODEL_GROUPS.entries()) {
      if (fleet === 1 && consumer.running[index]?.inFlight() === 1)
        this.#seen.killedAlone.add(`${name} ${consumer.name}`);
    }
    consumer.death.resolve();
    for (const group of consumer.running) group.abandon();
    consumer.redis.disconnect();
    this.#consumers.delete(consumer);
  }

  #killAll(): void {
    const all = [...this.#consumers];
    for (const each of all) this.#kill(each, all.length);
  }

  async #startFleet(): Promise<void> {
    while (this.#consumers.size < FLEET) await this.startConsumer();
  }

  /** Mass deaths: what is in flight is a suspect after two of them, and none of it is to blame. */
  async #crashFleets(times: number): Promise<void> {
    const hang = Promise.withResolvers<void>();
    this.#hanging = hang.promise;
    for (let time = 0; time < times; time += 1) {
      await this.#startFleet();
      if (time === 0) await Promise.all(Array.from({ length: 2 * FLEET }, () => this.#signUp()));
      // Later it is what the fleet before had, once it is claimed: suspects, one in each consumer that is idle.
      const inFlight = () => [...this.#consumers].some(({ running: [mails] }) => (mails?.inFlight() ?? 0) > 0);
      await eventually(inFlight, IN_FLIGHT_WITHIN_MS).catch(() => {});
      this.#killAll();
    }
    hang.resolve();
    this.#hanging = undefined;
    // Idle, so that each of them may run suspects.
    await this.#startFleet();
  }

  async #signUp(publishes = true): Promise<void> {
    const domain = `domain-${this.#seen.signups.length % DOMAINS}.example`;
    const plain = aSignup();
    const email = `${plain.userName}@${domain}`;
    const signup = { ...plain, email, emailKey: email };
    this.#seen.signups.push(signup);
    await this.#shared.writer.write(signup);
    if (publishes) await this.#publish(signup);
  }

  async run(each: Step): Promise<void> {
    const [consumer] = this.#consumers;
    switch (each.do) {
      case "sign up":
      case "sign up, die before XADD":
        return this.#signUp(each.do === "sign up");
      case "second entry": {
        const signup = this.#seen.signups.at(-1);
        if (signup !== undefined) await this.#redis.xadd(this.#keys.events, "*", ...entryOf(signup));
        return;
      }
      case "start a consumer":
        if (this.#consumers.size < FLEET) await this.startConsumer();
        return;
      case "crash a consumer":
        if (consumer !== undefined) this.#kill(consumer);
        return;
      case "crash all consumers":
        this.#killAll();
        return;
      case "crash fleets":
        return this.#crashFleets(each.times);
      case "decline all":
      case "refuse logins":
        this.#silences.push(this.#spells.begin(each.do, { ms: each.ms, consumers: this.#consumers.size }));
        return;
      case "stop a consumer":
        if (consumer === undefined) return;
        this.#consumers.delete(consumer);
        this.#seen.stopped.add(consumer.name);
        // It may die at a checkpoint while it stops.
        await Promise.race([Promise.all(consumer.running.map((group) => group.stop())), consumer.death.promise]);
        consumer.redis.disconnect();
        return;
      case "die at":
        this.#deaths.push(each.checkpoint);
        return;
      case "next attempt":
        // Five failures of the system would open the breaker, whose probes take seconds: it has tests of its own.
        if (each.outcome !== "unavailable" || !this.#scripted.includes("unavailable"))
          this.#scripted.push(each.outcome);
        return;
      case "lose an answer":
        consumer?.answers.lose(each.to);
        return;
      case "lose all answers":
        consumer?.answers.loseAll();
        this.#silences.push(Bun.sleep(each.ms).then(() => consumer?.answers.end()));
        return;
      case "trim":
        await this.#redis.xtrim(this.#keys.events, "MAXLEN", 0);
        return;
      case "flush":
        this.#seen.wasFlushed = true;
        await this.#redis.del(...this.#allKeys());
        return;
      case "wait":
        await Bun.sleep(each.ms);
        return;
    }
  }

  async #publish(signup: NewSignup): Promise<void> {
    const publisher = createPublisher({ db: this.#shared.db, redis: this.#redis, keys: this.#keys, log: silentLog });
    await publisher.publish(committedEvent(signup));
    await publisher.idle();
  }

  #allKeys(): string[] {
    const { events, retriesStream, retrySet, dead, deadIndex } = this.#keys;
    return [
      events,
      ...MODEL_GROUPS.flatMap(({ name }) => [retriesStream, retrySet, dead, deadIndex].map((key) => key(name))),
    ];
  }

  /** No more faults: one healthy consumer, the relay, the reconciler. Resolves when all work is final and nothing moves. */
  async heal(relayAndReconcile: (redis: Redis, keys: Keys) => AsyncDisposable): Promise<void> {
    this.#deaths.length = 0;
    // What was lost meanwhile is found out only then.
    await Promise.all(this.#silences);
    for (const { answers } of this.#consumers) answers.end();
    this.#scripted.length = 0;
    if (this.#consumers.size === 0) await this.startConsumer();
    await using _background = relayAndReconcile(this.#redis, this.#keys);
    await untilAtRest({ db: this.#shared.db, redis: this.#redis, keys: this.#keys }, MODEL_GROUPS, () =>
      [...this.#consumers].map(({ name, running }) => `${name}: ${running.map((group) => group.inFlight())} in flight`),
    );
    // What was not begun is put right when its consumer has been answered.
    await eventually(async () => (await this.#seen.unexplained()).length === 0).catch(() => {});
  }

  async check(): Promise<void> {
    const { tried, most } = this.#spells.logins();
    expect({ tried, most, isPermitted: tried <= most }).toEqual({ tried, most, isPermitted: true });
    await this.#seen.check(this.#redis, this.#keys);
  }

  async end(): Promise<void> {
    for (const consumer of [...this.#consumers]) this.#kill(consumer);
    await this.#redis.del(...this.#allKeys());
    this.#redis.disconnect();
  }
}
