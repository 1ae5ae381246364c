import { expect } from "bun:test";
import type { Redis } from "ioredis";
import { createPublisher } from "../api/signup/publisher.ts";
import type { Checkpoint } from "../consumers/engine/checkpoint.ts";
import { type GroupDeps, type RunningGroup, startGroup } from "../consumers/engine/group.ts";
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
import { EXAMPLE_GROUP } from "./example-group.ts";
import { createLostAnswers, type LostAnswers } from "./losing-answers.ts";
import { untilAtRest } from "./model-rest.ts";
import { Spells } from "./model-spells.ts";
import type { Step } from "./model-steps.ts";
import { Witness } from "./model-witness.ts";
import { ModelWork } from "./model-work.ts";
import { aSignup, committedEvent, redisUrl, silentLog } from "./pipeline.ts";

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
  readonly #deaths: Checkpoint[] = [];
  readonly #silences: Promise<void>[] = [];
  readonly #spells = new Spells();
  readonly #seen: Witness;
  readonly #work: ModelWork;

  private constructor(shared: Shared, keys: Keys, redis: Redis) {
    this.#shared = shared;
    this.#keys = keys;
    this.#redis = redis;
    this.#seen = new Witness(shared.db, MODEL_GROUPS);
    this.#work = new ModelWork(shared.db, { seen: this.#seen, spells: this.#spells });
  }

  static async create(shared: Shared): Promise<World> {
    const keys = keysOf(`model-${randomHex(8)}`);
    const redis = aRedis();
    await untilReady(redis, 5_000);
    for (const group of MODEL_GROUPS) await ensureGroup(redis, keys, group);
    return new World(shared, keys, redis);
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
    const { mails, examples } = this.#work.of({ consumer: name, isDead });
    const running = [startGroup(deps, mails, options), startGroup(deps, examples, options)];
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
    const hang = this.#work.hang();
    for (let time = 0; time < times; time += 1) {
      await this.#startFleet();
      if (time === 0) await Promise.all(Array.from({ length: 2 * FLEET }, () => this.#signUp()));
      // Later it is what the fleet before had, once it is claimed: suspects, one in each consumer that is idle.
      const inFlight = () => [...this.#consumers].some(({ running: [mails] }) => (mails?.inFlight() ?? 0) > 0);
      await eventually(inFlight, IN_FLIGHT_WITHIN_MS).catch(() => {});
      this.#killAll();
    }
    hang.end();
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
        this.#work.script(each.outcome);
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
    this.#work.forgetScript();
    if (this.#consumers.size === 0) await this.startConsumer();
    await using _background = relayAndReconcile(this.#redis, this.#keys);
    await untilAtRest({ db: this.#shared.db, redis: this.#redis, keys: this.#keys }, MODEL_GROUPS, () =>
      [...this.#consumers].map(
        ({ name, running }) => `${name}: ${JSON.stringify(running.map((each) => each.report()))}`,
      ),
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
