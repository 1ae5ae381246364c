import { VERSION } from "../observability/version.ts";
import { sinceOf } from "../runtime/loop.ts";
import { REDIS_AWAY } from "../runtime/published-fault.ts";
import { describe } from "../runtime/situation/describe.ts";
import { notAnswered } from "../runtime/situation/words.ts";
import { createStoreAnswers, type StoreAnswers, type StoreAway, type StorePings } from "../runtime/store-answers.ts";
import type { RunningGroup } from "./engine/group.ts";

/** A group in the health answers. */
interface GroupHealth {
  readonly group: string;
  readonly live: boolean;
  readonly state: string;
  readonly breaker: string;
  readonly in_flight: number;
  /** Entries that are read and wait, because much like them was in vain lately. */
  readonly kept: number;
  /** What the other system grants, and its last words about that; absent if it sets no limit. */
  readonly granted?: { readonly allowed: number; readonly words?: string | undefined };
  /** What keeps it from its work, and since when. */
  readonly faults: Readonly<Record<string, string>>;
  /** All of that in a sentence. */
  readonly why: string;
}

const ASKER = "this consumer";

/** Since when Redis has not answered, by what its loops say. */
const redisAway = (faults: readonly string[]): StoreAway | undefined => {
  const [since] = faults
    .flatMap((fault) => (fault.startsWith(REDIS_AWAY) ? (sinceOf(fault) ?? []) : []))
    .toSorted((one, other) => one.getTime() - other.getTime());
  return since && { since };
};

/** What this consumer knows by itself. `answers`: undefined if the stores were not asked; then its loops tell of Redis. */
const whyOf = (group: RunningGroup, answers: StoreAnswers | undefined): string => {
  const report = group.report();
  const known = {
    group: group.name,
    pausedBy: report.state === "paused" ? "order" : null,
    pausedAt: null,
    ordered: undefined,
    exists: true,
    unfinished: undefined,
    delayed: { count: 0, isBound: false },
    retrying: [],
    oldestMs: 0,
    held: [],
    dead: 0,
    latestDead: undefined,
    consumers: [{ ...report, name: ASKER, silentMs: 0, pending: report.inFlight + report.kept }],
    strayEntries: 0,
    lastHour: { total: 0, medianMs: undefined },
  };
  const now = new Date();
  const { postgres, redis } = answers ?? {
    postgres: undefined,
    redis: redisAway(Object.values(report.faults)),
  };
  const [first] = describe({
    now,
    asker: ASKER,
    outbox: { rows: 0, oldestMs: 0 },
    clockDifferenceMs: 0,
    postgres: notAnswered(postgres, now),
    redis: notAnswered(redis, now),
    groups: [known],
  });
  return first.level === "well" ? "All is well" : first.sentence;
};

const grantedTo = (group: RunningGroup): Pick<GroupHealth, "granted"> => {
  const granted = group.granted();
  return granted === undefined || !Number.isFinite(granted.allowed) ? {} : { granted };
};

const healthOf = (group: RunningGroup, answers?: StoreAnswers): GroupHealth => ({
  group: group.name,
  live: group.isLive(),
  state: group.state(),
  breaker: group.breaker(),
  in_flight: group.inFlight(),
  kept: group.kept(),
  ...grantedTo(group),
  faults: group.faults(),
  why: whyOf(group, answers),
});

/**
 * The health server. `/livez`: the loops make progress (independent of the stores, so an outage restarts no process).
 * `/readyz`: reading, or paused by an operator; not ready while stopping; an open breaker and a store that is away leave it ready.
 * It asks the stores, for who has nothing to do does not find out that one is away.
 * Both name what is stuck, and since when, and show the running version.
 */
export const serveHealth = (
  groups: readonly RunningGroup[],
  stores: StorePings,
  listening: { readonly port: number; readonly hostname?: string },
): Bun.Server<undefined> => {
  const storeAnswers = createStoreAnswers(stores);
  return Bun.serve({
    ...listening,
    routes: {
      "/livez": () => {
        const health = groups.map((group) => healthOf(group));
        const live = health.every((group) => group.live);
        return Response.json({ live, version: VERSION, groups: health }, { status: live ? 200 : 503 });
      },
      "/readyz": async () => {
        const answers = await storeAnswers();
        const health = groups.map((group) => healthOf(group, answers));
        const ready = health.every((group) => group.live && group.state !== "stopping");
        return Response.json({ ready, version: VERSION, groups: health }, { status: ready ? 200 : 503 });
      },
    },
    fetch: () => Response.json({ error: "not found; there are /livez and /readyz" }, { status: 404 }),
  });
};
