import { ensureGroup } from "../stream/ensure-group.ts";
import { readNew } from "../stream/entries.ts";
import { WELCOME_EMAIL } from "../stream/groups.ts";
import { keysOf } from "../stream/keys.ts";
import { writeBacklog } from "./backlog-rows.ts";
import type { BenchOptions, Case, Figures } from "./case.ts";
import { type Costs, measureCosts, type Stores } from "./costs.ts";
import { memoryOf } from "./memory.ts";
import type { Environment, Programs } from "./programs.ts";
import { startSink } from "./sink.ts";

/** What is measured is each part of the backlog, and the first one, in which the consumer starts, is left out. */
const PARTS = 10;
/** A million mails on a machine that is busy otherwise. */
const TIMEOUT_MS = 7_200_000;
/** A dead consumer has read so many at a time. */
const READ = 1_000;
const IDLE_MS = 5_000;

export interface BacklogOptions {
  readonly waiting: number;
  /** How many of them a consumer that died has read, and not acknowledged. */
  readonly pending?: number;
}

interface Part {
  readonly costs: Costs;
  readonly seconds: number;
  readonly consumerMiB: number;
}

/** Of all three, for a mail: other programs do not move it. */
const processorOf = ({ costs }: Part): number => (costs.own[0] ?? Number.NaN) + costs.postgres + costs.redis;

const abandon = async (stores: Stores, programs: Programs, pending: number): Promise<void> => {
  const keys = keysOf(programs.environment["STREAM_NAME"] ?? "");
  await ensureGroup(stores.redis, keys, WELCOME_EMAIL);
  const gone = { group: WELCOME_EMAIL.name, consumer: "gone", stream: keys.events };
  for (let read = 0; read < pending; read += READ) await readNew(stores.redis, { ...gone, count: READ });
  // Nobody claims them earlier.
  await Bun.sleep(IDLE_MS);
};

const figuresOf = (parts: readonly Part[], mails: number): Figures => {
  const [first, last] = [parts[1], parts.at(-1)];
  if (first === undefined || last === undefined) throw new Error("nothing was measured");
  const later = parts.slice(1);
  return {
    "mails/s": mails / parts.reduce((sum, { seconds }) => sum + seconds, 0),
    "consumer CPU at first": first.costs.own[0] ?? Number.NaN,
    "at last": last.costs.own[0] ?? Number.NaN,
    "Postgres CPU at first": first.costs.postgres,
    "Postgres at last": last.costs.postgres,
    "Redis CPU at first": first.costs.redis,
    "Redis at last": last.costs.redis,
    "at first / at last": processorOf(first) / processorOf(last),
    "dearest / cheapest part": Math.max(...later.map(processorOf)) / Math.min(...later.map(processorOf)),
    "WAL bytes": last.costs.wal,
    "MiB at first": first.consumerMiB,
    "MiB at last": last.consumerMiB,
    "most MiB": Math.max(...parts.map(({ consumerMiB }) => consumerMiB)),
  };
};

/**
 * What waits must slow nothing down: a backlog, sent by one consumer, and what its mails cost at first, when nearly all of it waits, and at
 * last, when nothing does any more. With autovacuum, as an operator has it. `bench/backlog.ts` looks at the routes meanwhile.
 */
export const backlog = ({ waiting, pending = 0 }: BacklogOptions): Case => ({
  of: ["ours"],
  vacuums: true,
  async measure({ stores, contender, concurrency }: BenchOptions) {
    const marks = Array.from({ length: PARTS }, (_, part) => Math.ceil((waiting * (part + 1)) / PARTS));
    await using sink = await startSink(0, marks, TIMEOUT_MS);
    await using programs = await contender.open({
      concurrency,
      redisUrl: stores.servers.environment.TEST_REDIS_URL,
    });
    await writeBacklog(programs, waiting);
    if (pending > 0) await abandon(stores, programs, pending);
    const settings: Environment = pending > 0 ? { CLAIM_MIN_IDLE_MS: String(IDLE_MS) } : {};
    const consumer = await programs.consumer(sink.port, settings);
    const parts: Part[] = [];
    let [before, at] = [0, performance.timeOrigin + performance.now()];
    for (const mark of marks) {
      const used = await measureCosts(stores, [consumer.pid]);
      const reachedAt = await sink.reached(mark);
      const costs = await used(mark - before);
      parts.push({ costs, seconds: (reachedAt - at) / 1_000, consumerMiB: memoryOf(consumer.pid) });
      [before, at] = [mark, reachedAt];
    }
    return figuresOf(parts, waiting);
  },
});
