import { Redis } from "ioredis";
import { openDatabase } from "../../database/connection.ts";
import { pausesOf } from "../../database/groups/pauses.ts";
import type { Operator } from "../../ops/actions/operator.ts";
import { type Again, replay } from "../../ops/actions/replay.ts";
import type { Stores } from "../../ops/actions/stores.ts";
import type { Group } from "../../stream/groups.ts";
import { keysOf } from "../../stream/keys.ts";
import { pauseGroup, resumeGroup } from "../../stream/pauses.ts";
import type { Fault, FaultDeps } from "./fault.ts";
import { CHAOS_GROUPS, EXAMPLE } from "./groups.ts";
import { chaosAudit } from "./operator.ts";
import { STREAM_NAME } from "./system.ts";

const PAUSE_MS = { min: 2_500, max: 5_000 } as const;
const REPLAYED_MS = 60_000;
/** Events per second: a replay of a minute takes seconds, with the load and other faults beside it. */
const REPLAY_RATE = 400;
/** By then the first of a replay are in flight. */
const KILL_AFTER_MS = 600;

const REPEAT_AFTER_MS = 500;
const REPEAT_FOR_MS = 60_000;

const AGAIN_ALL: Again = { kind: "all" };
const AGAIN_NONE: Again = { kind: "none" };

const keys = keysOf(STREAM_NAME);
const pausing = ({ db, redis }: Stores) => ({ pauses: pausesOf(db), redis, keys });

/** What an operator does to one group under load: the actions of `ops pause` and `ops replay`. */
export const operatorFaults = ({ system, random }: FaultDeps) => {
  const withStores = async (action: (stores: Stores) => Promise<unknown>): Promise<void> => {
    const db = openDatabase({ url: system.databaseUrl, poolSize: 1, applicationName: "chaos" });
    const redis = new Redis(system.redisUrl, { retryStrategy: () => null });
    redis.on("error", () => {});
    try {
      await action({ db, redis });
    } finally {
      redis.disconnect();
      await db.destroy();
    }
  };

  /** As an operator does who is told that a store is away: the other fault may be its own. */
  const againUntilDone = async (action: (stores: Stores) => Promise<unknown>): Promise<void> => {
    const endAt = performance.now() + REPEAT_FOR_MS;
    for (;;) {
      try {
        return await withStores(action);
      } catch (error) {
        if (performance.now() > endAt) throw error;
        await Bun.sleep(REPEAT_AFTER_MS);
      }
    }
  };

  /** If a store fails meanwhile, the reconciler completes what the replay has queued. */
  const runReplay = async (group: Group, again: Again): Promise<void> => {
    const from = { kind: "time", at: new Date(Date.now() - REPLAYED_MS) } as const;
    const operator = (stores: Stores): Operator => ({
      ...stores,
      keys,
      groups: CHAOS_GROUPS,
      signal: new AbortController().signal,
      onProgress: () => {},
      at: () => {},
      audit: chaosAudit(stores.db),
    });
    await withStores((stores) => replay(operator(stores), group, { from, again, rate: REPLAY_RATE })).catch(
      (error: unknown) => console.log(`       the replay ended early: ${String(error)}`),
    );
  };

  const pauseOne = (group: Group = random.pick(CHAOS_GROUPS)): Fault => ({
    kind: "one group paused",
    label: `${group.name} paused`,
    lastsMs: random.between(PAUSE_MS.min, PAUSE_MS.max),
    // Both keep the pause: beside a Postgres that is down it would wait for the end of the other fault.
    parts: ["redis", "postgres"],
    ...otherThan(group),
    inflict: () =>
      againUntilDone((stores) => pauseGroup(pausing(stores), { group: group.name, reason: null, by: "chaos" })),
    heal: () => againUntilDone((stores) => resumeGroup(pausing(stores), group.name)),
  });

  /** The example repeats all that is done; a mail that is done is left alone. */
  const replayOne = (group: Group = random.pick(CHAOS_GROUPS)): Fault => {
    const again = group.name === EXAMPLE ? AGAIN_ALL : AGAIN_NONE;
    let replaying = Promise.resolve();
    return {
      kind: "replay of one group",
      label: `the last minute replayed for ${group.name}${again === AGAIN_ALL ? ", with --again-all" : ""}`,
      lastsMs: random.between(500, 2_000),
      parts: ["replay"],
      ...otherThan(group),
      inflict: async () => {
        replaying = runReplay(group, again);
      },
      heal: () => replaying,
    };
  };

  /** Peers claim the replayed entries that were in flight. */
  const killDuringReplay = (): Fault => {
    const victim = random.pick(system.victims.filter(({ groups }) => groups.includes(EXAMPLE)));
    const replaying = replayOne(CHAOS_GROUPS[1]);
    return {
      ...replaying,
      kind: "kill -9 during a replay",
      label: `${replaying.label}, kill -9 ${victim.name} during it`,
      parts: [victim.name, ...replaying.parts],
      lastsMs: random.between(2_500, 4_000),
      inflict: async () => {
        await replaying.inflict();
        await Bun.sleep(KILL_AFTER_MS);
        await victim.kill();
      },
      heal: async () => {
        victim.start();
        await replaying.heal();
      },
    };
  };

  return { pauseOne, replayOne, killDuringReplay };
};

const otherThan = (group: Group): Pick<Fault, "unaffected"> => {
  const other = CHAOS_GROUPS.find(({ name }) => name !== group.name);
  return other === undefined ? {} : { unaffected: other.name };
};
