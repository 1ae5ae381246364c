import fc from "fast-check";
import type { Redis } from "ioredis";
import { startReconciler } from "../api/background/reconciler.ts";
import { startRelay } from "../api/background/relay.ts";
import type { Checkpoint } from "../consumers/engine/checkpoint.ts";
import { openDatabase } from "../database/connection.ts";
import { createSignupWriter } from "../database/users/signup.ts";
import { boundGroups } from "../stream/groups.ts";
import type { Keys } from "../stream/keys.ts";
import { withTestDatabase } from "./database.ts";
import type { Scripted, Spell, Step } from "./model-steps.ts";
import { MODEL_GROUPS, type Shared, World } from "./model-world.ts";
import { silentLog } from "./pipeline.ts";

const CHECKPOINTS: readonly Checkpoint[] = ["read", "claimed", "attempted", "recorded", "moved"];

/** Sequences at the same time: most of one is waiting. Each has a database of its own. */
const MOST_LANES = 12;

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Step>({ do: "sign up" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: "sign up, die before XADD" }) },
  { weight: 2, arbitrary: fc.constant<Step>({ do: "second entry" }) },
  { weight: 3, arbitrary: fc.constant<Step>({ do: "start a consumer" }) },
  { weight: 2, arbitrary: fc.constant<Step>({ do: "crash a consumer" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: "crash all consumers" }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }).map((times): Step => ({ do: "crash fleets", times })) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: "stop a consumer" }) },
  { weight: 4, arbitrary: fc.constantFrom(...CHECKPOINTS).map((checkpoint): Step => ({ do: "die at", checkpoint })) },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom<Scripted>("transient", "unavailable", "rejected", "uncertain", "lost-250")
      .map((outcome): Step => ({ do: "next attempt", outcome })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom<Spell>("decline all", "refuse logins"), fc.integer({ min: 50, max: 5_000 }))
      .map(([what, ms]): Step => ({ do: what, ms })),
  },
  { weight: 2, arbitrary: fc.constant<Step>({ do: "lose an answer", to: "claim" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: "lose an answer", to: "settlement" }) },
  { weight: 2, arbitrary: fc.integer({ min: 50, max: 3_500 }).map((ms): Step => ({ do: "lose all answers", ms })) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: "trim" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: "flush" }) },
  { weight: 3, arbitrary: fc.nat(60).map((ms): Step => ({ do: "wait", ms })) },
);

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
  // A busy machine is silent for longer than a server that is away.
  const db = openDatabase({ url: database.url, poolSize: 3, applicationName: "model", deadlineMs: 30_000 });
  const shared: Shared = { db, writer: createSignupWriter(db, boundGroups(MODEL_GROUPS)) };
  const background = (redis: Redis, keys: Keys): AsyncDisposable => {
    const deps = { db, redis, keys, log: silentLog };
    const relay = startRelay(deps, { olderThanMs: 100, everyMs: 50 });
    const reconciler = startReconciler({ ...deps, groups: MODEL_GROUPS }, { reconcileAfterMs: 2_000 });
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

/**
 * The engine's state machine under random sequences, with two groups on one event: signups, second entries, attempts of
 * every outcome, times in which everything is declined or every login refused, claims and outcomes whose answer is lost, consumers that are
 * not answered for longer than a lease, consumers that start, stop, crash alone, all at once, or one fleet after the other, or die at a checkpoint,
 * streams that are trimmed or flushed. Real Redis, real Postgres; times are shortened. After each sequence everything heals, and then it must hold, for both groups:
 *
 * - nothing has vanished: each is done, or dead by a refusal that was given, or as poison after four that had it died, two of them with nothing else in flight;
 * - a refused login was tried a few times by each consumer, and then by one for all of its group, ever more rarely;
 * - no mail was sent twice without being counted: copies <= 1 + uncertain; idempotent work counts no uncertainty;
 * - what a consumer claimed and never began counts as no try, unless that consumer died or was stopped;
 * - what is acked is final: nothing is pending, waiting or in the outbox in the end;
 * - what is dead is one dead letter, or none if the flush took it.
 */
export const runSequences = async (count: number): Promise<void> => {
  const seed = Number(process.env["MODEL_SEED"] ?? Date.now() % 2 ** 31);
  const commands = fc.commands([step.map((each) => new StepCommand(each))], { size: "+1", maxCommands: 20 });
  const sequences = fc.sample(commands, { numRuns: count, seed });
  const lanes = await Promise.all(Array.from({ length: Math.min(MOST_LANES, Math.ceil(count / 5)) }, aLane));
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
};
