import { waitInOutbox } from "../../observability/sentences.ts";
import { POSTGRES_DISK_FULL } from "../published-fault.ts";
import { bytes, count, counted, duration } from "../quantity.ts";
import { BACK_WITHIN_MS, type Facts, isLiving } from "./facts.ts";
import type { Finding } from "./finding.ts";
import { isWell, named, ofLoopsOfApis, ofRefusingApis } from "./of-apis.ts";
import { ofSuppressions } from "./of-suppressions.ts";
import { isOfLogin, isOfStandby, mayHaveHealed, since, timeOf, upper, verb } from "./words.ts";

const OUTBOX_LATE_MS = 30_000;
const CLOCK_MS = 2_000;
/** Share of its memory from which Redis is soon full. */
const NEARLY_FULL = 0.9;
/** An api looks for old events each minute. */
const PRUNER_SILENT_MS = 10 * 60_000;

const MORE_MEMORY = "raise maxmemory, or shorten STREAM_RETENTION_MS";
const MORE_DISK = "make room on the disk of Redis";
const MORE_REPLICAS = "bring a replica of Redis back, or lower its min-replicas-to-write";

const ITS_STANDBY = "bring the standby back, or take it out of synchronous_standby_names";

const ITS_LOGIN =
  "correct user and password in REDIS_URL, or give the user of Redis its password back; it does not go on by itself before";

const remedyOfRedis = (facts: Facts): string => {
  if (facts.redis !== undefined && isOfLogin(facts.redis)) return ITS_LOGIN;
  if (facts.redisLacksReplicas === true) return MORE_REPLICAS;
  return isFull(facts) ? MORE_MEMORY : facts.redisAppends === false ? MORE_DISK : "ops doctor";
};

const isFull = ({ redis = "", redisMemory }: Facts): boolean =>
  redis.startsWith("is full") ||
  (redisMemory !== undefined && redisMemory.most > 0 && redisMemory.used >= redisMemory.most);

/** ` (12, the oldest for 30 s)`. */
const inOutbox = ({ rows, oldestMs }: Facts["outbox"]): string =>
  rows === 0 ? "" : ` (${count(rows)}, the oldest for ${duration(oldestMs)})`;

/** An event that is in the outbox for less is on its way. */
const ON_ITS_WAY_MS = 5_000;

const LOOK_AT_AN_API = "ask an api's /readyz, which says what the stores answer it; look at the load of this machine";

const HERE = "(asked from here)";

/** Postgres does not answer who asks: that says nothing of what it answers apis, which say so themselves. */
const ofPostgresHere = (fault: string, { apis = [] }: Facts): Finding => {
  const well = apis.filter(isWell).map(({ name }) => name);
  if (well.length > 0) {
    const sentence = `PostgreSQL ${fault} ${HERE}: nobody could look, and ${named(well)} ${verb(well.length, "reports", "report")} no trouble with it`;
    return { level: "notice", sentence, remedy: LOOK_AT_AN_API };
  }
  const lost = "signups are refused, and what was accepted waits; none of it is lost";
  if (apis.length > 0) {
    const sentence = `PostgreSQL ${fault}, nor does it serve ${named(apis.map(({ name }) => name))}: ${lost}`;
    return { level: "trouble", sentence, remedy: "ops doctor" };
  }
  const sentence = `PostgreSQL ${fault} ${HERE}, and no api says what it answers them: if nothing, ${lost}`;
  return { level: "trouble", sentence, remedy: LOOK_AT_AN_API };
};

/** The same of Redis; that events wait for it, the outbox tells. */
const ofRedisHere = (fault: string, { postgres, outbox }: Facts): string => {
  const [succeed, their] =
    postgres === undefined ? ["signups succeed, and ", "their events"] : ["", "events of signups"];
  const unless = outbox.oldestMs >= ON_ITS_WAY_MS ? "" : "if it does not answer the apis either, ";
  return `Redis ${fault} ${HERE}: ${succeed}${unless}${their} wait in the outbox${inOutbox(outbox)}; none is lost`;
};

const ofPostgres = (facts: Facts, fault: string, own: string | undefined): Finding => {
  if (facts.isOnlooker === true) return ofPostgresHere(fault, facts);
  const how = own ?? "signups are refused, and what was accepted waits; none of it is lost";
  const remedy = isOfStandby(fault) ? ITS_STANDBY : "ops doctor";
  return { level: "trouble", sentence: `PostgreSQL ${fault}: ${how}`, remedy };
};

const ofRedis = (facts: Facts, fault: string, own: string | undefined): Finding => {
  const { isOnlooker, outbox, postgres } = facts;
  const remedy = remedyOfRedis(facts);
  if (isOnlooker === true) return { level: "trouble", sentence: ofRedisHere(fault, facts), remedy };
  const succeed = postgres === undefined ? "signups succeed, and their events" : "events of signups";
  const how = own ?? `${succeed} wait in the outbox${inOutbox(outbox)}; none is lost`;
  return { level: "trouble", sentence: `Redis ${fault}: ${how}`, remedy };
};

/** Signs of life are writes to Redis, and are read there. */
const ofUnseenConsumers = ({ redis, asker }: Facts): readonly Finding[] => {
  if (redis === undefined || asker !== undefined) return [];
  const sentence = "Which consumers run cannot be told meanwhile: their signs of life are kept in Redis";
  return [{ level: "notice", sentence, remedy: "look at their processes, or ask each one's /readyz" }];
};

const ofStores = (facts: Facts): readonly Finding[] => {
  const { postgres, redis, asker } = facts;
  // Who knows only that it is not answered knows nothing of signups.
  const ownIf = (how: string) => asker && `${asker} waits for it, and ${how}; none of its work is lost`;
  const own = ownIf("goes on by itself");
  const isLogin = redis !== undefined && isOfLogin(redis);
  const ownOfRedis = isLogin ? ownIf("goes on once REDIS_URL has the login that Redis accepts") : own;
  return [
    ...(postgres === undefined ? [] : [ofPostgres(facts, postgres, own)]),
    ...(redis === undefined ? [] : [ofRedis(facts, redis, ownOfRedis)]),
    ...ofUnseenConsumers(facts),
  ];
};

/** Postgres answers while its disk is full: who writes finds out. */
const ofPostgresDisk = ({ postgres, groups, loops = {}, refusal, apis = [] }: Facts): readonly Finding[] => {
  const faults = groups.flatMap(({ consumers }) =>
    consumers.filter(isLiving).flatMap((each) => Object.values(each.faults)),
  );
  const ofApis = apis.flatMap((api) => [...Object.values(api.loops), api.refusal?.fault ?? ""]);
  const isDiskFull = [...faults, ...Object.values(loops), ...ofApis, refusal?.fault ?? ""].some((fault) =>
    fault.includes(POSTGRES_DISK_FULL),
  );
  if (postgres !== undefined || !isDiskFull) return [];
  const sentence = `${upper(POSTGRES_DISK_FULL)}: signups are refused, and what was accepted waits; none of it is lost`;
  return [{ level: "trouble", sentence, remedy: "make room on the disk of PostgreSQL" }];
};

/** What else it refuses to write: it is read-only, for example. */
const ofRefusal = ({ postgres, refusal, apis = [], now }: Facts): readonly Finding[] => {
  if (postgres !== undefined || refusal === undefined || refusal.fault.includes(POSTGRES_DISK_FULL)) return [];
  // An api that asks for the whole hears of itself, too.
  if (apis.some((api) => api.refusal?.fault === refusal.fault)) return [];
  const { fault, since: first, at } = refusal;
  const when = `${since(first.toISOString(), now)}, the last time ${duration(now.getTime() - at.getTime())} ago`;
  const sentence = `Signups are refused, because ${fault}, ${when}; what was accepted is not lost`;
  return [{ level: "trouble", sentence, remedy: "ops doctor" }];
};

/** Each statement that needs it gives up after a while, and is tried again. */
const ofTableLock = ({ postgres, tableLock }: Facts): readonly Finding[] => {
  if (postgres !== undefined || tableLock === undefined) return [];
  const { table, heldMs, pid, holder } = tableLock;
  const sentence = `${holder} has locked the table ${table} of PostgreSQL for ${duration(heldMs)}: what needs it waits, or is refused; nothing that was accepted is lost`;
  return [{ level: "trouble", sentence, remedy: `end that transaction, or: select pg_terminate_backend(${pid})` }];
};

/** By hand alone an entry gets the highest id: nothing can be behind it. */
const ofEnded = ({ redis, ended = [], outbox }: Facts): readonly Finding[] => {
  if (redis !== undefined) return [];
  return ended.map(({ key, group }) => {
    const waits =
      group === null
        ? `signups succeed, and their events wait in the outbox${inOutbox(outbox)}`
        : `what of ${group} is to be tried again, or queued again, waits`;
    const sentence = `Somebody gave the stream ${key} of Redis the highest id that there is, so that it takes no further entry: ${waits}; none is lost`;
    const remedy = `redis-cli UNLINK '${key}': within 6 s an api makes it again, and queues what is not done from the ledger, by default within ${duration(BACK_WITHIN_MS)}`;
    return { level: "trouble", sentence, remedy };
  });
};

const ofMemory = ({ redis, redisMemory }: Facts): readonly Finding[] => {
  if (redis !== undefined || redisMemory === undefined || redisMemory.most === 0) return [];
  const { used, most } = redisMemory;
  if (used < NEARLY_FULL * most) return [];
  const sentence = `Redis has used ${bytes(used)} of ${bytes(most)}: once it is full, signups succeed and their events wait in the outbox`;
  return [{ level: "notice", sentence, remedy: MORE_MEMORY }];
};

/** Redis writes its log and its snapshots to one disk: what it cannot save now, it may not write soon. */
const ofSnapshots = ({ redis, redisSaves = true }: Facts): readonly Finding[] => {
  if (redis !== undefined || redisSaves) return [];
  const sentence = "Redis could not save its last snapshot: its disk may be full, and then it refuses writes";
  return [{ level: "notice", sentence, remedy: "look at the disk and the log of Redis" }];
};

const ofOutbox = ({ outbox, redis, ended = [], now }: Facts): readonly Finding[] =>
  redis !== undefined ||
  ended.some(({ group }) => group === null) ||
  outbox.rows === 0 ||
  outbox.oldestMs < OUTBOX_LATE_MS
    ? []
    : [
        {
          level: "trouble",
          sentence: waitInOutbox(
            counted(outbox.rows, "event has", "events have"),
            since(new Date(now.getTime() - outbox.oldestMs).toISOString(), now),
          ),
          remedy: "the api publishes them: is one running, and does it reach Redis?",
        },
      ];

/** Of a loop that waits for a store that is away the store's finding says enough. */
const ofLoops = ({ now, loops = {}, postgres, redis }: Facts): readonly Finding[] => {
  const [first, ...others] = Object.entries(loops);
  if (first === undefined || postgres !== undefined || redis !== undefined) return [];
  const also = others.length === 0 ? "" : `, and ${counted(others.length, "other loop")}`;
  const [name, fault] = first;
  const who = `loop ${name}${also} of this process`;
  if (Object.values(loops).every((why) => mayHaveHealed(why, now))) {
    const sentence = `Redis answers, and the ${who} ${others.length === 0 ? "has" : "have"} yet to try again`;
    return [{ level: "notice", sentence }];
  }
  return [
    {
      level: "trouble",
      sentence: `The ${who} cannot do ${others.length === 0 ? "its" : "their"} work (${fault})`,
    },
  ];
};

const ofClocks = ({ clockDifferenceMs }: Facts): readonly Finding[] =>
  Math.abs(clockDifferenceMs) <= CLOCK_MS
    ? []
    : [
        {
          level: "notice",
          sentence: `The clocks of Redis and PostgreSQL differ by ${duration(Math.abs(clockDifferenceMs))}`,
          remedy: "synchronise both by NTP",
        },
      ];

const ofPruner = ({ pruning, now }: Facts): readonly Finding[] => {
  if (pruning === undefined) return [];
  const silentMs = now.getTime() - pruning.lookedAt.getTime();
  if (silentMs <= PRUNER_SILENT_MS) return [];
  const sentence = `No api has looked for old events ${since(pruning.lookedAt.toISOString(), now)}: the ledger grows beyond the ${duration(pruning.retentionMs)} that it is kept for`;
  return [{ level: "notice", sentence, remedy: "is an api running, with LEDGER_RETENTION_MS set?" }];
};

const ofJobs = ({ jobs = [], now }: Facts): readonly Finding[] =>
  jobs.map(({ action, by, state, done, total, at }) => {
    const progress = `${count(done)} of ${count(total)}`;
    const what = `The job ${action}, begun by ${by} at ${timeOf(at.toISOString(), now)},`;
    if (state === "running") return { level: "notice", sentence: `${what} is at ${progress}`, see: "jobs" };
    const remedy = "begin it again: it goes on with what is left";
    return { level: "notice", sentence: `${what} ended at ${progress} (${state})`, remedy, see: "jobs" };
  });

/** What keeps the stores, and all that no group is about, from working. */
export const ofSystem = (facts: Facts): readonly Finding[] => [
  ...ofStores(facts),
  ...ofPostgresDisk(facts),
  ...ofRefusal(facts),
  ...ofRefusingApis(facts),
  ...ofTableLock(facts),
  ...ofEnded(facts),
  ...ofOutbox(facts),
  ...ofLoops(facts),
  ...ofLoopsOfApis(facts),
  ...ofMemory(facts),
  ...ofSnapshots(facts),
  ...ofSuppressions(facts),
  ...ofClocks(facts),
  ...ofPruner(facts),
  ...ofJobs(facts),
];
